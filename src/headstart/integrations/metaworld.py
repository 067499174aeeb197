"""Meta-World's tasks whose goal is a place, as goal environments: ``MetaWorldPickPlace-v3``."""

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from headstart.data.layout import StateLayout
from headstart.envs.adapted import METAWORLD
from headstart.envs.mujoco_state import MujocoState, State
from headstart.errors import InputError

try:
    from metaworld.env_dict import ALL_V3_ENVIRONMENTS_GOAL_OBSERVABLE as ENVIRONMENTS
except ImportError as error:
    raise InputError(
        "environments of Meta-World need it: run `pip install 'headstart[metaworld]'`"
    ) from error

Vector = NDArray[np.float64]
_OBSERVATION = 36
"""Numbers before the goal: hand, gripper, objects, and all of it one step before."""
_ENTRIES = {"hand": slice(0, 3), "object": slice(4, 7)}
_BEFORE = tuple(range(18, _OBSERVATION))
"""Entries that say how things were a step ago, and so how fast they are."""
_CAMERA = "corner2"
# An action of 1 moves the hand's target by 1 cm, and the hand is drawn after it.
_STEPS, _LAG = (0.01, 0.01, 0.01), 3.0


class GoalMetaWorld(gym.Env[Any, Any]):
    """A task of Meta-World, in which a reward is -1 until hand or object is at its goal, then 0.

    Scenes are drawn from the seed of ``reset``, which Meta-World draws once and keeps.

    Args:
        task: its name, of those in ``headstart.envs.adapted``.
        render_mode: ``"rgb_array"`` or ``None``.

    Raises:
        InputError: if the goal of the task is not a place.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 80}  # noqa: RUF012
    success_terminates = False
    default_camera_config = {"azimuth": 148.0}  # noqa: RUF012

    def __init__(self, task: str, render_mode: str | None = None) -> None:
        if task not in METAWORLD:
            raise InputError(f"no task of Meta-World whose goal is a place is called {task!r}")
        achieves, self._tolerance, _ = METAWORLD[task]
        self._achieved = _ENTRIES[achieves]
        self.render_mode = render_mode
        drawn = {} if render_mode is None else {"render_mode": render_mode}
        self._env = ENVIRONMENTS[f"{task}-goal-observable"](seed=0, **drawn)
        if render_mode is not None:
            self._env.mujoco_renderer.camera_id = self._env.model.camera(_CAMERA).id
        # Or every episode would be of one scene, drawn from numpy's global generator.
        self._env._freeze_rand_vec, self._env.seeded_rand_vec = False, True
        self._env._partially_observable = False
        # Its own reward is not used, and raises where a goal is at the start of the object.
        self._env.evaluate_state = lambda observation, action: (0.0, {})
        self.state_layout = StateLayout(
            velocities=_BEFORE,
            positions=(0, 4),
            goal_positions=(0,),
            hand=0,
            shift_axes=(0, 1),
            hand_actions=(0, 1, 2),
            hand_steps=_STEPS,
            hand_lag=_LAG,
            gripper_action=3,
            gripper_closes_at="high",
        )

        def box(width: int) -> spaces.Box:
            return spaces.Box(-np.inf, np.inf, (width,), np.float64)

        self.observation_space = spaces.Dict(
            observation=box(_OBSERVATION), achieved_goal=box(3), desired_goal=box(3)
        )
        self.action_space = spaces.Box(-1.0, 1.0, (4,), np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Vector], dict[str, Any]]:
        """Draw a scene."""
        super().reset(seed=seed)
        self._env.seed(int(self.np_random.integers(2**31)) if seed is None else seed)
        observation, _ = self._env.reset()
        return self._goal_observation(observation), {}

    def step(
        self, action: NDArray[Any]
    ) -> tuple[dict[str, Vector], float, bool, bool, dict[str, Any]]:
        """Move the hand by up to 1 cm along each axis, and the fingers."""
        taken, *_ = self._env.step(np.asarray(action, np.float32))
        observation = self._goal_observation(taken)
        reward = float(
            self.compute_reward(observation["achieved_goal"], observation["desired_goal"], {})
        )
        return observation, reward, False, False, {"is_success": reward == 0.0}

    def compute_reward(
        self, achieved_goal: Vector, desired_goal: Vector, info: object
    ) -> NDArray[Any]:
        """Return 0 at the goal and -1 elsewhere, for one goal or for many."""
        distance = np.linalg.norm(np.asarray(achieved_goal) - desired_goal, axis=-1)
        return -np.asarray(distance > self._tolerance, np.float64)

    def save_state(self) -> State:
        """Return the simulator's state, the scene, and what the next observation repeats."""
        env = self._env
        return self._state().save(env._prev_obs, np.array([env.curr_path_length]), env._target_pos)

    def restore_state(self, state: State, desired_goal: Vector | None = None) -> None:
        """Put all of it back, with its own goal or with another one."""
        env = self._env
        before, length, goal = self._state().restore(state, len(env._prev_obs), 1, 3)
        env._prev_obs, env.curr_path_length, env._target_pos = before, int(length[0]), goal
        if desired_goal is not None:
            env._target_pos = np.array(desired_goal, np.float64)
            # What shows the goal in pictures.
            env.model.site_pos[(env.model.site_pos == goal).all(axis=1)] = desired_goal

    def _state(self) -> MujocoState:
        # A reset puts drawers, doors and walls elsewhere in the model.
        model, data = self._env.model, self._env.data
        scene = (model.body_pos, model.site_pos)
        return MujocoState(model, data, scene=scene, poses=(data.xpos, data.xquat))

    def render(self) -> Any:
        """Return a picture, ``(height, width, 3)``; the cameras of Meta-World are upside down."""
        return np.rot90(self._env.render(), 2)

    def close(self) -> None:
        """Close the simulator."""
        self._env.close()

    def _goal_observation(self, observation: Vector) -> dict[str, Vector]:
        return {
            "observation": np.array(observation[:_OBSERVATION]),
            "achieved_goal": np.array(observation[self._achieved]),
            "desired_goal": np.array(self._env._target_pos, np.float64),
        }
