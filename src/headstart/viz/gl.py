"""An OpenGL that MuJoCo can render with, with and without a screen, and a window on a screen."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

import gymnasium as gym

from headstart.envs.make import make_env
from headstart.errors import InputError, RunError
from headstart.text import describe_error

_PROBE = "import mujoco; mujoco.GLContext(64, 64).make_current()"
_DISPLAY_PROBE = "import glfw, sys; sys.exit(not glfw.init())"
_HELP = "on Debian or Ubuntu run `apt-get install libegl1 libgl1-mesa-dri` (or libosmesa6)"


def select_backend() -> str:
    """Choose ``MUJOCO_GL`` before MuJoCo is asked to draw, and return it.

    A backend that is missing kills the process that tries it in the middle of a C call, so each is
    tried in a process of its own. What the user has set is tried alone.

    Raises:
        InputError: if no backend works here.
    """
    chosen = os.environ.get("MUJOCO_GL")
    candidates = [chosen] if chosen else ["egl", "osmesa", *["glfw"][: has_display()]]
    for backend in candidates:
        with contextlib.suppress(OSError):
            _try(backend)
            os.environ["MUJOCO_GL"] = backend
            return backend
    raise InputError(f"no OpenGL to render with (tried {', '.join(candidates)}); {_HELP}")


def has_display() -> bool:
    """Return whether there is a screen to open a window on."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def reaches_display() -> bool:
    """Return whether the screen answers, which would end a process that opens a window if not."""
    return _ends_well(_DISPLAY_PROBE, dict(os.environ))


@cache
def _try(backend: str) -> None:
    """Raise ``OSError`` unless a backend works; one that does is tried once, in half a second."""
    environment = {**os.environ, "MUJOCO_GL": backend}
    # PyOpenGL must follow the same choice, or it looks for a screen.
    if backend in ("egl", "osmesa"):
        environment["PYOPENGL_PLATFORM"] = backend
    if not _ends_well(_PROBE, environment):
        raise OSError(f"{backend} does not work here")


def _ends_well(program: str, environment: dict[str, str]) -> bool:
    try:
        probe = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, timeout=60
        )
    except subprocess.TimeoutExpired:
        return False
    return probe.returncode == 0


def check_screen(video: str) -> None:
    """Make sure that a window can be opened, before any work is done.

    Args:
        video: a file that could be written instead, for the message.

    Raises:
        InputError: if there is no screen, or none that answers.
    """
    if not has_display():
        raise InputError(f"there is no screen to open a window on; write a video: --video {video}")
    if not reaches_display():
        raise InputError(f"the screen does not open a window; write a video: --video {video}")


@contextlib.contextmanager
def open_window(env_id: str, video: str) -> Iterator[gym.Env[Any, Any]]:
    """Yield an environment that shows itself in a window.

    Args:
        env_id: the environment.
        video: a file that could be written instead, for the message.

    Raises:
        InputError: if it cannot be built, stepped or drawn.
    """
    env = make_env(env_id, render_mode="human")
    try:
        yield env
    except (InputError, RunError):
        raise
    except Exception as error:
        raise InputError(
            f"{env_id} cannot be shown in a window, {describe_error(error)}; write a video: "
            f"--video {video}"
        ) from error
    finally:
        # A window that was never opened may fail to close.
        with contextlib.suppress(Exception):
            env.close()
