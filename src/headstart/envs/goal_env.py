"""The description of a task, and its reward in bulk."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from headstart.data.goals import GoalComponent, GoalRegions
from headstart.data.hindsight import one_number_a_row
from headstart.data.layout import ComponentLayout, StateLayout
from headstart.data.symmetry import Mirror
from headstart.envs import interface, probe, reward_facts
from headstart.envs.interface import widths
from headstart.envs.layout import Detected, find_layout
from headstart.envs.near_goals import goals_are_near
from headstart.envs.reward_facts import RewardUnits
from headstart.envs.task import TaskConfig
from headstart.envs.task_facts import (
    Camera,
    Facts,
    Origin,
    find_facts,
)
from headstart.errors import InputError

FloatArray = NDArray[np.float32]

SUCCESS_KEYS = ("is_success", "success")
SUCCESS_UNTOLD = (
    "nothing says whether a step reached the goal, and a dense reward does not show it: return "
    "info['is_success'] from step"
)
EXPLAIN_REWARD = (
    "let compute_reward depend on its arguments alone, and step return what it says; or pass "
    "--task.unexplained-reward add, which adds the difference to the reward of every goal, or "
    "ignore, which leaves it out; see `headstart envs check`"
)


@dataclass(frozen=True)
class GoalSpec:
    """The description of a task: all that the rest of the library knows of an environment."""

    env_id: str
    observation_dim: int
    goal_dim: int
    action_low: tuple[float, ...]  # (action_dim,), in the env's own units
    action_high: tuple[float, ...]  # (action_dim,)
    max_episode_steps: int
    reward_range: tuple[float, float]  # of one step; infinite where it has no bound
    # Whether reaching the goal ends the episode; None where nothing says so before it is seen.
    terminates: bool | None
    vectorized: bool = True  # whether compute_reward takes many goals at once
    reward_info_keys: tuple[str, ...] = ()  # what the reward reads besides the goals
    reward_units: RewardUnits = field(default_factory=RewardUnits)
    asks_terminated: bool = False  # whether compute_terminated answers for any goal
    vectorized_ends: bool = False  # whether it takes many goals at once
    observes_goal: bool = True  # whether the observation holds the achieved goal
    goals_near: bool = False  # whether a few random actions go as far as goals are
    adds_unexplained: bool = False  # whether episodes keep what compute_reward does not explain
    success_key: str | None = None  # of info; None where the reward of the goal shows a success
    components: tuple[GoalComponent, ...] = ()  # of a goal that is made of parts
    component_layout: ComponentLayout | None = None  # what says which of them comes next
    regions: GoalRegions | None = None  # of the goal space, in which successes are counted apart
    # What is known of the state: velocities, positions, the axes of shifts, and the hand.
    layout: StateLayout = field(default_factory=StateLayout)
    mirror: Mirror | None = None  # of which mirror_defect says whether the env moves so
    camera: Camera | None = None  # that shows what matters, in MuJoCo's terms
    origins: Mapping[str, Origin] = field(default_factory=dict, compare=False)
    """Where facts come from, by the names of fields; one that is absent comes from nowhere."""

    @property
    def action_dim(self) -> int:
        """Width of an action."""
        return len(self.action_low)

    @property
    def info_dim(self) -> int:
        """Width of what an episode keeps for the reward of each step."""
        return len(self.reward_info_keys) + self.adds_unexplained

    @classmethod
    def from_env(
        cls,
        env: gym.Env[Any, Any],
        task: TaskConfig | None = None,
        *,
        name: str | None = None,
        success_needed: bool = True,
        detect: Detected = "nothing",
    ) -> "GoalSpec":
        """Describe an env that ``check_goal_env`` accepts, after some steps in it.

        What ``task`` declares counts first, then the attributes of the env, see
        ``docs/environments.md``, then the table of known ones; the rest is detected.

        Args:
            env: the environment.
            task: what is declared from outside.
            name: what to call it; its id by default.
            success_needed: whether to refuse an env of which nothing shows a success.
            detect: what of the layout of states to look for where nothing says it.

        Raises:
            InputError: if what is declared does not fit; if ``compute_reward`` contradicts the
                rewards of ``step``, depends on the running episode, or reads of ``info`` what
                cannot be kept; or if ``success_needed`` and nothing shows it.
        """
        task = task or TaskConfig()
        assert isinstance(env.action_space, spaces.Box)
        assert env.spec is not None
        assert env.spec.max_episode_steps is not None
        steps = probe.take_steps(env)
        facts = _find_reward_facts(env, task, steps)
        success = find_success_key(env, steps)
        if success_needed and not success.is_shown:
            raise InputError(f"{env.spec.id}: {SUCCESS_UNTOLD}")
        facts |= {**find_facts(env, task), "layout": find_layout(env, task, detect)}
        values: dict[str, Any] = {key: value for key, (value, _) in facts.items()}
        size = widths(env)
        return cls(
            env_id=name or env.spec.id,
            observation_dim=size["observation"],
            goal_dim=size["goal"],
            action_low=tuple(env.action_space.low.tolist()),
            action_high=tuple(env.action_space.high.tolist()),
            max_episode_steps=env.spec.max_episode_steps,
            observes_goal=probe.observes_goal(steps),
            goals_near=goals_are_near(env, steps),
            adds_unexplained=task.unexplained_reward == "add",
            success_key=success.key,
            origins={key: origin for key, (_, origin) in facts.items() if origin is not None},
            **values,
        )


def _find_reward_facts(env: gym.Env[Any, Any], task: TaskConfig, steps: probe.Probe) -> Facts:
    """Return what a description says of rewards and ends, by the names of its fields.

    Raises:
        InputError: if hindsight could not compute the rewards.
    """
    keys = probe.keys_read(env, steps)
    if task.unexplained_reward == "refuse":
        for _, stepped, computed in probe.disagreements(env, steps):
            raise InputError(
                f"{interface.env_name(env)}: step paid {stepped:g} where compute_reward says "
                f"{computed:g}, so hindsight would teach another task: {EXPLAIN_REWARD}"
            )
    reward_facts.check_purity(env, steps)
    declared_end = reward_facts.find_declared_end(env, task)
    end = probe.ends_at_goal(env, steps) if declared_end is None else declared_end
    asked = declared_end is None and bool(end)

    def found(value: Any, *, declared: bool = False) -> tuple[Any, Origin | None]:
        return value, None if value is None else "declared" if declared else "detected"

    return {
        "terminates": found(end, declared=declared_end is not None),
        "reward_range": found(
            reward_facts.reward_range(env, steps, task.reward_range),
            declared=reward_facts.is_declared(env, task.reward_range),
        ),
        "reward_info_keys": found(
            keys, declared=interface.declared(env, "reward_info_keys") is not None
        ),
        "vectorized": found(probe.is_vectorized(env, steps, keys)),
        "reward_units": found(reward_facts.reward_units(env, steps)),
        "asks_terminated": found(asked),
        "vectorized_ends": found(asked and reward_facts.ends_in_bulk(env, steps, keys)),
    }


class GoalReward:
    """Reward and termination of a goal environment as vector functions of goals.

    Keep the environment for this purpose alone: ``compute_reward`` is not pure everywhere.

    Args:
        env: an environment that ``check_goal_env`` accepts.
        spec: what is known of it; detected by some steps in it by default.

    Attributes:
        terminates: whether reaching the goal ends an episode; ``None`` until that is known.
        reward_range: lowest and highest reward of a step so far as is known.
    """

    def __init__(self, env: gym.Env[Any, Any], spec: GoalSpec | None = None) -> None:
        self.spec = spec or GoalSpec.from_env(env, success_needed=False)
        self.terminates = self.spec.terminates
        self.reward_range = self.spec.reward_range
        self._compute_reward = env.get_wrapper_attr("compute_reward")
        self._compute_terminated = None
        if self.spec.asks_terminated:
            self._compute_terminated = env.get_wrapper_attr("compute_terminated")

    def __call__(
        self,
        achieved_goal: FloatArray,
        desired_goal: FloatArray,
        reward_info: FloatArray | None = None,
    ) -> tuple[FloatArray, FloatArray]:
        """Return reward and terminated, each ``(B,)`` float32.

        Args:
            achieved_goal: ``(B, goal_dim)``.
            desired_goal: ``(B, goal_dim)``.
            reward_info: ``(B, info_dim)``, the values of ``spec.reward_info_keys``, where it has
                any, and last what is added to the reward if ``spec.adds_unexplained``.

        Raises:
            InputError: if the environment's reward is not one finite number a row.
        """
        added: FloatArray = np.zeros(1, np.float32)
        if self.spec.adds_unexplained and reward_info is not None:
            reward_info, added = reward_info[:, :-1], reward_info[:, -1]
        if self.spec.vectorized:
            # Positional on purpose: Fetch calls the second parameter ``goal``.
            columns = {} if reward_info is None else self._columns(reward_info)
            # Copies: a reward that works in place must not spoil the batch, and arithmetic is
            # faster on them than on columns of wider arrays.
            computed = self._compute_reward(achieved_goal.copy(), desired_goal.copy(), columns)
        else:
            rows = self._rows(achieved_goal, desired_goal, reward_info)
            computed = [np.squeeze(self._compute_reward(*row)) for row in rows]
        # Here too, by name, and for those who ask without a sampler, as imports do.
        what = f"compute_reward of {self.spec.env_id} returned rewards"
        reward = one_number_a_row(computed, len(achieved_goal), what)
        if not self.terminates:
            return reward + added, np.zeros(len(reward), np.float32)
        ends = self._ends(achieved_goal, desired_goal, reward_info, reward)
        return reward + added, np.asarray(ends, np.float32)

    def is_best(self, reward: FloatArray) -> NDArray[np.bool_]:
        """Return where a reward, ``(B,)`` and nothing added to it, is that of the goal."""
        units = self.spec.reward_units
        return np.asarray(reward >= units.best - probe.TOLERANCE * units.span)

    def _ends(
        self,
        achieved_goal: FloatArray,
        desired_goal: FloatArray,
        reward_info: FloatArray | None,
        reward: FloatArray,
    ) -> Any:
        """Return whether each row ends its episode at its goal, ``(B,)``."""
        if self._compute_terminated is None:
            return self.is_best(reward)
        if self.spec.vectorized_ends:
            columns = {} if reward_info is None else self._columns(reward_info)
            return self._compute_terminated(achieved_goal.copy(), desired_goal.copy(), columns)
        rows = self._rows(achieved_goal, desired_goal, reward_info)
        return [bool(np.squeeze(self._compute_terminated(*row))) for row in rows]

    def _columns(self, reward_info: FloatArray) -> dict[str, FloatArray]:
        keys = self.spec.reward_info_keys
        return {key: reward_info[:, column] for column, key in enumerate(keys)}

    def _rows(
        self, achieved_goal: FloatArray, desired_goal: FloatArray, reward_info: FloatArray | None
    ) -> Iterator[tuple[FloatArray, FloatArray, Mapping[str, float]]]:
        """Yield what the environment's methods take, row by row, the goals as copies."""
        keys = self.spec.reward_info_keys
        infos = np.zeros((len(achieved_goal), 0)) if reward_info is None else reward_info
        for achieved, desired, info in zip(achieved_goal, desired_goal, infos, strict=True):
            yield achieved.copy(), desired.copy(), dict(zip(keys, info.tolist(), strict=True))


def reaches_goal(
    env: gym.Env[Any, Any], achieved: NDArray[Any], desired: NDArray[Any], info: Mapping[str, Any]
) -> bool:
    """Return whether ``achieved``, ``(goal_dim,)``, is paid no less than the very goal is."""
    compute_reward = env.get_wrapper_attr("compute_reward")
    # Copies: a reward that works in place must not spoil the observation.
    paid, best = (
        np.squeeze(compute_reward(place.copy(), np.array(desired), info))
        for place in (np.asarray(achieved), np.asarray(desired))
    )
    return bool(paid >= best)


def success_key(info: Mapping[str, Any]) -> str | None:
    """Return the key under which a step says whether it reached the goal, if it says so."""
    return next((key for key in SUCCESS_KEYS if key in info), None)


class SuccessKey(NamedTuple):
    """Whether something shows that a step reached its goal, and under which key of ``info``."""

    is_shown: bool
    key: str | None
    """``None`` where the reward of the goal shows it."""


def find_success_key(env: gym.Env[Any, Any], steps: probe.Probe) -> SuccessKey:
    """Return what shows whether an episode ends at its goal: by ``info``, or the reward."""
    key = next(filter(None, map(success_key, steps.infos)), None)
    if key is not None or probe.shows_goal(env, steps):
        return SuccessKey(True, key)
    assert env.spec is not None
    assert env.spec.max_episode_steps is not None
    # Some report it with the last step alone, which is the one that counts.
    whole = probe.take_steps(env, [env.spec.max_episode_steps])
    key = success_key(whole.infos[-1])
    return SuccessKey(key is not None, key)
