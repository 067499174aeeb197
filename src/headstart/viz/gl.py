"""Finding an OpenGL that MuJoCo can render with, on machines with and without a screen."""

import contextlib
import os
import subprocess
import sys
from functools import cache

from headstart.errors import InputError

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
