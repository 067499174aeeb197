"""Environments as users pass them: classes, functions, wrappers and objects."""

import threading
import time
import uuid

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs
from gymnasium.wrappers import TimeLimit

from headstart.envs.toy import PointReach


class Sized(PointReach):
    """Has an argument, and attributes that differ from object to object, or count."""

    def __init__(self, size=0.5):
        super().__init__()
        self.size = size
        self.made, self.number, self.resets = time.time(), uuid.uuid4().hex, 0

    def reset(self, **options):
        self.resets += 1
        return super().reset(**options)


class Limited(Sized):
    """Has an argument of the name that sets a time limit."""

    def __init__(self, max_episode_steps=3):
        super().__init__(size=max_episode_steps)


class Locked(Sized):
    """Has a part that belongs to its process."""

    def __init__(self):
        super().__init__()
        self.lock = threading.Lock()


class Plain(gym.Wrapper):
    """A wrapper that Gymnasium does not build again."""


class Recorded(gym.Wrapper, RecordConstructorArgs):
    """A wrapper that Gymnasium builds again."""

    def __init__(self, env, factor=1):
        RecordConstructorArgs.__init__(self, factor=factor)
        super().__init__(env)
        self.factor = factor


class Old:
    """No environment of Gymnasium."""

    def reset(self):
        return {}

    def step(self, action):
        return {}, 0.0, True, {}


def sized(size=0.5, limit=7):
    return TimeLimit(Sized(size), limit)


def old():
    return Old()


gym.register("Sized-v0", Sized, max_episode_steps=20)
gym.register("Sized-v1", Sized, max_episode_steps=21, kwargs={"size": 0.25})
gym.register(
    "SizedAndRecorded-v0",
    Sized,
    max_episode_steps=20,
    additional_wrappers=(Recorded.wrapper_spec(factor=3),),
)
