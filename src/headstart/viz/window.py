"""Windows that an environment draws itself into."""

import contextlib
from collections.abc import Iterator
from typing import Any

import gymnasium as gym

from headstart.envs.make import make_env
from headstart.errors import InputError, RunError
from headstart.text import describe_error
from headstart.viz.gl import has_display, reaches_display


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
