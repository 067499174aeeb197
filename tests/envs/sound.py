"""Small goal environments for tests without a defect, from which the others are made."""

import math

import numpy as np

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


# Rewards of the goals alone.


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


class Blind(Reach):
    """What is achieved is not observed."""

    def _observe(self):
        state = super()._observe()
        return {**state, "observation": np.array([self._steps / 30.0, 0.0])}


class Silent(Reach):
    """Success is shown by the reward alone."""

    def step(self, action):
        return *super().step(action)[:-1], {}


class GridReward(Reach):
    """A reward that is looked up in a table, which has no entry for goals far away."""

    table = np.eye(5) - 1.0

    def compute_reward(self, achieved_goal, desired_goal, info):
        cells = [np.int64(2.0 + 2.0 * np.asarray(g)[..., 0]) for g in (achieved_goal, desired_goal)]
        return self.table[cells[0], cells[1]]


class Declared(Dense):
    """Says everything that could be detected, and more."""

    reward_range = (-3.0, 0.0)
    success_terminates = False
    reward_info_keys = ()


# Rewards that read ``info``.


class Force(Reach):
    """Sound: a step is rewarded only where it used little force, which ``info`` says."""

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
