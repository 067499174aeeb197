"""Small goal environments for tests: some sound, most with one defect each.

They are registered as ``envs.defective:Name-v0``, with a time limit of 30 steps.
"""

import math

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from headstart.envs.toy import PointReach


def distance(achieved_goal, desired_goal):
    return np.linalg.norm(np.asarray(achieved_goal) - desired_goal, axis=-1)


class Reach(PointReach):
    """Sound; the goal is so wide that random steps reach it now and then."""

    threshold = 0.5
    best = 0.0

    def reset(self, *, seed=None, options=None):
        self._steps = 0
        return super().reset(seed=seed)

    def step(self, action):
        self._steps += 1
        self._position = np.clip(self._position + self.step_size * np.asarray(action), -1.0, 1.0)
        info = self._info(action)
        reward = float(self.compute_reward(self._position.copy(), self._goal.copy(), info))
        return self._observe(), reward, False, False, {**info, "is_success": reward == self.best}

    def _info(self, action):
        return {}


# Sound rewards.


class ZeroOne(Reach):
    """Reward 1 at the goal and 0 elsewhere, and success under the other key."""

    best = 1.0

    def compute_reward(self, achieved_goal, desired_goal, info):
        return 1.0 + super().compute_reward(achieved_goal, desired_goal, info)

    def step(self, action):
        *result, info = super().step(action)
        return *result, {"success": info["is_success"]}


class Levels(Reach):
    """Three levels of reward."""

    best = 5.0

    def compute_reward(self, achieved_goal, desired_goal, info):
        away = distance(achieved_goal, desired_goal)
        return 5.0 * (away < 0.2) - 2.0 * (away > 1.0)


class Dense(Reach):
    """The negative distance as reward."""

    def compute_reward(self, achieved_goal, desired_goal, info):
        return -distance(achieved_goal, desired_goal)

    def step(self, action):
        *result, _ = super().step(action)
        return *result, {"is_success": result[1] >= -self.threshold}


class Silent(Reach):
    """Success is told by the reward alone."""

    def step(self, action):
        return *super().step(action)[:-1], {}


class GridReward(Reach):
    """A reward that is looked up in a table, which has no entry for goals far away."""

    table = np.eye(5) - 1.0

    def compute_reward(self, achieved_goal, desired_goal, info):
        cells = [np.int64(2.0 + 2.0 * np.asarray(g)[..., 0]) for g in (achieved_goal, desired_goal)]
        return self.table[cells[0], cells[1]]


class Declared(Dense):
    """Says everything that could be found out, and more."""

    reward_range = (-3.0, 0.0)
    success_terminates = False
    reward_info_keys = ()


# Slow or strange rewards.


class OneGoal(Reach):
    """A reward that fails on many goals."""

    def compute_reward(self, achieved_goal, desired_goal, info):
        return 0.0 if math.dist(achieved_goal, desired_goal) <= self.threshold else -1.0


class OneNorm(Reach):
    """A reward that makes one number of many goals."""

    def compute_reward(self, achieved_goal, desired_goal, info):
        if np.linalg.norm(np.asarray(achieved_goal) - desired_goal) <= self.threshold:
            return 0.0
        return -1.0


class Constant(PointReach):
    """A reward that is always the same."""

    def compute_reward(self, achieved_goal, desired_goal, info):
        return np.zeros(np.shape(achieved_goal)[:-1])


class Overshot(Dense):
    """A reward that is best a little beside the goal."""

    threshold = 0.05

    def compute_reward(self, achieved_goal, desired_goal, info):
        return -np.abs(distance(achieved_goal, desired_goal) - 0.5)


# Wrong rewards.


class DenseSilent(Dense, Silent):
    """A dense reward, and no word of success."""

    def step(self, action):
        return *super().step(action)[:-1], {}


class Nudging(Reach):
    """A reward that moves the point."""

    def compute_reward(self, achieved_goal, desired_goal, info):
        self._position = self._position + 1e-3
        return super().compute_reward(achieved_goal, desired_goal, info)


class OwnGoal(PointReach):
    """A reward for the goal of the running episode, whatever goal is asked about."""

    def compute_reward(self, achieved_goal, desired_goal, info):
        return super().compute_reward(achieved_goal, self._goal, info)


class Scribbling(Reach):
    """A reward that writes to the goals it is given."""

    def compute_reward(self, achieved_goal, desired_goal, info):
        achieved_goal -= desired_goal
        return -np.asarray(np.linalg.norm(achieved_goal, axis=-1) > self.threshold, np.float64)


class Costly(Reach):
    """A reward of step that charges for the action as well."""

    def step(self, action):
        observation, reward, *rest = super().step(action)
        return observation, reward - 0.1 * float(np.square(action).sum()), *rest


class Understated(Dense):
    """Declares a range of rewards that is too small."""

    reward_range = (-0.5, 0.0)


class Flatterer(Reach):
    """Every step is a success."""

    def step(self, action):
        return *super().step(action)[:-1], {"is_success": True}


class StepVector(Reach):
    """A reward of step for each dimension of the goal."""

    def step(self, action):
        observation, _, *rest = super().step(action)
        return observation, -np.abs(self._position - self._goal), *rest


class RewardVector(Reach):
    """A computed reward for each dimension of the goal."""

    def compute_reward(self, achieved_goal, desired_goal, info):
        return -np.abs(np.asarray(achieved_goal) - desired_goal)

    def step(self, action):
        return self._observe(), 0.0, False, False, {"is_success": False}


class RewardNotANumber(Reach):
    """A reward that is NaN at the goal itself."""

    def compute_reward(self, achieved_goal, desired_goal, info):
        away = distance(achieved_goal, desired_goal)
        with np.errstate(invalid="ignore"):
            return -away / away


class RewardFails(RewardVector):
    """A reward that raises."""

    def compute_reward(self, achieved_goal, desired_goal, info):
        return -info["no_such_key"]


# Rewards that read ``info``.


class Force(Reach):
    """Sound: a step is rewarded only where it used little force, which ``info`` tells."""

    def compute_reward(self, achieved_goal, desired_goal, info):
        reached = super().compute_reward(achieved_goal, desired_goal, info) == 0.0
        return np.where(reached & (np.asarray(info["force"]) < 1.0), 0.0, -1.0)

    def _info(self, action):
        return {"force": float(np.linalg.norm(action))}


class ForceAtGoal(Force):
    """Sound, if slow: ``info`` is read at the goal alone, and for one goal at a time."""

    threshold = 0.05

    def compute_reward(self, achieved_goal, desired_goal, info):
        if math.dist(achieved_goal, desired_goal) > self.threshold:
            return -1.0
        return 0.0 if info["force"] < 1.0 else -1.0


class Weighted(Reach):
    """Sound: asks ``info`` for what step never gives, and has a default."""

    def compute_reward(self, achieved_goal, desired_goal, info):
        return info.get("weight", 1.0) * super().compute_reward(achieved_goal, desired_goal, info)


class Keys(Force):
    """Sound: declares what the reward reads, and more."""

    reward_info_keys = ("force", "is_success")


class UnknownKey(Force):
    """Declares what step does not give."""

    reward_info_keys = ("power",)


class ForceVector(Force):
    """A reward that reads an array of ``info``."""

    def compute_reward(self, achieved_goal, desired_goal, info):
        force = np.linalg.norm(info["forces"], axis=-1)
        return super().compute_reward(achieved_goal, desired_goal, {"force": force})

    def _info(self, action):
        return {"forces": np.array(action)}


class Phase(Reach):
    """A reward that reads a word of ``info``."""

    def compute_reward(self, achieved_goal, desired_goal, info):
        reward = super().compute_reward(achieved_goal, desired_goal, info)
        return np.where(np.asarray(info["phase"]) == "work", reward, -1.0)

    def _info(self, action):
        return {"phase": "work"}


class ForceAtTimes(Force):
    """A step that leaves out of ``info`` what the reward reads, after twelve steps."""

    def step(self, action):
        *result, info = super().step(action)
        if self._steps > 12:
            del info["force"]
        return *result, info


# Ends.


class StopsSilently(Reach):
    """Success ends the episode, and nothing says so."""

    def step(self, action):
        observation, reward, _, truncated, info = super().step(action)
        return observation, reward, bool(info["is_success"]), truncated, info


class Ending(StopsSilently):
    """Sound: success ends the episode, which is declared."""

    success_terminates = True


class EndingExact(Ending):
    """Sound: the same with a goal that random steps rarely reach."""

    threshold = 0.1


class EndsUnsaid(StopsSilently):
    """Success ends the episode, and ``compute_terminated`` denies it."""

    def compute_terminated(self, achieved_goal, desired_goal, info):
        return False


class EndsDenied(StopsSilently):
    """Success ends the episode, and ``success_terminates`` denies it."""

    success_terminates = False


class OwnEnd(StopsSilently):
    """An end at the goal of the running episode, whatever goal is asked about."""

    def compute_terminated(self, achieved_goal, desired_goal, info):
        return bool(distance(achieved_goal, self._goal) <= self.threshold)


class SaysItEnds(Reach):
    """``compute_terminated`` ends at the goal, and step goes on."""

    def compute_terminated(self, achieved_goal, desired_goal, info):
        return bool(distance(achieved_goal, desired_goal) <= self.threshold)


class NeverEnds(SaysItEnds):
    """Sound: declares what overrules its inherited ``compute_terminated``."""

    success_terminates = False


class GoesOn(Reach):
    """Says that success ends the episode, and step goes on."""

    success_terminates = True


class DenseEnding(Dense):
    """Success ends the episode, which is declared; but a dense reward does not tell where."""

    success_terminates = True

    def step(self, action):
        observation, reward, _, truncated, info = super().step(action)
        return observation, reward, bool(info["is_success"]), truncated, info


class FallingSilently(PointReach):
    """The episode ends at the left wall, whatever the goal."""

    def step(self, action):
        observation, reward, _, truncated, info = super().step(action)
        return observation, reward, bool(self._position[0] <= -1.0), truncated, info


class Falling(FallingSilently):
    """Sound: the same, with a word that it is not the goal that ends it."""

    success_terminates = False


class CliffReach(FallingSilently):
    """Sound: the episode ends at the left wall, and also at the goal."""

    threshold = 0.5

    def step(self, action):
        observation, reward, fell, truncated, info = super().step(action)
        ended = self.compute_terminated(self._position, self._goal, info)
        return observation, reward, fell or ended, truncated, info

    def compute_terminated(self, achieved_goal, desired_goal, info):
        return bool(distance(achieved_goal, desired_goal) <= self.threshold)


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


class Fails(Reach):
    """A step that raises."""

    def step(self, action):
        raise RuntimeError("the motor is off")


class Unbuilt(Reach):
    """A constructor that raises."""

    def __init__(self):
        raise AssertionError


class Endless(Reach):
    """Episodes without a time limit."""


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
    for name, env in globals().items():
        if isinstance(env, type) and issubclass(env, PointReach) and env is not PointReach:
            limit = None if env is Endless else 30
            gym.register(f"{name}-v0", entry_point=env, max_episode_steps=limit)


_register()
