"""A hand that carries blocks to their places, without a simulator, and a demonstrator of it.

The hand moves by 0.05 a step at most. Fingers that close around a block hold it; a block that is
let go falls onto what is below it. Blocks are 0.05 high.
"""

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from headstart import StateLayout

STEP = 0.05
SIZE = 0.05
REACH = 0.015
"""How near to the middle of a block the fingers must close."""


class Carrying(gym.Env):
    """One block or several to be put in their places, each of which may be on top of another.

    Args:
        blocks: how many.
        slips: the share of grasps that fail.
        stacked: whether the places are on top of one another.
    """

    reach = REACH

    def __init__(self, blocks=1, slips=0.0, stacked=False):
        self.blocks, self.slips, self.stacked = blocks, slips, stacked
        self.state_layout = layout(blocks)
        goal = spaces.Box(-np.inf, np.inf, (3 * blocks,), np.float64)
        self.observation_space = spaces.Dict(
            {
                "observation": spaces.Box(-np.inf, np.inf, (4 + 3 * blocks,), np.float64),
                "achieved_goal": goal,
                "desired_goal": goal,
            }
        )
        self.action_space = spaces.Box(-1.0, 1.0, (4,), np.float32)
        self.tasks = []

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        rng = self.np_random
        self.hand, self.open, self.held = np.array([0.0, 0.0, 0.3]), 1.0, -1
        # One to the left of the other, so that the hand finds room around each.
        columns = 0.25 * np.arange(self.blocks)[:, None] * [1.0, 0.0]
        self.places = np.zeros((self.blocks, 3))
        self.places[:, :2] = rng.uniform(-0.1, 0.1, (self.blocks, 2)) + columns
        self.goal = np.zeros((self.blocks, 3))
        self.goal[:, :2] = rng.uniform(-0.1, 0.1, (self.blocks, 2)) + columns + [0.0, 0.4]
        if self.stacked:
            self.goal[:] = self.goal[0]
            self.goal[:, 2] = SIZE * np.arange(self.blocks)
        return self._observe(), {}

    def step(self, action):
        action = np.clip(np.asarray(action, float), -1.0, 1.0)
        self.hand = self.hand + STEP * action[:3]
        self.hand[2] = max(self.hand[2], 0.0)
        self.open = float(np.clip(self.open + 0.5 * np.sign(action[3]), 0.0, 1.0))
        if self.open == 1.0 and self.held >= 0:
            self.places[self.held, 2] = self._ground(self.held)
            self.held = -1
        near = np.linalg.norm(self.places - self.hand, axis=1)
        if action[3] < 0.0 and self.open == 0.5 and self.held < 0 and near.min() < self.reach:
            self.held = -1 if self.np_random.random() < self.slips else int(near.argmin())
        if self.held >= 0:
            self.places[self.held] = self.hand
        success = self._reached(self.places.ravel(), self.goal.ravel())
        reward = self.compute_reward(self.places.ravel(), self.goal.ravel(), {})
        return self._observe(), float(reward), False, False, {"is_success": bool(success)}

    def compute_reward(self, achieved_goal, desired_goal, info):
        return self._reached(achieved_goal, desired_goal).astype(float) - 1.0

    def save_state(self):
        parts = [self.hand, [self.open, self.held], self.places.ravel(), self.goal.ravel()]
        return np.concatenate(parts)

    def restore_state(self, state, desired_goal=None):
        width = 3 * self.blocks
        self.hand, (self.open, held), places, goal = np.split(np.array(state), [3, 5, 5 + width])
        self.open, self.held, self.places = float(self.open), int(held), places.reshape(-1, 3)
        self.goal = (goal if desired_goal is None else np.array(desired_goal, float)).reshape(-1, 3)

    def _reached(self, achieved, desired):
        away = np.reshape(np.asarray(achieved) - desired, (*np.shape(achieved)[:-1], -1, 3))
        return (np.linalg.norm(away, axis=-1) < 0.03).all(axis=-1)

    def _ground(self, block):
        others = np.delete(self.places, block, axis=0)
        aside = np.linalg.norm(others[:, :2] - self.places[block, :2], axis=1) < 0.8 * SIZE
        below = aside & (others[:, 2] < self.places[block, 2])
        return others[below, 2].max() + SIZE if below.any() else 0.0

    def _observe(self):
        return {
            "observation": np.concatenate([self.hand, [self.open], self.places.ravel()]),
            "achieved_goal": self.places.ravel().copy(),
            "desired_goal": self.goal.ravel().copy(),
        }


class Forgetful(Carrying):
    """Its states are not restored."""

    save_state = restore_state = None


def layout(blocks, **changes):
    firsts = range(0, 3 * blocks, 3)
    declared = {
        "positions": (0, *(4 + first for first in firsts)),
        "goal_positions": tuple(firsts),
        "hand": 0,
        "shift_axes": (0, 1),
        "hand_actions": (0, 1, 2),
        "hand_steps": (STEP,) * 3,
        "gripper_action": 3,
    }
    return StateLayout(**{**declared, **changes})


class Demonstrator:
    """Carries one block after another, in phases; ``pace`` is the share of the full speed.

    Blocks are let go at the height ``drop`` above their places.
    """

    def __init__(self, pace=1.0, noise=0.0, drop=0.0):
        self.pace, self.noise, self.drop = pace, noise, drop

    def reset(self, *, seed):
        self.rng, self.block, self.phase, self.waited = np.random.default_rng(seed), 0, 0, 0

    def __call__(self, observation):
        hand = observation["observation"][:3]
        blocks = observation["achieved_goal"].reshape(-1, 3)
        goals = observation["desired_goal"].reshape(-1, 3)
        if self.block == len(blocks):
            return np.array([0.0, 0.0, 0.0, 1.0], np.float32)
        up = np.array([0.0, 0.0, 0.1])
        block, goal = blocks[self.block], goals[self.block]
        targets = [block + up, block, block, hand * [1, 1, 0] + [0, 0, goal[2] + 0.15]]
        above = goal + np.array([0.0, 0.0, self.drop])
        targets += [goal + up, above, above, goal + up]
        target = targets[self.phase]
        gripper = -1.0 if 2 <= self.phase < 6 else 1.0
        way = np.clip((target - hand) / STEP, -1.0, 1.0) * self.pace
        waits = self.phase in (2, 6)
        self.waited += waits
        if self.waited > 2 if waits else np.linalg.norm(target - hand) < 0.005:
            self.phase, self.waited = self.phase + 1, 0
            if self.phase == len(targets):
                self.block, self.phase = self.block + 1, 0
        way += self.noise * self.rng.standard_normal(3)
        return np.append(np.clip(way, -1.0, 1.0), gripper).astype(np.float32)
