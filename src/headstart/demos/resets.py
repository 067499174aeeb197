"""Resets to demonstration states (Nair et al. 2018, section IV.D), anywhere or at a frontier.

With a frontier, episodes start near the end of demonstrations, and then further back. Reverse
forward curriculum learning (Tao et al. 2024, stage 1) has one frontier a demonstration.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import gymnasium as gym
import numpy as np

from headstart.data.episode import Episode
from headstart.data.goals import ResetGoal
from headstart.demos.storage import DemoSet
from headstart.envs.interface import env_name
from headstart.envs.restoring import check_restores
from headstart.envs.snapshot import require_restorable
from headstart.errors import InputError
from headstart.files.strict_json import build
from headstart.rollout.task_source import EpisodeTask, Start, TaskSource


@dataclass(frozen=True)
class DemoResets(TaskSource):
    """Now and then an episode starts in a random state of a random demonstration."""

    demos: Sequence[Episode] = field(repr=False)
    probability: float
    """Of an episode to start so, in ``[0, 1]``."""
    goal: ResetGoal
    """The episode's goal: what the demonstration had achieved at its end, or what it was for."""

    def task(self, index: int, env_steps: int, rng: np.random.Generator) -> EpisodeTask:
        """Return where an episode starts, if not at the env's own reset."""
        if rng.random() >= self.probability:
            return EpisodeTask()
        demo = self.demos[int(rng.integers(len(self.demos)))]
        return EpisodeTask(start=start_in(demo, int(rng.integers(len(demo))), self.goal))


def start_in(demo: Episode, step: int, goal: ResetGoal) -> Start:
    """Return a start in a demonstration before its action number ``step``."""
    return Start.of(demo, step, demo.achieved_goals[-1] if goal == "achieved" else None)


def check_resets(env: gym.Env[Any, Any], demos: DemoSet) -> None:
    """Refuse demonstrations whose states ``env`` cannot go back to.

    Raises:
        InputError: if they hold no snapshots, or snapshots of another width than the states of
            ``env``, or ``env`` cannot restore its states, or it goes elsewhere from a snapshot than
            the demonstration went.
    """
    env.reset(seed=0)
    # First: where nothing restores them, there are no states to keep.
    require_restorable(env)
    check_snapshots(demos.episodes)
    check_restores(env)
    width = len(require_restorable(env).save_state())
    other = {demo.snapshots.shape[1] for demo in demos.episodes} - {width}
    if other:
        raise InputError(
            f"the demonstrations hold snapshots of {min(other)} numbers, a state of "
            f"{env_name(env)} has {width}: they were made with another version"
        )
    # With noise, what was executed is not in the file.
    if not demos.header.get("noise"):
        for number, demo in enumerate(demos.episodes):
            _check_leads_on(env, number, demo)


def _check_leads_on(env: gym.Env[Any, Any], number: int, demo: Episode) -> None:
    """Refuse a demonstration of which ``env`` repeats a step in the middle with another end."""
    step = len(demo) // 2
    env.reset(seed=0)
    require_restorable(env).restore_state(demo.snapshots[step])
    observation = env.step(demo.actions[step].copy())[0]
    expected = (demo.observations[step + 1], demo.achieved_goals[step + 1])
    found = (observation["observation"], observation["achieved_goal"])
    pairs = zip(found, expected, strict=True)
    if not all(np.allclose(*pair, rtol=1e-3, atol=1e-3) for pair in pairs):
        raise InputError(
            f"from the snapshot of step {step}, demonstration {number} leads elsewhere than it "
            f"did: it was made with another version of {env_name(env)} or of its simulator"
        )


def check_snapshots(demos: Sequence[Episode]) -> None:
    """Refuse demonstrations that do not hold the simulator's states.

    Raises:
        InputError: if some do not.
    """
    missing = sum(demo.snapshots.shape[1] == 0 for demo in demos)
    if missing:
        raise InputError(
            f"{missing} of {len(demos)} demonstrations hold no snapshots of the simulator to go "
            f"back to; `headstart demos collect` without --no-snapshots keeps them, where "
            f"`headstart envs check` says that states are restored"
        )


_SUCCESSES = 3
"""How many episodes from a frontier must succeed in a row before it moves."""
_MOVES = 12
"""In how many moves a frontier passes through its demonstration."""
_BEYOND = (0.5, 0.25, 0.125, 0.0625, 0.0625)
"""Probabilities of a start 0, 1, ... steps after the frontier."""
_OVER = 0.9
"""From which share of demonstrations with the frontier at their first state on it is over."""
_EXTRA_STEPS = 16
"""How many steps more than its demonstration had left an episode may take."""


@dataclass
class DemoFrontier(TaskSource):
    """Now and then an episode starts at the frontier of a demonstration, or a little after it.

    The frontier begins one step before the end, and moves back whenever three episodes from it
    have succeeded in a row. Demonstrations are drawn by what is left before their frontiers. When
    nine tenths have it at their first state, every episode starts at the env's own reset.
    """

    demos: Sequence[Episode] = field(repr=False)
    probability: float
    """Of an episode to start so, in ``[0, 1]``."""
    goal: ResetGoal
    """The episode's goal: what the demonstration had achieved at its end, or what it was for."""

    def __post_init__(self) -> None:
        self.steps = [len(demo) - 1 for demo in self.demos]
        """The frontier of each demonstration: a step, 0 at its first state."""
        self._successes = [0] * len(self.demos)

    @property
    def is_over(self) -> bool:
        """Whether the frontiers have passed through enough of the demonstrations."""
        return self.steps.count(0) >= _OVER * len(self.steps)

    def task(self, index: int, env_steps: int, rng: np.random.Generator) -> EpisodeTask:
        """Return where an episode starts, if not at the env's own reset."""
        if rng.random() >= self.probability or self.is_over:
            return EpisodeTask()
        left = np.array(
            [step / len(demo) for step, demo in zip(self.steps, self.demos, strict=True)]
        )
        number = int(rng.choice(len(left), p=left / left.sum()))
        demo, frontier = self.demos[number], self.steps[number]
        step = min(frontier + int(rng.choice(len(_BEYOND), p=_BEYOND)), len(demo) - 1)
        return EpisodeTask(
            start=start_in(demo, step, self.goal),
            max_steps=len(demo) - step + _EXTRA_STEPS,
            label=(number, step),
        )

    def observe(self, task: EpisodeTask, episode: Episode) -> None:
        """Move a frontier back if enough episodes from it have succeeded in a row."""
        if task.label is None:
            return
        number, step = task.label
        # One asked for before the frontier moved says nothing of where it is now.
        if step != self.steps[number]:
            return
        self._successes[number] = self._successes[number] + 1 if episode.success else 0
        if self._successes[number] == _SUCCESSES:
            self._successes[number] = 0
            self.steps[number] = max(0, step - max(1, round(len(self.demos[number]) / _MOVES)))

    def state(self) -> dict[str, list[int]]:
        """Return the frontiers, and how many episodes have succeeded from each in a row."""
        return {"steps": [*self.steps], "successes": [*self._successes]}

    def restore(self, state: Any) -> None:
        """Continue from what ``state`` returned.

        Raises:
            ValueError: if it is of other demonstrations.
        """
        numbers = build(dict[str, list[int]], state, "tasks")
        steps, successes = numbers.get("steps", []), numbers.get("successes", [])
        ends = [len(demo) for demo in self.demos]
        fits = len(steps) == len(successes) == len(ends) and all(
            0 <= step < end and 0 <= count < _SUCCESSES
            for step, count, end in zip(steps, successes, ends, strict=True)
        )
        if not fits:
            raise ValueError(f"frontiers {steps} of demonstrations of {ends} steps")
        self.steps, self._successes = steps, successes
