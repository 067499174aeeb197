"""The environment: towers of ``n`` blocks, to be built by the arm of Fetch."""

from collections.abc import Mapping
from typing import Any, Literal

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from headstart.envs.stack import MOST_BLOCKS, description, scenes
from headstart.envs.stack.course import Course, is_placed, sparse_reward, step_reward
from headstart.envs.stack.simulator import Array, StackSimulator
from headstart.errors import InputError, require

Observation = dict[str, Array]
RewardType = Literal["sparse", "step"]

AWAY = 0.08
"""How far the hand is, at least, from every block that it has left, in metres."""
STILL = 0.02
"""How fast a block at rest moves at most, in metres a second."""
_REWARDS = {"sparse": sparse_reward, "step": step_reward}
_OPTIONS = ("desired_goal", "stacked")
CAMERA = {
    "distance": 1.15,
    "azimuth": 145.0,
    "elevation": -18.0,
    "lookat": (1.31, 0.75, 0.53),
}


class FetchStack(gym.Env[Any, Any]):
    """Blocks scattered on a table, to be stacked in order of their numbers, the first one lowest.

    A goal is a place for every block, and all of them count at the last step. ``info`` holds
    ``is_success``; ``strict_success``, for which the hand must also have left the blocks, and these
    be at rest; ``num_placed``; and ``failure``, what is wrong with the first block that is not
    placed: not grasped, dropped, still held or knocked over.

    Args:
        num_blocks: from 1 to 8.
        reward_type: "sparse", 0 if all blocks are placed and -1 otherwise; or "step", minus the
            number of blocks that are not.
        stacked: how many blocks stand in the tower at the start, or "random": any number but all.
        render_mode: as in ``gymnasium.make``.
        width: of pictures.
        height: of pictures.
        default_camera_config: another camera than the one that shows table and towers.

    Attributes:
        model: of MuJoCo.
        data: of MuJoCo; with ``goal`` it is all that the future depends on.
        goal: of the episode, ``(3 n,)``.

    Raises:
        InputError: if an argument is out of range.
    """

    metadata = {"render_modes": ["human", "rgb_array"], "render_fps": 25}  # noqa: RUF012
    success_terminates = False
    default_camera_config: Mapping[str, Any] = CAMERA

    def __init__(
        self,
        num_blocks: int = 2,
        reward_type: RewardType = "sparse",
        stacked: int | Literal["random"] = 0,
        render_mode: str | None = None,
        width: int = 480,
        height: int = 480,
        default_camera_config: Mapping[str, Any] | None = None,
    ) -> None:
        require(
            type(num_blocks) is int and 1 <= num_blocks <= MOST_BLOCKS,
            f"num_blocks must lie in [1, {MOST_BLOCKS}]",
            num_blocks,
        )
        require(reward_type in _REWARDS, "reward_type must be sparse or step", repr(reward_type))
        self.num_blocks, self.reward_type, self.render_mode = num_blocks, reward_type, render_mode
        if default_camera_config is not None:
            self.default_camera_config = default_camera_config
        self._check_stacked(stacked)
        self._stacked, self._size = stacked, (width, height)
        self._simulator = StackSimulator(num_blocks, width, height)
        self._renderer: Any = None
        self.model, self.data = self._simulator.model, self._simulator.data
        self.goal = np.zeros(3 * num_blocks)
        self._course = Course(num_blocks)
        self.action_space = spaces.Box(-1.0, 1.0, (4,), np.float32)
        self.observation_space = spaces.Dict(
            {
                name: spaces.Box(-np.inf, np.inf, part.shape, np.float64)
                for name, part in self._observe().items()
            }
        )
        self.reward_range = (-1.0 if reward_type == "sparse" else -float(num_blocks), 0.0)
        self.goal_components = description.components(num_blocks)
        self.component_layout = description.component_layout(num_blocks)
        self.state_layout = description.stack_layout(num_blocks)
        self.state_mirror = description.stack_mirror(num_blocks)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Scatter the blocks, and choose where the tower is to stand.

        Args:
            seed: of all that is drawn.
            options: ``stacked``, how many blocks stand in the tower at the start; and
                ``desired_goal``, ``(3 n,)``, where the blocks belong instead.

        Raises:
            InputError: if an option is not one of these, or out of range.
        """
        super().reset(seed=seed)
        options = options or {}
        for name in options:
            if name not in _OPTIONS:
                raise InputError(f"reset takes the options {' and '.join(_OPTIONS)}, got {name!r}")
        stacked = options.get("stacked", self._stacked)
        self._check_stacked(stacked)
        hand, rng = self._simulator.start[:2], self.np_random
        count = int(rng.integers(self.num_blocks)) if stacked == "random" else int(stacked)
        tower = scenes.draw_tower(self.num_blocks, count, hand, rng)
        if options.get("desired_goal") is not None:
            tower = self._checked_goal(options["desired_goal"])
        self._simulator.reset(scenes.draw_blocks(tower, count, hand, rng))
        self.goal = tower.ravel()
        self._course = Course(self.num_blocks)
        if self.render_mode == "human":
            self.render()
        return self._observe(), {}

    def step(
        self, action: NDArray[np.floating]
    ) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Move the hand by up to 5 cm along each axis, and open or close the fingers."""
        action = np.asarray(action, np.float64)
        # MuJoCo would reset itself and return finite, false data.
        if action.shape != (4,) or not np.isfinite(action).all():
            raise InputError(f"an action must be four finite numbers, got {action}")
        self._simulator.step(action.clip(-1.0, 1.0))
        observation = self._observe()
        placed = is_placed(observation["achieved_goal"], self.goal)
        info = {
            "is_success": bool(placed.all()),
            "strict_success": bool(placed.all()) and self._is_released(observation),
            "num_placed": int(placed.sum()),
            "failure": self._course.failure(
                observation["achieved_goal"].reshape(-1, 3),
                self.goal.reshape(-1, 3),
                observation["observation"][:3],
            ),
        }
        if self.render_mode == "human":
            self.render()
        reward = float(self.compute_reward(observation["achieved_goal"], self.goal, info))
        return observation, reward, False, False, info

    def compute_reward(
        self, achieved_goal: NDArray[Any], desired_goal: NDArray[Any], info: Mapping[str, Any]
    ) -> NDArray[np.float64]:
        """Return the reward of goals ``(..., 3 n)`` as ``(...)``; a function of them alone."""
        return _REWARDS[self.reward_type](achieved_goal, desired_goal)

    def render(self) -> Any:
        """Return a picture, ``(height, width, 3)`` uint8, or show it in a window."""
        if self._renderer is None:
            from gymnasium.envs.mujoco.mujoco_rendering import MujocoRenderer

            width, height = self._size
            # Arrays are copied into MuJoCo's own, tuples are not.
            camera = {
                name: np.array(value) if np.ndim(value) else value
                for name, value in self.default_camera_config.items()
            }
            self._renderer = MujocoRenderer(
                self.model, self.data, camera, width=width, height=height
            )
        self._simulator.show_targets(self.goal.reshape(-1, 3))
        return self._renderer.render(self.render_mode)

    def close(self) -> None:
        """Close the window, or what draws pictures."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None

    def _observe(self) -> Observation:
        hand, (fingers, finger_speeds) = self._simulator.hand(), self._simulator.fingers()
        blocks = self._simulator.blocks()
        parts = [hand.position, fingers, hand.velocity, finger_speeds]
        for block in blocks:
            parts += [block.position, block.position - hand.position, block.rotation]
            parts += [block.velocity - hand.velocity, block.spin]
        return {
            "observation": np.concatenate(parts),
            "achieved_goal": np.concatenate([block.position for block in blocks]),
            "desired_goal": self.goal.copy(),
        }

    def _is_released(self, observation: Observation) -> bool:
        """Return whether the hand has left the blocks, and these are at rest."""
        ways = observation["achieved_goal"].reshape(-1, 3) - observation["observation"][:3]
        away = np.linalg.norm(ways, axis=1) >= AWAY
        return bool(away.all() and (self._simulator.block_speeds() <= STILL).all())

    def _check_stacked(self, stacked: object) -> None:
        require(
            stacked == "random" or (type(stacked) is int and 0 <= stacked < self.num_blocks),
            f"stacked must be random or lie in [0, {self.num_blocks - 1}]",
            repr(stacked),
        )

    def _checked_goal(self, goal: Any) -> Array:
        """Return where each block belongs, ``(n, 3)``."""
        try:
            places = np.asarray(goal, np.float64)
        except (TypeError, ValueError) as error:
            raise InputError(f"desired_goal must be numbers, got {goal!r}") from error
        if places.shape != self.goal.shape:
            raise InputError(
                f"desired_goal must have shape {self.goal.shape}, three numbers a block, got "
                f"{places.shape}"
            )
        places = places.reshape(-1, 3)
        block = scenes.outside(places)
        if block is not None:
            bounds = ", ".join(
                f"{axis} in [{low:g}, {high:g}]"
                for axis, (low, high) in zip("xyz", scenes.WORKSPACE, strict=True)
            )
            raise InputError(
                f"desired_goal of block {block} must lie in the workspace, {bounds}, got "
                f"{places[block]}"
            )
        return places
