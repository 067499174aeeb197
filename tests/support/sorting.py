"""A task without a simulator whose goals have components: blocks to bring home, one by one."""

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from headstart import StateLayout
from headstart.data.layout import ComponentLayout

SORT = "Sort{}-v0"
_REACH, _STEP, _HOME = 0.06, 0.12, 0.05


class Sort(gym.Env):
    """A hand in the plane holds the block that it is at while it is closed."""

    success_terminates = False

    def __init__(self, num_blocks=3):
        self.num_blocks = num_blocks
        blocks = tuple(range(2, 2 + 4 * num_blocks, 4))
        self.goal_components = {
            f"block {number}": slice(2 * number, 2 * number + 2) for number in range(num_blocks)
        }
        self.component_layout = ComponentLayout(firsts=blocks, width=4, distances=(_HOME,))
        self.state_layout = StateLayout(
            positions=(0, *blocks),
            goal_positions=tuple(range(0, 2 * num_blocks, 2)),
            hand=0,
            offsets=blocks,
            shift_axes=(0, 1),
            dim=2,
        )
        goal = spaces.Box(-np.inf, np.inf, (2 * num_blocks,), np.float64)
        self.observation_space = spaces.Dict(
            {
                "observation": spaces.Box(-np.inf, np.inf, (2 + 4 * num_blocks,), np.float64),
                "achieved_goal": goal,
                "desired_goal": goal,
            }
        )
        self.action_space = spaces.Box(-1.0, 1.0, (3,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._hand = self.np_random.uniform(-1.0, 1.0, 2)
        self._blocks, self._homes = self.np_random.uniform(-1.0, 1.0, (2, self.num_blocks, 2))
        return self._observe(), {}

    def step(self, action):
        way = _STEP * np.clip(action[:2], -1.0, 1.0)
        if action[2] > 0.0:
            distances = np.linalg.norm(self._blocks - self._hand, axis=1)
            if distances.min() < _REACH:
                self._blocks[distances.argmin()] += way
        self._hand = self._hand + way
        observation = self._observe()
        reward = float(self.compute_reward(self._blocks.ravel(), self._homes.ravel(), {}))
        return observation, reward, False, False, {"is_success": reward == 0.0}

    def compute_reward(self, achieved_goal, desired_goal, info):
        way = np.asarray(achieved_goal) - desired_goal
        distance = np.linalg.norm(way.reshape(*way.shape[:-1], -1, 2), axis=-1)
        return -np.asarray((distance > 2.0 * _HOME).any(axis=-1), np.float64)

    def _observe(self):
        seen = np.concatenate([self._blocks, self._blocks - self._hand], axis=1)
        return {
            "observation": np.concatenate([self._hand, seen.ravel()]),
            "achieved_goal": self._blocks.ravel().copy(),
            "desired_goal": self._homes.ravel().copy(),
        }


for _count in (1, 2, 3, 4):
    gym.register(
        SORT.format(_count),
        Sort,
        max_episode_steps=35 * _count,
        kwargs={"num_blocks": _count},
    )


def sort(observation):
    """Get to the first block that is not at home, and bring it there."""
    hand = observation["observation"][:2]
    blocks, homes = (observation[name].reshape(-1, 2) for name in ("achieved_goal", "desired_goal"))
    away = np.linalg.norm(homes - blocks, axis=1) > 0.8 * _HOME
    if not away.any():
        return np.array([0.0, 0.0, -1.0], np.float32)
    current = int(np.argmax(away))
    offset = blocks[current] - hand
    held = np.linalg.norm(offset) < 0.7 * _REACH
    way = homes[current] - blocks[current] if held else offset
    return np.append(np.clip(way / _STEP, -1.0, 1.0), 1.0 if held else -1.0).astype(np.float32)
