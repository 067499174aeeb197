"""What draws an environment for a page: MuJoCo's renderer, its own ``render``, or a diagram."""

import contextlib
import logging
from collections.abc import Generator, Mapping
from typing import Any, Protocol

import gymnasium as gym
from numpy.typing import NDArray

from headstart.envs.goal_env import GoalSpec
from headstart.envs.make import make_env
from headstart.envs.snapshot import restorable
from headstart.envs.source import EnvSource
from headstart.envs.task_facts import Camera
from headstart.errors import InputError
from headstart.viz.diagram import Diagram
from headstart.viz.gl import select_backend
from headstart.viz.live import Frame, MujocoViews, Rendered, side_of

_log = logging.getLogger("headstart")


class Views(Protocol):
    """Draws an environment from one place or several."""

    def draw(self, observation: Mapping[str, NDArray[Any]]) -> Generator[Frame, None, None]:
        """Yield each view of the state that the environment is in."""

    def close(self) -> None:
        """Give back what drawing takes."""


def drawable_env(source: EnvSource, *, draw: bool = True) -> gym.Env[Any, Any]:
    """Build an environment so that ``open_views`` can draw it.

    Args:
        source: its description.
        draw: whether it is to be rendered.
    """
    if draw:
        # Some renderers take the OpenGL that is chosen when MuJoCo is imported.
        with contextlib.suppress(InputError):
            select_backend()
    env = make_env(source)
    if not draw or _is_mujoco(env) or "rgb_array" not in env.metadata.get("render_modes", ()):
        return env
    env.close()
    return make_env(source, render_mode="rgb_array")


def open_views(env: gym.Env[Any, Any], spec: GoalSpec, size: int, *, draw: bool = True) -> Views:
    """Return what draws an environment, to be closed in the end.

    Args:
        env: the environment, which has been reset.
        spec: what is known of it.
        size: width and height of the first picture in pixels; of what is no plane, a second one is
            half as wide.
        draw: whether it is rendered; if not, a diagram of the places in the observation is shown.
    """
    if draw and _is_mujoco(env):
        try:
            select_backend()
        except InputError as error:
            _log.warning("%s; a diagram of places is shown instead", error)
        else:
            camera = spec.camera or _own_camera(env)
            # Of a plane, the side shows nothing more.
            num = 2 if spec.layout.dim > 2 else 1
            cameras, sizes = (camera, side_of(camera))[:num], (size, size // 2)[:num]
            return MujocoViews(env, restorable(env), cameras, sizes)
    return Rendered(env) if env.render_mode == "rgb_array" else Diagram(spec.layout, size)


def _own_camera(env: gym.Env[Any, Any]) -> Camera:
    """Return the camera that an environment's own pictures are of, as far as it says."""
    renderer = getattr(env.unwrapped, "mujoco_renderer", None)
    return dict(getattr(renderer, "default_cam_config", None) or {})


def _is_mujoco(env: gym.Env[Any, Any]) -> bool:
    return hasattr(env.unwrapped, "model") and hasattr(env.unwrapped, "data")
