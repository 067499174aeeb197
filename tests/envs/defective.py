"""Small goal environments for tests: some sound, most with one defect each.

They are registered as ``envs.defective:Name-v0``, with a time limit of 30 steps, and so are those
of ``sound``, ``rewards`` and ``ends``.
"""

import gymnasium as gym
import numpy as np
from envs import ends, rewards, sound
from envs.rewards import RewardVector
from envs.sound import Reach
from gymnasium import spaces

from headstart.data.goals import GoalRegions
from headstart.data.symmetry import Reflection
from headstart.envs.toy import PointReach

# Episodes.


class Unseeded(Reach):
    """Wind from a generator that no seed reaches."""

    def __init__(self):
        super().__init__()
        self._wind = np.random.default_rng()

    def step(self, action):
        return super().step(action + self._wind.normal(0.0, 0.1, 2))


class Tired(Reach):
    """Steps that get shorter for ever: reset forgets to rest."""

    def step(self, action):
        self.step_size = 0.99 * self.step_size
        return super().step(action)


class Growing(Reach):
    """A saved state that gets wider after three steps."""

    def save_state(self):
        return np.append(super().save_state(), [self._steps] if self._steps > 3 else [])

    def restore_state(self, state, desired_goal=None):
        super().restore_state(state[:4], desired_goal)


class Forgetful(Reach):
    """A saved state that leaves out how fast the point has become."""

    def step(self, action):
        self.step_size = 0.1 / self._steps if self._steps else 0.1
        return super().step(action)


class GoalJumps(Reach):
    """Another goal after five steps."""

    def _observe(self):
        goal = self._goal if self._steps < 5 else -self._goal
        return {**super()._observe(), "desired_goal": goal}


class GoalJumpsLeft(Reach):
    """Another goal after five steps, in episodes whose goal lies on the left."""

    def _observe(self):
        jumps = self._steps >= 5 and self._goal[0] < 0.0
        return {**super()._observe(), "desired_goal": -self._goal if jumps else self._goal}


class NotANumber(Reach):
    """NaN in the observation from the twelfth step on."""

    def _observe(self):
        place = self._position.copy() if self._steps < 12 else np.full(2, np.nan)
        return {**super()._observe(), "observation": place}


class NotAGoal(Reach):
    """NaN as a goal."""

    def _observe(self):
        return {**super()._observe(), "desired_goal": np.full(2, np.nan)}


class Misshapen(Reach):
    """An observation of three numbers where the space says two."""

    def _observe(self):
        return {**super()._observe(), "observation": np.zeros(3)}


class WideGoal(Reach):
    """A goal of three numbers where the space says two."""

    def _observe(self):
        return {**super()._observe(), "desired_goal": np.append(self._goal, 0.0)}


class Lacking(Reach):
    """An observation without its goal."""

    def _observe(self):
        return {key: self._position.copy() for key in ("observation", "achieved_goal")}


class Endless(Reach):
    """Episodes without a time limit."""


# Failures.


class Fails(Reach):
    """A step that raises."""

    def step(self, action):
        raise RuntimeError("the motor is off")


class Unbuilt(Reach):
    """A constructor that raises."""

    def __init__(self):
        raise AssertionError


class RewardFails(RewardVector):
    """A reward that raises."""

    def compute_reward(self, achieved_goal, desired_goal, info):
        return -info["no_such_key"]


# Spaces.


class Spaces(Reach):
    """An environment with other spaces; each subclass names what is special about it."""

    parts = {}  # noqa: RUF012
    actions = None

    def __init__(self):
        super().__init__()
        kept = self.observation_space.spaces
        self.observation_space = spaces.Dict({**kept, **self.parts})
        self.action_space = self.actions or self.action_space


class Lopsided(Spaces):
    """Sound: each dimension of the action has bounds of its own, around no zero."""

    threshold = 0.1
    actions = spaces.Box(np.array([-0.1, -2.0], np.float32), np.array([0.3, 5.0], np.float32))

    def step(self, action):
        assert self.action_space.contains(action), action
        low, high = self.action_space.low, self.action_space.high
        return super().step((2.0 * action - high - low) / (high - low))


class LopsidedDouble(Lopsided):
    """Sound: the same bounds in float64. The nearest float32 number to some lies outside."""

    actions = spaces.Box(np.array([-0.1, -2.0]), np.array([0.3, 5.0]), dtype=np.float64)


class Nested(Spaces):
    parts = {"desired_goal": spaces.Dict({"place": spaces.Box(-1.0, 1.0, (2,))})}  # noqa: RUF012


class ImageGoal(Spaces):
    parts = dict.fromkeys(
        ("achieved_goal", "desired_goal"), spaces.Box(0, 255, (8, 8, 3), np.uint8)
    )


class OtherWidths(Spaces):
    parts = {"desired_goal": spaces.Box(-1.0, 1.0, (3,))}  # noqa: RUF012


class Buttons(Spaces):
    actions = spaces.Discrete(4)


# What is declared of the task.


class FalseMirror(Reach):
    state_mirror = Reflection(observation=(1,), goal=(1,))


class IdleComponent(Reach):
    """The reward looks at the first coordinate alone."""

    goal_components = {"x": slice(0, 1), "y": slice(1, 2)}  # noqa: RUF012

    def compute_reward(self, achieved_goal, desired_goal, info):
        away = np.asarray(achieved_goal)[..., 0] - np.asarray(desired_goal)[..., 0]
        return -np.asarray(np.abs(away) > self.threshold, np.float64)


class EmptyRegion(Reach):
    goal_regions = GoalRegions(coordinate=0, threshold=2.0)


class ManyButtons(Spaces):
    actions = spaces.MultiDiscrete([2, 2])


class WholeNumbers(Spaces):
    actions = spaces.Box(-1, 1, (2,), np.int64)


class Unbounded(Spaces):
    actions = spaces.Box(-np.inf, np.inf, (2,))


class ActionMatrix(Spaces):
    actions = spaces.Box(-1.0, 1.0, (2, 2))


class FixedAction(Spaces):
    actions = spaces.Box(np.array([-1.0, 0.0], np.float32), np.array([1.0, 0.0], np.float32))


def _register():
    for name, env in {**vars(sound), **vars(rewards), **vars(ends), **globals()}.items():
        if isinstance(env, type) and issubclass(env, PointReach) and env is not PointReach:
            limit = None if env is Endless else 30
            gym.register(f"{name}-v0", entry_point=env, max_episode_steps=limit)


_register()
