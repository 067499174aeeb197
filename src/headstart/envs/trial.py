"""Episodes of an environment that is tried, recorded in full precision and compared."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from headstart.envs import probe
from headstart.envs.interface import GOAL_KEYS, reset_env, step_env
from headstart.envs.reward_facts import find_declared_end
from headstart.envs.task import TaskConfig

# Random steps reach few goals; of many starts, some lie near theirs.
_LENGTHS = (*[60] * 2, *[3] * 100)
_LONGEST = 100
_REPEATED = 30  # steps of episodes that are run again

Between = Callable[[Mapping[str, Any], Mapping[str, Any]], None]


@dataclass
class Recording:
    """One episode of at most as many steps as were asked for."""

    states: list[dict[str, NDArray[Any]]] = field(default_factory=list)  # T + 1
    rewards: list[float] = field(default_factory=list)  # T, like the others
    terminated: list[bool] = field(default_factory=list)
    truncated: list[bool] = field(default_factory=list)
    infos: list[Mapping[str, Any]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.rewards)

    @property
    def shows_next(self) -> bool:
        """Whether its end came with a new goal, as where an environment resets itself."""
        ended = self.terminated[-1] or self.truncated[-1]
        return ended and self.moved_goals[:1] == [len(self)]

    @property
    def moved_goals(self) -> list[int]:
        """The states, by number of steps, whose goal is not that of the start."""
        goals = [state["desired_goal"] for state in self.states]
        return [step for step, goal in enumerate(goals) if not np.array_equal(goal, goals[0])]


@dataclass(frozen=True)
class Trial:
    """An environment and what it did in some episodes."""

    env: gym.Env[Any, Any]
    build: Callable[[], gym.Env[Any, Any]]
    """Builds the same environment again."""
    episodes: Sequence[Recording]
    task: TaskConfig
    """What is declared of it from outside."""

    @classmethod
    def of(cls, build: Callable[[], gym.Env[Any, Any]], task: TaskConfig) -> "Trial":
        """Build an environment and run episodes in it.

        Raises:
            InputError: if what the environment answers is not of the shape it promises, or not
                finite.
        """
        env = build()
        assert env.spec is not None
        # One of them up to its time limit, where that is not far.
        first = min(env.spec.max_episode_steps or _LONGEST, _LONGEST)
        lengths = enumerate([first, *_LENGTHS])
        return cls(env, build, [record(env, seed, length) for seed, length in lengths], task)

    @cached_property
    def at_goals(self) -> NDArray[np.float64]:
        """The reward of each of ``steps`` had it led to its goal."""
        goals = self.steps.desired_goals
        return probe.rewards_of(self.env, goals, goals, self.steps.infos)

    @property
    def declared_end(self) -> bool | None:
        """Whether it is declared that goals end episodes; ``None`` if nothing is declared."""
        return find_declared_end(self.env, self.task)

    @cached_property
    def places(self) -> list[tuple[int, int]]:
        """Of each of ``steps`` the number of its episode and its own in there.

        A step that shows the state after a reset instead of its own is not among them.
        """
        lengths = [len(episode) - episode.shows_next for episode in self.episodes]
        if not any(lengths):
            lengths = [len(episode) for episode in self.episodes]
        return [(number, step) for number, end in enumerate(lengths) for step in range(end)]

    @cached_property
    def steps(self) -> probe.Probe:
        """The steps of all episodes, in the form in which they are probed."""
        rows = [(self.episodes[number], step) for number, step in self.places]
        after = [ep.states[step + 1] for ep, step in rows]
        return probe.Probe(
            np.array([probe.joined(ep.states[step]) for ep, step in rows]),
            np.array([state["observation"] for state in after]),
            np.array([state["achieved_goal"] for state in after]),
            np.array([ep.states[step]["desired_goal"] for ep, step in rows]),
            np.array([ep.rewards[step] for ep, step in rows], float),
            np.array([ep.terminated[step] for ep, step in rows]),
            [ep.infos[step] for ep, step in rows],
        )


def record(
    env: gym.Env[Any, Any],
    seed: int,
    length: int = _REPEATED,
    *,
    actions: int | None = None,
    between: Between | None = None,
) -> Recording:
    """Run an episode with random actions and fixed seeds.

    Args:
        env: the environment.
        seed: of the reset.
        length: how many steps at most.
        actions: the seed of the actions; that of the reset by default.
        between: called after each step but the last one, with its state and ``info``.

    Raises:
        InputError: if what the environment answers is not of the shape it promises, or not finite.
    """
    rng = np.random.default_rng(seed if actions is None else actions)
    low, high = env.action_space.low, env.action_space.high  # type: ignore[attr-defined]
    recording = Recording()
    state, _ = reset_env(env, seed)
    recording.states.append(_copy(env, state))
    for _ in range(length):
        action = rng.uniform(low, high).astype(env.action_space.dtype)
        state, reward, terminated, truncated, info = step_env(env, action)
        recording.states.append(_copy(env, state))
        recording.rewards.append(probe.one_number(env, "the reward of step", reward))
        recording.terminated.append(terminated)
        recording.truncated.append(truncated)
        recording.infos.append(dict(info))
        if terminated or truncated:
            break
        if between is not None:
            between(recording.states[-1], info)
    return recording


def difference(first: Recording, second: Recording) -> str | None:
    """Return where two episodes of the same seed and actions differ first; ``None`` if nowhere."""
    for step, (one, other) in enumerate(zip(first.states, second.states, strict=False)):
        for key in GOAL_KEYS:
            unlike = np.flatnonzero(one[key] != other[key])
            if len(unlike):
                entry = unlike[0]
                values = f"{one[key][entry]:.9g} and {other[key][entry]:.9g}"
                return f"{key}[{entry}] is {values} {_when(step)}"
    if len(first) != len(second):
        shorter = min(len(first), len(second))
        return f"one ends {_when(shorter)} and the other does not"
    return None


def _when(step: int) -> str:
    return f"after step {step}" if step else "after the reset"


def _copy(env: gym.Env[Any, Any], state: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    probe.check_state(env, state)
    return {key: np.array(state[key]) for key in GOAL_KEYS}
