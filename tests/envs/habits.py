"""Goal environments with habits of those that people write; ``envs.habits:Name-v0``.

Some are sound, some are not, and each is to be called what it is.
"""

import gymnasium as gym
import numpy as np
from envs.ends import SaysItEnds
from envs.sound import Dense, Reach, distance
from gymnasium import wrappers

# What decides an episode.


class Remembering(Reach):
    """Starts a little towards where the episode before ended, as some simulators do."""

    def reset(self, *, seed=None, options=None):
        end = self._position.copy()
        super().reset(seed=seed)
        self._position = self._position + 1e-7 * end
        return self._observe(), {}


class DrawnWhenBuilt(Reach):
    """A step size that no seed decides."""

    def __init__(self):
        super().__init__()
        self.step_size = np.random.default_rng().uniform(0.05, 0.1)


class Shared(Reach):
    """Keeps its wind in the module, as calls to PyBullet without physicsClientId do."""

    world = {"wind": 0.0}  # noqa: RUF012

    def reset(self, *, seed=None, options=None):
        self.world["wind"] = 0.0
        return super().reset(seed=seed)

    def step(self, action):
        self.world["wind"] += 0.01
        return super().step(np.asarray(action) + self.world["wind"])


class OnlyOne(Reach):
    """A simulator that can be opened once."""

    is_open = False

    def __init__(self):
        super().__init__()
        if OnlyOne.is_open:
            raise RuntimeError("port 2000 is taken")
        OnlyOne.is_open = True

    def close(self):
        OnlyOne.is_open = False


class Deaf(Reach):
    """Moves on its own."""

    def step(self, action):
        return super().step(self.np_random.uniform(-1.0, 1.0, 2))


class SameStart(Reach):
    """Seeds itself in reset, as scripts do."""

    def reset(self, *, seed=None, options=None):
        return super().reset(seed=0)


class GlobalSeed(Reach):
    """Draws from the generator of all modules, after seeding it."""

    def reset(self, *, seed=None, options=None):
        np.random.seed(seed)  # noqa: NPY002
        return super().reset(seed=seed)

    def step(self, action):
        return super().step(np.asarray(action) + np.random.normal(0.0, 0.1, 2))  # noqa: NPY002


class ResetsItself(Reach):
    """Returns the first state of the next episode where one ends."""

    success_terminates = True

    def step(self, action):
        observation, reward, *_, info = super().step(action)
        if info["is_success"]:
            observation, _ = super().reset()
        return observation, reward, info["is_success"], False, info


class Reuses(Reach):
    """Sound: writes to the arrays and the action that it was given, and returns its own."""

    def __init__(self):
        super().__init__()
        self._shown = {key: np.zeros(2) for key in self.observation_space}

    def _observe(self):
        for key, array in super()._observe().items():
            self._shown[key][:] = array
        return self._shown

    def step(self, action):
        action *= 0.5
        result = super().step(action)
        action[:] = np.nan
        return result


class Noise(gym.ObservationWrapper):
    """Sensor noise of the environment's own generator."""

    keys = ("observation",)
    rng = None

    def observation(self, observation):
        rng = self.rng or self.np_random
        noise = {key: observation[key] + rng.normal(0.0, 0.05, 2) for key in self.keys}
        return {**observation, **noise}


class UnseededNoise(Noise):
    rng = np.random.default_rng()


class NoisyGoals(Noise):
    keys = ("desired_goal",)


class NoisyPlaces(Noise):
    keys = ("achieved_goal",)


# What steps pay.


class Dice(Reach):
    """A reward that is drawn."""

    def compute_reward(self, achieved_goal, desired_goal, info):
        reward = super().compute_reward(achieved_goal, desired_goal, info)
        return reward * self.np_random.uniform(0.5, 1.0)


class Obstacle(Reach):
    """A penalty that step alone knows."""

    def step(self, action):
        observation, reward, *rest = super().step(action)
        return observation, reward - 5.0 * (np.linalg.norm(self._position) < 0.4), *rest


class Progress(Reach):
    """Pays the way that was made since it was asked last."""

    last = 0.0

    def compute_reward(self, achieved_goal, desired_goal, info):
        away = distance(achieved_goal, desired_goal)
        self.last, before = away, self.last
        return before - away


class MinusOne(SaysItEnds):
    """Sound: -1 a step, at the goal too, which ends the episode."""

    reward_range = (-1.0, -1.0)

    def compute_reward(self, achieved_goal, desired_goal, info):
        return np.full(np.shape(achieved_goal)[:-1], -1.0)

    def step(self, action):
        observation, reward, *_ = super().step(action)
        reached = self.compute_terminated(self._position, self._goal, {})
        return observation, reward, reached, False, {"is_success": reached}


class InfoReward(Reach):
    """Pays what ``info`` says of the goal of the episode."""

    def step(self, action):
        *result, info = super().step(action)
        result[1] = float(info["is_success"]) - 1.0
        return *result, info

    def compute_reward(self, achieved_goal, desired_goal, info):
        if "is_success" in info:
            return np.asarray(info["is_success"], float) - 1.0
        return super().compute_reward(achieved_goal, desired_goal, info)


class HoldThree(Reach):
    """Sound: a success takes three steps at the goal."""

    held = 0

    def step(self, action):
        observation, reward, *rest = super().step(action)
        self.held = self.held + 1 if reward == 0.0 and self._steps > 1 else int(reward == 0.0)
        return observation, reward, *rest[:-1], {"is_success": self.held >= 3}


class Always(Reach):
    """Goals so wide that every step reaches them."""

    threshold = 10.0


class Penalised(Reach):
    """Pays least at the goal."""

    best = -1.0

    def compute_reward(self, achieved_goal, desired_goal, info):
        return -1.0 - super().compute_reward(achieved_goal, desired_goal, info)


class LateSuccess(Reach):
    """Success as it was one step before."""

    previous = False

    def step(self, action):
        *result, info = super().step(action)
        self.previous, before = info["is_success"], self.previous
        return *result, {"is_success": before}


class TwoSuccesses(Reach):
    """A success for each of two parts."""

    def step(self, action):
        *result, info = super().step(action)
        return *result, {"is_success": np.array([info["is_success"], True])}


class WordOfSuccess(Reach):
    def step(self, action):
        *result, info = super().step(action)
        return *result, {"is_success": str(info["is_success"])}


class SuccessAsArray(Reach):
    """Sound: an array of one number."""

    def step(self, action):
        *result, info = super().step(action)
        return *result, {"is_success": np.array([float(info["is_success"])])}


# What ends an episode.


class EndsAtTimes(Reach):
    """Ends at its goal in the right half alone."""

    def step(self, action):
        observation, reward, *_, info = super().step(action)
        return observation, reward, bool(reward == 0.0 and self._position[0] > 0.0), False, info


class EndsDense(Dense):
    """Ends at its goal, of which the reward says nothing."""

    def step(self, action):
        *result, info = super().step(action)
        result[2] = bool(info["is_success"])
        return *result, info


class TimedOut(Reach):
    """Calls its time limit an end, as environments did before there was truncation."""

    def step(self, action):
        *result, info = super().step(action)
        result[2] = self._steps == 30
        return *result, info


class OldRange(Reach):
    """A range that belongs to another reward."""

    reward_range = (0, 1)


KINDS = (
    Remembering, DrawnWhenBuilt, Shared, OnlyOne, Deaf, SameStart, Reuses, Dice, Obstacle, Progress,
    MinusOne, Penalised, LateSuccess, TwoSuccesses, WordOfSuccess, SuccessAsArray, OldRange,
    EndsAtTimes, EndsDense, TimedOut, InfoReward, HoldThree, Always, GlobalSeed, ResetsItself,
)  # fmt: skip
WRAPPED = {
    "Noisy": lambda: Noise(Reach()),
    "NoisyUnseeded": lambda: UnseededNoise(Reach()),
    "NoisyGoal": lambda: NoisyGoals(Reach()),
    "NoisyPlace": lambda: NoisyPlaces(Reach()),
    "Sticky": lambda: wrappers.StickyAction(Reach(), 0.25),
    "Scaled": lambda: wrappers.TransformReward(Noise(Reach()), lambda reward: 10.0 * reward),
    "Rescaled": lambda: wrappers.RescaleAction(Reach(), np.float32(-2.0), np.float32(2.0)),
}
NAMES = {**{kind.__name__: kind for kind in KINDS}, **WRAPPED}
for name, kind in NAMES.items():
    gym.register(f"{name}-v0", kind, max_episode_steps=30)
gym.register("OwnLimit-v0", lambda: wrappers.TimeLimit(Reach(), 12))

# Name, what is said, what to do; nothing is said of those that are sound.
HABITS = [
    ("Reuses", None, None),
    ("SuccessAsArray", None, None),
    ("MinusOne", None, None),
    ("Noisy", None, None),
    ("Rescaled", None, None),
    ("Remembering", "an episode depends on what ran before it: with the same seed and actions, obs",
     "let reset set back all that step changes"),
    ("DrawnWhenBuilt", "an environment that is built again goes another way", "draw in reset"),
    ("Shared", "two environments in one process disturb each other", "keep all state in self"),
    ("OnlyOne", "it cannot be built a second time while the first is open, as training does (Runt",
     "port 2000 is taken"),
    ("Deaf", "actions change nothing", "are the same for 30 steps"),
    ("NoisyUnseeded", "two episodes with the same seed and actions differ: observation[0] is",
     "draw everything from self.np_random"),
    ("NoisyGoal", "the goal changes within an episode, at step 1", "set a new goal in reset alone"),
    ("NoisyPlace", "compute_reward disagrees with step", "the wrapper NoisyPlaces changes"),
    ("Dice", "compute_reward answers the same question differently when it is asked again",
     "draw no random numbers"),
    ("Obstacle", "compute_reward disagrees with step", "let step return compute_reward("),
    ("Progress", "compute_reward answers the same question differently when it is asked again",
     "keep nothing of what it was asked before"),
    ("Scaled", "compute_reward disagrees with step", "the wrapper TransformReward changes"),
    ("Penalised", "steps that succeed, by info['is_success'], are paid less than others",
     "let compute_reward pay most at the goal"),
    ("LateSuccess", "info['is_success'] calls", "let both use one threshold"),
    ("InfoReward", "compute_reward says the same whatever goals it is given", "not from info"),
    ("GlobalSeed", "two environments in one process disturb each other", "in self.np_random"),
    ("ResetsItself", "the goal changes with the step that ends an episode", "the state that the"),
    ("TwoSuccesses", "info['is_success'] is an array of shape (2,)", "let it be True or False"),
    ("WordOfSuccess", "info['is_success'] is 'False'", "let it be True or False"),
    ("OldRange", "a reward of -1 lies outside of the declared reward_range (0, 1)", "or none"),
]  # fmt: skip
