"""Goal environments without a simulator, for fast tests and first steps."""

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Observation = dict[str, Vector]


class PointReach(gym.Env[Any, Any]):
    """A point in ``[-1, 1]^2`` moves by up to 0.1 a step; reward 0 within 0.05 of the goal.

    Random motion almost never ends within 0.05 of a goal, so without hindsight nothing is learned.
    """

    step_size = 0.1
    threshold = 0.05

    def __init__(self) -> None:
        point = spaces.Box(-1.0, 1.0, (2,), np.float64)
        self.observation_space = spaces.Dict(
            {"observation": point, "achieved_goal": point, "desired_goal": point}
        )
        self.action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
        self._position = np.zeros(2)
        self._goal = np.zeros(2)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Place the point and its goal uniformly in the square.

        Args:
            seed: of both places.
            options: ``position``, ``(2,)`` in [-1, 1], where the point starts instead.
        """
        super().reset(seed=seed)
        self._position = self.np_random.uniform(-1.0, 1.0, 2)
        self._goal = self.np_random.uniform(-1.0, 1.0, 2)
        if options and "position" in options:
            self._position = np.clip(np.asarray(options["position"], float), -1.0, 1.0)
        return self._observe(), {}

    def step(self, action: Vector) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Move by ``0.1 * action``, stopping at the walls."""
        self._position = np.clip(self._position + self.step_size * np.asarray(action), -1.0, 1.0)
        reward = float(self.compute_reward(self._position, self._goal, {}))
        return self._observe(), reward, False, False, {"is_success": reward == 0.0}

    def compute_reward(
        self, achieved_goal: Vector, desired_goal: Vector, info: Mapping[str, Any]
    ) -> Vector:
        """Return 0 within the threshold and -1 elsewhere, for one goal or for many."""
        distance = np.linalg.norm(np.asarray(achieved_goal) - desired_goal, axis=-1)
        return -np.asarray(distance > self.threshold, np.float64)

    def save_state(self) -> Vector:
        """Return position and goal, ``(4,)``."""
        return np.concatenate([self._position, self._goal])

    def restore_state(self, state: Vector, desired_goal: Vector | None = None) -> None:
        """Go back to a saved state, with its own goal or with another one, ``(2,)``."""
        self._position, goal = np.split(np.array(state, float), [2])
        self._goal = goal if desired_goal is None else np.array(desired_goal, float)

    def _observe(self) -> Observation:
        return {
            "observation": self._position.copy(),
            "achieved_goal": self._position.copy(),
            "desired_goal": self._goal.copy(),
        }


class BitFlip(gym.Env[Any, Any]):
    """Bits to turn into a goal pattern, one a step (HER, section 3.1); success ends the episode.

    The action is continuous: the bit with the largest entry is flipped.
    """

    def __init__(self, num_bits: int = 8) -> None:
        bits = spaces.Box(0.0, 1.0, (num_bits,), np.float64)
        self.observation_space = spaces.Dict(
            {"observation": bits, "achieved_goal": bits, "desired_goal": bits}
        )
        self.action_space = spaces.Box(-1.0, 1.0, (num_bits,), np.float32)
        self._num_bits = num_bits
        self._bits = np.zeros(num_bits)
        self._goal = np.zeros(num_bits)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Draw the bits and a different goal pattern."""
        super().reset(seed=seed)
        self._bits = self.np_random.integers(0, 2, self._num_bits).astype(np.float64)
        self._goal = self._bits.copy()
        while (self._goal == self._bits).all():
            self._goal = self.np_random.integers(0, 2, self._num_bits).astype(np.float64)
        return self._observe(), {}

    def step(self, action: Vector) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Flip the bit with the largest entry of ``action``."""
        flipped = int(np.argmax(action))
        self._bits[flipped] = 1.0 - self._bits[flipped]
        reward = float(self.compute_reward(self._bits, self._goal, {}))
        terminated = self.compute_terminated(self._bits, self._goal, {})
        return self._observe(), reward, terminated, False, {"is_success": terminated}

    def compute_reward(
        self, achieved_goal: Vector, desired_goal: Vector, info: Mapping[str, Any]
    ) -> Vector:
        """Return 0 where all bits agree and -1 elsewhere, for one pattern or for many."""
        differs = (np.asarray(achieved_goal) != desired_goal).any(axis=-1)
        return -np.asarray(differs, np.float64)

    def compute_terminated(
        self, achieved_goal: Vector, desired_goal: Vector, info: Mapping[str, Any]
    ) -> bool:
        """Return whether one pattern agrees with its goal."""
        return bool(np.array_equal(achieved_goal, desired_goal))

    def _observe(self) -> Observation:
        return {
            "observation": self._bits.copy(),
            "achieved_goal": self._bits.copy(),
            "desired_goal": self._goal.copy(),
        }
