"""Algorithms of Stable-Baselines3 with our replay, environments for them, and what they sample."""

from dataclasses import replace

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from stable_baselines3 import DDPG
from stable_baselines3.common.vec_env import DummyVecEnv

import headstart as hs
from headstart.envs.toy import PointReach
from headstart.integrations.sb3 import DemoHerReplayBuffer

POINT, BITS = "PointReach-v0", "BitFlip-v0"
STEPS = 30  # of an episode of PointReach
MARK = 0.75
TILTED = spaces.Box(np.float32([-0.5, 0.0]), np.float32([1.5, 4.0]))


class Changed(PointReach):
    """PointReach with other actions, more to see, or a goal that moves."""

    def __init__(self, action_space=None, camera=False, restless=False):
        super().__init__()
        self.action_space = action_space or self.action_space
        self.restless = restless
        if camera:
            self.observation_space["camera"] = spaces.Box(0.0, 1.0, (3,))

    def step(self, action):
        _, *outcome = super().step(action)
        if self.restless:
            self._goal = self.np_random.uniform(-1.0, 1.0, 2)
        return self._observe(), *outcome


class Priced(PointReach):
    """PointReach whose reward reads of ``info`` what the action costs."""

    def step(self, action):
        cost = float(np.abs(action).sum())
        observation, reward, *outcome, info = super().step(action)
        return observation, reward - cost, *outcome, info | {"cost": cost}

    def compute_reward(self, achieved_goal, desired_goal, info):
        return super().compute_reward(achieved_goal, desired_goal, info) - info.get("cost", 0.0)


gym.register("Priced-v0", entry_point=Priced, max_episode_steps=STEPS)
for name, changes in {
    "Tilted-v0": {"action_space": TILTED},
    "Stepwise-v0": {"action_space": spaces.Discrete(4)},
    "Talkative-v0": {"camera": True},
    "Restless-v0": {"restless": True},
}.items():
    gym.register(name, entry_point=Changed, max_episode_steps=STEPS, kwargs=changes)


def envs(env_id=POINT, count=1, kind=DummyVecEnv):
    return kind([lambda: hs.make_env(env_id)] * count)


def model(env, algorithm=DDPG, *, settings=None, **buffer):
    """An algorithm that only collects, with random actions, unless asked otherwise."""
    defaults = {"buffer_size": 5000, "learning_starts": 10**6, "seed": 0, "device": "cpu"}
    return algorithm(
        "MultiInputPolicy",
        env,
        policy_kwargs={"net_arch": [32, 32]},
        replay_buffer_class=DemoHerReplayBuffer,
        replay_buffer_kwargs=buffer,
        **{**defaults, **(settings or {})},
    )


def rows(learner, count=512):
    """A batch as arrays: observation, action, next observation, done, reward."""
    batch = learner.replay_buffer.sample(count)
    before = {key: value.numpy() for key, value in batch.observations.items()}
    after = {key: value.numpy() for key, value in batch.next_observations.items()}
    assert batch.dones.shape == batch.rewards.shape == (count, 1)
    dones, rewards = batch.dones.numpy()[:, 0], batch.rewards.numpy()[:, 0]
    return before, batch.actions.numpy(), after, dones, rewards


def assert_is_point_reach(learner):
    """Every row is a step of PointReach, rewarded for the goal that it shows."""
    before, action, after, dones, rewards = rows(learner)
    moved = np.clip(before["observation"] + 0.1 * action, -1.0, 1.0)
    np.testing.assert_allclose(after["observation"], moved, atol=1e-6)
    for observation in (before, after):
        assert set(observation) == {"observation", "achieved_goal", "desired_goal"}
        np.testing.assert_array_equal(observation["observation"], observation["achieved_goal"])
    np.testing.assert_array_equal(before["desired_goal"], after["desired_goal"])
    expected = PointReach().compute_reward(after["achieved_goal"], after["desired_goal"], {})
    np.testing.assert_array_equal(rewards, expected)
    assert not dones.any()


def mark_demos(demos):
    """Demonstrations that differ from experience."""
    return hs.DemoSet(
        POINT,
        tuple(
            replace(episode, observations=np.full_like(episode.observations, MARK))
            for episode in demos.episodes
        ),
    )


def demo_rows(learner, count):
    return int((rows(learner, count)[0]["observation"] == MARK).all(axis=1).sum())
