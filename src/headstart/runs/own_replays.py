"""Checkpoints of runs whose processes have replays of their own: the first one writes for all."""

import json
from collections.abc import Callable, Sequence
from typing import NamedTuple

from headstart.files.strict_json import plain
from headstart.runs.checkpoint import OWN_STATE, OwnState, new_rows, prefix_of
from headstart.training.group import Group
from headstart.training.observer import Observer
from headstart.training.trainer import Trainer


class Own(NamedTuple):
    """What only one process has."""

    state: OwnState
    rows: bytes | None
    """The episodes of its replay that are not on the disk."""

    def files(self, process: int) -> dict[str, bytes]:
        """Return the files of a process besides its replay; the first has none of its own."""
        if process == 0:
            return {}
        return {f"{prefix_of(process)}{OWN_STATE}": json.dumps(plain(self.state)).encode()}


def hand_over(
    group: Group, trainer: Trainer, saved: Callable[[Sequence[OwnState]], Sequence[int]]
) -> list[Own]:
    """Return in the first process what each has; all call it together.

    Args:
        group: the processes.
        trainer: the run.
        saved: returns up to which of its episodes each has been saved; asked in the first process.

    Raises:
        ValueError: if episodes hold what is not finite.
    """
    states = group.gathered(OwnState.of(trainer))
    wanted = group.from_first(lambda: [*saved(states)])
    rows = group.to_first(new_rows(trainer.replay, wanted[group.rank]))
    return [Own(*pair) for pair in zip(states, rows, strict=False)]


class HandsOver(Observer):
    """Lets the first process save what this one has, whenever it saves.

    Args:
        group: the processes.
        trainer: the run.
    """

    def __init__(self, group: Group, trainer: Trainer) -> None:
        self._group, self._trainer = group, trainer

    def resumable(self) -> None:
        """Hand it over if it is time to."""
        # The first process alone knows, and answers for all.
        if self._group.from_first(lambda: False):
            self.hand_over()

    def hand_over(self) -> None:
        """Hand it over."""
        hand_over(self._group, self._trainer, lambda states: [])
