"""Starting a run from a saved policy."""

import contextlib

from headstart.agents.start import start_from
from headstart.envs.make import make_env
from headstart.errors import InputError
from headstart.policy import Policy
from headstart.rollout.behaviour import fit_policy
from headstart.training.trainer import Trainer


def begin_from(trainer: Trainer, policy: Policy) -> None:
    """Make the actor of a run that has not begun that of a policy.

    Of several agents that see different things of a state, the one that sees what the policy sees
    is kept.

    Raises:
        InputError: if none of the agents could be it.
    """
    assert trainer.env is not None
    with contextlib.closing(make_env(trainer.env)) as env:
        policy = fit_policy(policy, env)
    contest, reasons = trainer.contest, []
    for name, agent in contest.agents.items():
        try:
            start_from(agent, policy)
        except ValueError as error:
            reasons.append(str(error))
            continue
        contest.keep({name: contest.tallies[name]})
        return
    raise InputError(
        f"{trainer.config.init_policy}: this run cannot start from that policy: {reasons[-1]}"
    )
