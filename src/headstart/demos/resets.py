"""Resets to demonstration states (Nair et al. 2018, section IV.D)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import gymnasium as gym

from headstart.data.episode import Episode
from headstart.envs.snapshot import check_restores, require_restorable
from headstart.errors import InputError
from headstart.rollout.job import Start
from headstart.seeding import generator

ResetGoal = Literal["achieved", "desired"]


@dataclass(frozen=True)
class DemoResets:
    """Now and then an episode starts in a random state of a random demonstration."""

    demos: Sequence[Episode]
    probability: float
    """Of an episode to start so, in ``[0, 1]``."""
    goal: ResetGoal
    """The episode's goal: what the demonstration had achieved at its end, or what it was for."""
    seed: int
    """The run's seed."""

    def start(self, index: int) -> Start | None:
        """Return where episode ``index`` starts; ``None`` leaves it to the env's own reset."""
        rng = generator(self.seed, "resets", index)
        if rng.random() >= self.probability:
            return None
        demo = self.demos[int(rng.integers(len(self.demos)))]
        step = int(rng.integers(len(demo)))
        own_goal = self.goal == "desired"
        return Start(
            snapshot=demo.snapshots[step],
            observation=demo.observations[step],
            achieved_goal=demo.achieved_goals[step],
            desired_goal=demo.desired_goals[0] if own_goal else demo.achieved_goals[-1],
        )


def check_resets(env: gym.Env[Any, Any], demos: Sequence[Episode]) -> None:
    """Refuse demonstrations whose states ``env`` cannot go back to.

    Raises:
        InputError: if they hold no snapshots, or ``env`` cannot restore them.
    """
    check_snapshots(demos)
    check_restores(env)
    require_restorable(env).restore_state(demos[0].snapshots[0])


def check_snapshots(demos: Sequence[Episode]) -> None:
    """Refuse demonstrations that do not hold the simulator's states.

    Raises:
        InputError: if some do not.
    """
    missing = sum(demo.snapshots.shape[1] == 0 for demo in demos)
    if missing:
        raise InputError(
            f"{missing} of {len(demos)} demonstrations hold no snapshots of the simulator to go "
            f"back to; `headstart demos collect` without --no-snapshots keeps them"
        )
