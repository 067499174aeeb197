"""Pictures of an environment at work, fast, that leave it to the bit as it is."""

import importlib
import io
import os
from collections.abc import Generator, Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from headstart.envs.interface import env_name
from headstart.envs.snapshot import Restorable
from headstart.envs.task_facts import Camera
from headstart.errors import InputError

Frame = NDArray[np.uint8]
_QUALITY = 80
THUMBNAIL = 112
"""Width and height of a picture in a list, in pixels."""
_MOST_SHAPES = 10_000


def picture(env: gym.Env[Any, Any]) -> Frame:
    """Return what the environment looks like, ``(height, width, 3)``."""
    try:
        frame = np.asarray(env.render())
    except NotImplementedError:
        found = "it has no render()"
    else:
        if frame.ndim == 3 and frame.shape[2] == 3 and frame.dtype == np.uint8:
            return frame
        found = f"its render() returns {frame.dtype} of shape {frame.shape}"
    raise InputError(
        f"{env_name(env)} cannot be drawn: {found}; let it return a picture, uint8 of shape "
        f"(height, width, 3), for render_mode='rgb_array'"
    )


def side_of(camera: Mapping[str, Any]) -> Camera:
    """Return a camera that sees from another side what one sees, and from lower."""
    return {**camera, "azimuth": float(camera.get("azimuth", 90.0)) + 90.0, "elevation": -10.0}


def encode(frame: Frame, size: int | None = None) -> bytes:
    """Return a picture ``(height, width, 3)`` as JPEG, at most ``size`` wide and high."""
    image = Image.fromarray(frame)
    if size is not None:
        image.thumbnail((size, size))
    written = io.BytesIO()
    image.save(written, "JPEG", quality=_QUALITY)
    return written.getvalue()


class MujocoViews:
    """Draws a task of MuJoCo from several cameras, without the antialiasing that takes most time.

    Use it in one thread, in which OpenGL is at home.

    Args:
        env: the environment, built without ``render_mode``; ``select_backend`` comes first.
        simulator: what saves and restores its state.
        cameras: free cameras, one for each view.
        sizes: width and height of each view in pixels.
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        simulator: Restorable | None,
        cameras: Sequence[Camera],
        sizes: Sequence[int],
    ) -> None:
        import mujoco

        task: Any = env.unwrapped
        self._mujoco, self._task, self._simulator = mujoco, task, simulator
        model = task.model
        model.vis.quality.offsamples = 0
        model.vis.global_.offwidth = model.vis.global_.offheight = max(sizes)
        # Not mujoco.Renderer: which OpenGL that takes was decided when mujoco was imported.
        backend = importlib.import_module(f"mujoco.{os.environ['MUJOCO_GL']}")
        self._opengl = backend.GLContext(max(sizes), max(sizes))
        self._opengl.make_current()
        self._context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)
        self._scene = mujoco.MjvScene(model, _MOST_SHAPES)
        self._option, self._nothing_held = mujoco.MjvOption(), mujoco.MjvPerturb()
        self._cameras = [_camera(mujoco, model, given) for given in cameras]
        self._sizes = tuple(sizes)

    def draw(self, observation: object = None) -> Generator[Frame, None, None]:
        """Yield each view, ``(height, width, 3)``, of the state that the environment is in."""
        show_goal = getattr(self._task, "_render_callback", None)
        simulator = self._simulator
        if show_goal is None or simulator is None:
            yield from self._drawn()
            return
        # Showing the goal computes all poses again, which the next step would notice.
        state = np.array(simulator.save_state())
        show_goal()
        try:
            yield from self._drawn()
        finally:
            simulator.restore_state(state)

    def close(self) -> None:
        """Give OpenGL back what it has lent."""
        self._context.free()
        self._opengl.free()

    def _drawn(self) -> Generator[Frame, None, None]:
        mujoco, model, data = self._mujoco, self._task.model, self._task.data
        everything = mujoco.mjtCatBit.mjCAT_ALL.value
        for camera, size in zip(self._cameras, self._sizes, strict=True):
            frame = np.empty((size, size, 3), np.uint8)
            seen = self._option, self._nothing_held, camera, everything, self._scene
            mujoco.mjv_updateScene(model, data, *seen)
            place = mujoco.MjrRect(0, 0, size, size)
            mujoco.mjr_render(place, self._scene, self._context)
            mujoco.mjr_readPixels(frame, None, place, self._context)
            # OpenGL begins at the bottom.
            yield frame[::-1]


def _camera(mujoco: Any, model: Any, given: Camera) -> Any:
    camera = mujoco.MjvCamera()
    mujoco.mjv_defaultFreeCamera(model, camera)
    for name, value in given.items():
        if name == "lookat":
            camera.lookat[:] = value
        else:
            setattr(camera, name, value)
    return camera


class Rendered:
    """Draws an environment by its own ``render``, from the one place that it knows.

    Args:
        env: the environment, built with ``render_mode="rgb_array"``.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        self._env = env

    def draw(self, observation: object = None) -> Generator[Frame, None, None]:
        """Yield the view."""
        yield picture(self._env)

    def close(self) -> None:
        """Nothing is lent."""
