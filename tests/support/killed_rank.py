"""``headstart``, of which torchrun's second process kills itself when it is started first."""

from kill_at import Moment, arm

from headstart import torchrun
from headstart.cli.main import main

if torchrun.rank() == 1 and torchrun.restarts() == 0:
    arm(Moment(place="headstart.agents.ddpg:DDPG.update", when="before", count=8))
main()
