"""A script of a user's: run by the tests from another directory, with collectors.

Everything here is defined or registered in the script itself, or in a module beside it. Prints one
line for each environment: what it is called, and whether collectors give the episodes that this
process gives.
"""

import sys

import beside
import gymnasium as gym
import numpy as np
from gymnasium.utils import RecordConstructorArgs
from gymnasium.wrappers import TimeLimit

from headstart.envs.make import env_source
from headstart.envs.toy import PointReach
from headstart.rollout.executors import ProcessExecutor, SerialExecutor
from headstart.rollout.job import EpisodeJob


class Own(PointReach):
    def __init__(self, pull=0.0):
        super().__init__()
        self.pull = pull

    def step(self, action):
        return super().step(np.asarray(action) * (1.0 - self.pull))


class Halved(gym.ActionWrapper, RecordConstructorArgs):
    def __init__(self, env, factor):
        RecordConstructorArgs.__init__(self, factor=factor)
        super().__init__(env)
        self.factor = factor

    def action(self, action):
        return action * self.factor


gym.register("Class-v0", Own, max_episode_steps=5)
gym.register(
    "Named-v0",
    f"{__name__}:Own",
    max_episode_steps=5,
    additional_wrappers=(Halved.wrapper_spec(factor=0.5),),
)


def make_factory():
    pull = 0.25
    return lambda: TimeLimit(gym.make("Class-v0", pull=pull, max_episode_steps=-1), 5)


class Demonstrator:
    """Remembers."""

    def __init__(self):
        self.steps = 0

    def __call__(self, observation):
        self.steps += 1
        return np.full(2, 0.1 * self.steps, np.float32)


ENVS = {
    "registered": "Class-v0,pull=0.5",
    "by_name": Halved(gym.make("Named-v0"), factor=0.5),
    "factory": make_factory(),
    "object": TimeLimit(Own(0.75), 5),
    "beside": "beside:Beside-v0",
}


def episodes_of(executor):
    with executor:
        jobs = [EpisodeJob(Demonstrator(), 0, "demos", index) for index in range(2)]
        return [pending.result() for pending in executor.submit(jobs)]


for name in sys.argv[1:]:
    source = env_source(ENVS[name])
    serial, collected = SerialExecutor(source), ProcessExecutor(source, 1)
    same = episodes_of(collected) == episodes_of(serial)
    print(source.name, type(source.origin).__name__, same, beside.__name__, flush=True)
