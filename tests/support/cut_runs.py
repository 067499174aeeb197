"""Short runs whose power is cut, so that a checkpoint is all that is left of where they stood."""

from dataclasses import replace

import pytest
from small_runs import POINT, SMALL

from headstart.runs.train import train
from headstart.training.observer import Observer

OFTEN = replace(SMALL.checkpoint, seconds=0.0)
BASE = replace(SMALL, checkpoint=OFTEN, policy_every=100)


class PowerCut(BaseException):
    """Ends a run where it stands, without a chance to save anything."""


class Cut(Observer):
    """Cuts the power at the nth moment from which a run can continue."""

    def __init__(self, after):
        self.left = after

    def resumable(self):
        self.left -= 1
        if self.left < 0:
            raise PowerCut


def cut_run(path, demos, config=BASE, after=8):
    with pytest.raises(PowerCut):
        train(POINT, config, demos=demos, out=path, observers=[Cut(after)])
    return path
