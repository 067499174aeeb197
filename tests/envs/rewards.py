"""Small goal environments for tests whose rewards are slow, strange or wrong."""

import math

import numpy as np
from envs.sound import Dense, Force, Levels, Reach, Silent, distance

from headstart.envs.toy import PointReach

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

    def step(self, action):
        *result, _ = super().step(action)
        return *result, {"is_success": bool(distance(self._position, self._goal) < self.threshold)}


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


class LevelsSilent(Levels, Silent):
    """Sound: no word of success, which the reward of a region around the goal shows."""

    def step(self, action):
        return *super().step(action)[:-1], {}


class DenseToldAtEnd(Dense):
    """Sound: a dense reward, and a word of success with the last step alone."""

    def step(self, action):
        *result, info = super().step(action)
        return *result, info if self._steps == 30 else {}


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


class Bumpy(Reach):
    """A penalty that step alone knows, in a place that random steps rarely reach."""

    def step(self, action):
        observation, reward, *rest = super().step(action)
        hit = np.linalg.norm(self._position - 0.5) < 0.2
        return observation, reward - 5.0 * float(hit), *rest


class Swamp(Reach):
    """Sound: a place that costs, which random steps rarely reach."""

    def compute_reward(self, achieved_goal, desired_goal, info):
        reward = super().compute_reward(achieved_goal, desired_goal, info)
        sinking = distance(achieved_goal, np.array([-0.8, -0.8])) < 0.2
        away = distance(desired_goal, np.array([-0.8, -0.8])) > 1.0
        return np.where(sinking & away, -8.0, reward)


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
        self._position = np.clip(self._position + self.step_size * np.asarray(action), -1.0, 1.0)
        return self._observe(), 0.0, False, False, {"is_success": False}


class RewardNotANumber(Reach):
    """A reward that is NaN at the goal itself."""

    def compute_reward(self, achieved_goal, desired_goal, info):
        away = distance(achieved_goal, desired_goal)
        with np.errstate(invalid="ignore"):
            return -away / away


# Rewards that read of ``info`` what cannot be kept.


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
