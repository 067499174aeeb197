"""OGBench's point mazes and cubes as goal environments: ``OGBenchCubeSingle-v0``."""

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any, cast

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.envs.mujoco.mujoco_rendering import MujocoRenderer
from numpy.typing import NDArray

from headstart.data.layout import StateLayout
from headstart.envs.adapted import OGBENCH
from headstart.envs.mujoco_state import MujocoState, State
from headstart.errors import InputError

try:
    import ogbench as ogbench
except ImportError as error:
    raise InputError(
        "environments of OGBench need it: run `pip install 'headstart[ogbench]'`"
    ) from error

Vector = NDArray[np.float64]
_CUBE_TOLERANCE, _CUBE = 0.4, 3
"""Of a cube, whose oracle representation is its place times 10: 4 cm."""
_PIXELS = 480
"""Width and height of a picture."""


@contextlib.contextmanager
def _quiet_bounds() -> Iterator[None]:
    """Leave out what Gymnasium says of bounds that OGBench states in float64, at every reset."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "(?s).*precision lowered by casting to float32")
        yield


def _cube_layout(num_cubes: int) -> StateLayout:
    """Return what is observed of the arm, in units of 10 cm, and 9 numbers of each cube."""
    return StateLayout(
        velocities=tuple(range(6, 12)),
        positions=(12, *(19 + 9 * cube for cube in range(num_cubes))),
        goal_positions=tuple(_CUBE * cube for cube in range(num_cubes)),
        angles=tuple(range(6)),
        hand=12,
        shift_axes=(0, 1),
        hand_actions=(0, 1, 2),
        hand_steps=(0.21,) * 3,
        gripper_action=4,
        gripper_closes_at="high",
    )


def _renderer(model: Any, data: Any) -> Any:
    """Return what draws a scene as OGBench does."""
    view, size = model.vis.global_, model.stat
    view.offwidth = view.offheight = _PIXELS
    camera = {
        "azimuth": view.azimuth,
        "elevation": view.elevation,
        "distance": 1.5 * size.extent,
        "lookat": np.array(size.center),
    }
    return MujocoRenderer(model, data, camera, width=_PIXELS, height=_PIXELS)


class GoalOGBench(gym.Env[Any, Any]):
    """A task of OGBench, in which a reward is -1 until every part of the goal is reached, then 0.

    What is achieved is OGBench's oracle representation of a goal: the place in a maze, or those of
    all cubes. The goal is one of the five evaluation goals, drawn from the seed of ``reset``.

    Args:
        name: of those in ``headstart.envs.adapted``.
        render_mode: ``"rgb_array"`` or ``None``.

    Raises:
        InputError: if the name is another one.
    """

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012
    success_terminates = False

    def __init__(self, name: str, render_mode: str | None = None) -> None:
        if name not in OGBENCH:
            raise InputError(f"no environment of OGBench with an adapter is called {name!r}")
        self.render_mode = render_mode
        # A goal must not end an episode that hindsight relabels.
        options: dict[str, Any] = {"terminate_at_goal": False, "use_oracle_rep": True}
        if render_mode is not None:
            options["render_mode"] = render_mode
        with _quiet_bounds():
            self._env = cast(Any, gym.make(name, **options).unwrapped)
            low, high = self._env.action_space.low, self._env.action_space.high
        self._is_cube = name.startswith("cube")
        self._tolerance = _CUBE_TOLERANCE if self._is_cube else float(self._env._goal_tol)
        self._part = _CUBE if self._is_cube else 2
        self._goal = np.zeros(self._part)
        self._renderer: Any = None
        width = len(self._achieved())

        def box(size: int) -> spaces.Box:
            return spaces.Box(-np.inf, np.inf, (size,), np.float64)

        self.observation_space = spaces.Dict(
            observation=box(self._env.observation_space.shape[0]),
            achieved_goal=box(width),
            desired_goal=box(width),
        )
        self.action_space = spaces.Box(low.astype(np.float32), high.astype(np.float32))
        # Walls stand where they are: no axis along which the scene may be shifted.
        self.state_layout = StateLayout(positions=(0,), goal_positions=(0,), dim=2)
        if self._is_cube:
            self.state_layout = _cube_layout(width // _CUBE)
            self.default_camera_config = {"azimuth": float(self._env.model.vis.global_.azimuth)}
        if self._is_cube and width > _CUBE:
            self.goal_components = {
                f"cube {index}": slice(start, start + _CUBE)
                for index, start in enumerate(range(0, width, _CUBE))
            }

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Vector], dict[str, Any]]:
        """Draw a start and a goal."""
        super().reset(seed=seed)
        # It draws from the global generator too; nobody else's draws may depend on that.
        outside = np.random.get_state()  # noqa: NPY002
        np.random.seed(int(self.np_random.integers(2**31)))  # noqa: NPY002
        try:
            with _quiet_bounds():
                observation, info = self._env.reset(
                    seed=int(self.np_random.integers(2**31)), options=options
                )
        finally:
            np.random.set_state(outside)  # noqa: NPY002
        self._goal = np.array(info["goal"], np.float64)
        return self._goal_observation(observation), {}

    def step(
        self, action: NDArray[Any]
    ) -> tuple[dict[str, Vector], float, bool, bool, dict[str, Any]]:
        """Take a step."""
        taken, *_ = self._env.step(np.asarray(action))
        observation = self._goal_observation(taken)
        reward = float(self.compute_reward(observation["achieved_goal"], self._goal, {}))
        return observation, reward, False, False, {"is_success": reward == 0.0}

    def compute_reward(
        self, achieved_goal: Vector, desired_goal: Vector, info: object
    ) -> NDArray[Any]:
        """Return 0 where every part is at its goal and -1 elsewhere, for one goal or for many."""
        away = np.asarray(achieved_goal) - desired_goal
        parts = away.reshape(*away.shape[:-1], -1, self._part)
        reached = (np.linalg.norm(parts, axis=-1) <= self._tolerance).all(axis=-1)
        return np.asarray(reached, np.float64) - 1.0

    def save_state(self) -> State:
        """Return the simulator's state and the goal."""
        return self._state().save(self._goal)

    def restore_state(self, state: State, desired_goal: Vector | None = None) -> None:
        """Put both back, or the state with another goal."""
        (goal,) = self._state().restore(state, len(self._goal))
        self._goal = goal if desired_goal is None else np.array(desired_goal, np.float64)
        if not self._is_cube:
            self._env.set_goal(goal_xy=self._goal)

    def _state(self) -> MujocoState:
        data = self._env.data
        # The arm's controller reads them.
        poses = (data.xpos, data.xquat, data.site_xpos, data.site_xmat)
        return MujocoState(self._env.model, data, poses=poses)

    def render(self) -> Any:
        """Return a picture, ``(height, width, 3)``."""
        if not self._is_cube:
            return self._env.render()
        # Its own renderer takes the OpenGL that was chosen when MuJoCo was imported.
        if self._renderer is None:
            self._renderer = _renderer(self._env.model, self._env.data)
        return self._renderer.render("rgb_array")

    def close(self) -> None:
        """Close the simulator."""
        if self._renderer is not None:
            self._renderer.close()
        self._env.close()

    def _achieved(self) -> Vector:
        # In mazes, OGBench's oracle representation is that of the goal.
        find = self._env.compute_oracle_observation if self._is_cube else self._env.get_xy
        return np.array(find(), np.float64)

    def _goal_observation(self, observation: Vector) -> dict[str, Vector]:
        return {
            "observation": np.array(observation, np.float64),
            "achieved_goal": self._achieved(),
            "desired_goal": self._goal.copy(),
        }
