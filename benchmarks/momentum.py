"""Tasks in which it matters how fast things move, and demonstrators of them."""

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from headstart import StateLayout

Observation = Mapping[str, NDArray[Any]]


class Glide(gym.Env[Any, Any]):
    """A puck without friction in the plane: actions accelerate it, and it must stop at its goal.

    Success is to be within 0.05 of the goal, so the puck must be slow there at the last step.
    """

    state_layout = StateLayout(
        velocities=(2, 3), positions=(0,), goal_positions=(0,), shift_axes=(0, 1), dim=2
    )

    def __init__(self) -> None:
        place = spaces.Box(-np.inf, np.inf, (2,), np.float64)
        self.observation_space = spaces.Dict(
            {
                "observation": spaces.Box(-np.inf, np.inf, (4,), np.float64),
                "achieved_goal": place,
                "desired_goal": place,
            }
        )
        self.action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        """Put the puck anywhere, with a small velocity."""
        super().reset(seed=seed)
        self._place, self._goal = self.np_random.uniform(-1.0, 1.0, (2, 2))
        self._speed = self.np_random.uniform(-0.1, 0.1, 2)
        return self._observe(), {}

    def step(self, action: NDArray[Any]) -> Any:
        """Accelerate by up to 0.03 per step and axis."""
        self._speed = self._speed + 0.03 * np.clip(action, -1.0, 1.0)
        self._place = self._place + self._speed
        reward = float(self.compute_reward(self._place, self._goal, {}))
        return self._observe(), reward, False, False, {"is_success": reward == 0.0}

    def compute_reward(
        self, achieved_goal: NDArray[Any], desired_goal: NDArray[Any], info: Any
    ) -> NDArray[np.float64]:
        """Return 0 within 0.05 of the goal and -1 elsewhere."""
        distance = np.linalg.norm(np.asarray(achieved_goal) - desired_goal, axis=-1)
        return -np.asarray(distance > 0.05, np.float64)

    def _observe(self) -> dict[str, NDArray[np.float64]]:
        return {
            "observation": np.concatenate([self._place, self._speed]),
            "achieved_goal": self._place.copy(),
            "desired_goal": self._goal.copy(),
        }


def glide_expert(observation: Observation) -> NDArray[np.float32]:
    """Brake in time."""
    place, speed = np.split(observation["observation"], 2)
    towards = observation["desired_goal"] - place
    return np.clip((0.3 * towards - speed) / 0.03, -1.0, 1.0).astype(np.float32)


def maze_expert(observation: Observation) -> NDArray[np.float32]:
    """Go through PointMaze_UMaze: along its upper row, down at the right, along its lower row."""
    place, speed = observation["observation"][:2], observation["observation"][2:4]
    goal = observation["desired_goal"]
    target = goal
    if np.sign(place[1]) != np.sign(goal[1]) or abs(place[1]) < 0.5 or abs(goal[1]) < 0.5:
        if place[0] < 0.8 and abs(place[1]) > 0.5:
            target = np.array([1.0, np.sign(place[1])])
        elif place[0] > 0.6 and abs(place[1] - goal[1]) > 0.3:
            target = np.array([1.0, goal[1]])
    return np.clip(5.0 * (target - place) - 1.5 * speed, -1.0, 1.0).astype(np.float32)
