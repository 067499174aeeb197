"""What the next training episode is: arguments of its environment, its start, its goal."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headstart.data.episode import Episode
from headstart.errors import InputError, require


@dataclass(frozen=True, eq=False)
class Start:
    """Where an episode starts instead of at a reset: in a state that was saved."""

    snapshot: NDArray[np.float64]  # (state_dim,), see ``headstart.envs.snapshot``
    observation: NDArray[np.float32]  # (observation_dim,), what was observed in that state
    achieved_goal: NDArray[np.float32]  # (goal_dim,)
    desired_goal: NDArray[np.float32]  # (goal_dim,), the goal of the episode to come

    @classmethod
    def of(cls, episode: Episode, step: int, desired_goal: ArrayLike | None = None) -> "Start":
        """Return the state of an episode with snapshots before its action number ``step``.

        Args:
            episode: a demonstration, for instance.
            step: from 0 to the episode's length.
            desired_goal: ``(goal_dim,)``; the goal that the episode was run for by default.
        """
        goal = episode.desired_goals[0] if desired_goal is None else desired_goal
        return cls(
            snapshot=episode.snapshots[step],
            observation=episode.observations[step],
            achieved_goal=episode.achieved_goals[step],
            desired_goal=np.asarray(goal, np.float32),
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class EpisodeTask:
    """What an episode is besides its policy; by default what the environment's reset draws.

    Raises:
        InputError: if a value is of another kind, or there are both a start and a goal.
    """

    env_kwargs: Mapping[str, bool | int | float | str] = field(default_factory=dict)
    """Arguments of the environment, besides those that it has; spaces and reward stay as they
    are."""
    reset_options: Mapping[str, Any] | None = None
    """What ``reset(options=...)`` of the environment takes, such as where an object starts: plain
    JSON values. What it takes is the environment's own; most ignore what they do not know."""
    start: Start | None = None
    """Where the episode starts, and for which goal; the env must restore its states."""
    goal: NDArray[np.float32] | None = None
    """The goal, ``(goal_dim,)``, of an episode that starts at a reset; the env must restore its
    states."""
    max_steps: int | None = None
    """After how many steps the episode is cut off; the time limit of the env acts too."""
    label: Any = None
    """What its source wants to know of it afterwards, see ``TaskSource.observe``."""

    def __post_init__(self) -> None:
        kwargs = self.env_kwargs
        is_plain = isinstance(kwargs, Mapping) and all(
            isinstance(name, str) and isinstance(value, bool | int | float | str)
            for name, value in kwargs.items()
        )
        require(is_plain, "env_kwargs of a task must be numbers or text by name", repr(kwargs))
        steps = self.max_steps
        is_count = steps is None or (isinstance(steps, int | np.integer) and steps >= 1)
        require(is_count, "max_steps of a task must be an integer from 1 on", repr(steps))
        if self.reset_options is not None:
            is_dict = isinstance(self.reset_options, Mapping)
            require(is_dict, "reset_options of a task must be a dict", repr(self.reset_options))
            object.__setattr__(self, "reset_options", self.options_of_reset())
        if self.goal is not None:
            require(self.start is None, "a task has a goal, or a start with its goal", "both")
            object.__setattr__(self, "goal", np.asarray(self.goal, np.float32))

    def options_of_reset(self) -> dict[str, Any] | None:
        """Return a copy of ``reset_options``, which an environment may change."""
        if self.reset_options is None:
            return None
        options: dict[str, Any] = _copy_json(
            dict(self.reset_options), "reset_options of a task must be"
        )
        return options


@runtime_checkable
class TaskSource(Protocol):
    """Chooses what each training episode is; evaluation always has the env's own.

    One of your own derives from this class. A run works on a copy. It is the same with any
    executor, and after a resume, if ``task`` depends on its arguments and on ``state`` alone, and
    the state changes in ``task`` and ``observe`` alone.
    """

    def task(self, index: int, env_steps: int, rng: np.random.Generator) -> EpisodeTask:
        """Return what a training episode is.

        Args:
            index: its number, counted from 0.
            env_steps: taken in training so far, by the episodes that are over.
            rng: a stream of this episode alone.
        """

    def observe(self, task: EpisodeTask, episode: Episode) -> None:
        """Learn what came of a task: called in the order of the episodes, those that fail apart.

        The next tasks may have been asked for before.
        """
        return

    def state(self) -> Any:
        """Return all that changes, as plain JSON values; a checkpoint keeps it."""
        return None

    def restore(self, state: Any) -> None:
        """Continue from what ``state`` returned, in another process perhaps.

        Raises:
            ValueError: if it is nothing that ``state`` returns; nothing has changed then.
        """
        if state is not None:
            raise ValueError(f"a state of tasks, of which {type(self).__name__} keeps none")


class OwnResets(TaskSource):
    """Leaves every episode to the reset of the environment."""

    def task(self, index: int, env_steps: int, rng: np.random.Generator) -> EpisodeTask:
        """Return a task that says nothing."""
        return EpisodeTask()


@dataclass(frozen=True)
class TaskFunction(TaskSource):
    """A function that chooses by index, env steps and random stream alone."""

    function: "ChooseTask"

    def task(self, index: int, env_steps: int, rng: np.random.Generator) -> EpisodeTask:
        """Return what the function returns."""
        return self.function(index, env_steps, rng)


ChooseTask = Callable[[int, int, np.random.Generator], EpisodeTask]
TaskSourceLike = TaskSource | ChooseTask
"""A source, or a function with the arguments of ``TaskSource.task``."""


def state_of(source: TaskSource) -> Any:
    """Return a copy of the state of a source, which a checkpoint can keep.

    Raises:
        InputError: if it holds anything but plain JSON values.
    """
    rule = f"task_source {type(source).__name__}: state() must return"
    return _copy_json(source.state(), rule)


def _copy_json(value: Any, rule: str) -> Any:
    """Return a copy of plain JSON values; ``rule`` begins the message on anything else."""
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: _copy_json(inner, rule) for key, inner in value.items()}
    if isinstance(value, list):
        return [_copy_json(inner, rule) for inner in value]
    is_number = isinstance(value, float) and math.isfinite(value)
    if is_number or isinstance(value, str | int | None):
        return value
    raise InputError(
        f"{rule} plain JSON values (dicts, lists, finite numbers, text, None), got "
        f"{type(value).__name__}"
    )
