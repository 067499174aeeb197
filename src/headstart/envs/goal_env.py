"""The goal-environment contract: what it asks, what a given env answers, and its reward in bulk."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from headstart.data.hindsight import one_number_a_row
from headstart.data.layout import StateLayout
from headstart.envs import interface, probe, reward_facts
from headstart.envs.interface import GOAL_KEYS, check_methods, env_name, layers, truth
from headstart.envs.reward_facts import RewardUnits
from headstart.envs.task import TaskConfig
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
    """What the rest of the library needs to know of an environment."""

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
    declares_range: bool = False  # whether reward_range was declared, and not detected
    asks_terminated: bool = False  # whether compute_terminated answers for any goal
    vectorized_ends: bool = False  # whether it takes many goals at once
    layout: StateLayout = field(default_factory=StateLayout)  # what is known of the state
    observes_goal: bool = True  # whether the observation holds the achieved goal
    adds_unexplained: bool = False  # whether episodes keep what compute_reward does not explain

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
        success_needed: bool = True,
    ) -> "GoalSpec":
        """Read the spaces of an env that ``check_goal_env`` accepts, and try some steps in it.

        What ``task`` declares counts first, then what the env declares in the attributes
        ``reward_range``, ``success_terminates`` and ``reward_info_keys``; the rest is detected.

        Raises:
            InputError: if ``compute_reward`` contradicts the rewards of ``step``, depends on the
                running episode, or reads of ``info`` what cannot be kept; or if
                ``success_needed`` and nothing tells it.
        """
        task = task or TaskConfig()
        assert isinstance(env.observation_space, spaces.Dict)
        assert isinstance(env.action_space, spaces.Box)
        assert env.spec is not None
        assert env.spec.max_episode_steps is not None
        steps = probe.take_steps(env)
        keys = probe.keys_read(env, steps)
        if task.unexplained_reward == "refuse":
            for _, stepped, computed in probe.disagreements(env, steps):
                raise InputError(
                    f"{env.spec.id}: step paid {stepped:g} where compute_reward says "
                    f"{computed:g}, so hindsight would teach another task: {EXPLAIN_REWARD}"
                )
        reward_facts.check_purity(env, steps)
        if success_needed and not tells_success(env, steps):
            raise InputError(f"{env.spec.id}: {SUCCESS_UNTOLD}")
        width = widths(env)
        terminates, asked = _ends_at_goal(env, steps, task.success_terminates)
        return cls(
            env_id=env.spec.id,
            observation_dim=width["observation"],
            goal_dim=width["goal"],
            action_low=tuple(env.action_space.low.tolist()),
            action_high=tuple(env.action_space.high.tolist()),
            max_episode_steps=env.spec.max_episode_steps,
            reward_range=reward_facts.reward_range(env, steps, task.reward_range),
            terminates=terminates,
            vectorized=probe.is_vectorized(env, steps, keys),
            reward_info_keys=keys,
            reward_units=reward_facts.reward_units(env, steps),
            declares_range=reward_facts.is_declared(env, task.reward_range),
            asks_terminated=asked,
            vectorized_ends=asked and reward_facts.ends_in_bulk(env, steps, keys),
            observes_goal=probe.observes_goal(steps),
            adds_unexplained=task.unexplained_reward == "add",
        )


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


def check_goal_env(env: gym.Env[Any, Any], env_id: str | None = None) -> None:
    """Refuse, by name, an environment that does not keep the goal contract.

    Args:
        env: the environment.
        env_id: the id that it was built from, if it is not its own.

    Raises:
        InputError: if a key, ``compute_reward``, a bounded continuous action or a time limit is
            missing.
    """
    name = env_name(env)
    space = env.observation_space
    if type(space).__module__.startswith("gym."):
        raise InputError(f"{name}: its spaces are those of gym, take gymnasium.spaces")
    if not isinstance(space, spaces.Dict) or not set(GOAL_KEYS) <= set(space.spaces):
        raise InputError(
            f"{name} is not a goal environment: its observation is no Dict with the keys "
            f"{', '.join(GOAL_KEYS)}"
        )
    for key in GOAL_KEYS:
        if not isinstance(space[key], spaces.Box) or len(space[key].shape or ()) != 1:
            raise InputError(f"{name}: {key} must be a flat vector (Box), got {space[key]}")
    if space["achieved_goal"].shape != space["desired_goal"].shape:
        raise InputError(
            f"{name}: achieved_goal {space['achieved_goal'].shape} and desired_goal "
            f"{space['desired_goal'].shape} must have the same shape"
        )
    if not env.has_wrapper_attr("compute_reward"):
        raise InputError(f"{name} is not a goal environment: it has no compute_reward method")
    check_methods(env)
    _check_actions(env)
    if env.spec is None or env.spec.max_episode_steps is None:
        raise InputError(
            f"{name} has no time limit: append one to the id, as in "
            f"{env_id or name},max_episode_steps=100, or register it with one"
        )


def _check_actions(env: gym.Env[Any, Any]) -> None:
    name, actions = env_name(env), env.action_space
    shown = " ".join(str(actions).split())  # bounds of many dimensions take many lines
    if not isinstance(actions, spaces.Box) or actions.dtype.kind != "f":
        raise InputError(f"{name}: actions must be continuous and bounded (Box), got {shown}")
    if not actions.is_bounded():
        clipped = any(isinstance(layer, gym.wrappers.ClipAction) for layer in layers(env))
        hint = (
            "leave out the wrapper ClipAction, which hides the bounds; actions stay inside them"
            if clipped
            else "wrap it in gymnasium.wrappers.TransformAction(env, lambda action: action, "
            "gymnasium.spaces.Box(low, high)) with the bounds that make sense"
        )
        raise InputError(
            f"{name}: actions must be continuous and bounded (Box), got {shown}; {hint}"
        )
    if len(actions.shape) != 1 or not (actions.low < actions.high).all():
        raise InputError(
            f"{name}: actions must be a flat vector with a range in every dimension, got {shown}"
        )


def widths(env: gym.Env[Any, Any]) -> dict[str, int]:
    """Return the widths of ``observation``, ``goal`` and ``action``, which the spaces tell."""
    assert isinstance(env.observation_space, spaces.Dict)
    parts = {
        "observation": env.observation_space["observation"],
        "goal": env.observation_space["desired_goal"],
        "action": env.action_space,
    }
    return {name: int(np.prod(space.shape or ())) for name, space in parts.items()}


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


def tells_success(env: gym.Env[Any, Any], steps: probe.Probe) -> bool:
    """Return whether it can be told if an episode ends at its goal: by ``info``, or the reward."""
    if any(map(success_key, steps.infos)) or probe.shows_goal(env, steps):
        return True
    assert env.spec is not None
    assert env.spec.max_episode_steps is not None
    # Some tell it with the last step alone, which is the one that counts.
    whole = probe.take_steps(env, [env.spec.max_episode_steps])
    return success_key(whole.infos[-1]) is not None


def _ends_at_goal(
    env: gym.Env[Any, Any], steps: probe.Probe, declared: bool | None
) -> tuple[bool | None, bool]:
    """Return whether reaching the goal ends the episode, and whether compute_terminated says so."""
    name = "success_terminates"
    own = interface.declared(env, name)
    if declared is None and own is not None:
        declared = truth(env, f"the attribute {name}", own)
    if declared is not None:
        return declared, False
    answer = probe.ends_at_goal(env, steps)
    return answer, bool(answer)
