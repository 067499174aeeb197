"""``make_env``: the only place where an environment is built."""

import difflib
import warnings
from typing import Any

import gymnasium as gym

from headstart.envs import robotics
from headstart.envs.goal_env import check_goal_env
from headstart.envs.known import known
from headstart.errors import InputError

gym.register("PointReach-v0", entry_point="headstart.envs.toy:PointReach", max_episode_steps=30)
gym.register("BitFlip-v0", entry_point="headstart.envs.toy:BitFlip", max_episode_steps=8)


def make_env(env_id: str, *, render_mode: str | None = None) -> gym.Env[Any, Any]:
    """Build a goal environment by its Gymnasium id (``module:Id`` imports ``module`` first).

    Raises:
        InputError: if the id is unknown, the environment cannot be built here, or it is not a goal
            environment.
    """
    robotics.register()
    # Environments that cannot render take no render_mode, not even None.
    options: dict[str, Any] = {}
    if render_mode is not None:
        options = {"render_mode": render_mode, **known(env_id).render_options}
    try:
        with warnings.catch_warnings():
            # Gymnasium warns of old versions and of checks that check_goal_env makes itself.
            warnings.simplefilter("ignore")
            env = gym.make(env_id, disable_env_checker=True, **options)
    except (gym.error.Error, ModuleNotFoundError) as error:
        raise InputError(_unknown(env_id, error)) from error
    except AssertionError as error:
        raise InputError(_unbuildable(env_id)) from error
    except TypeError as error:
        if render_mode is None:
            raise
        raise InputError(f"environment {env_id!r} cannot be rendered") from error
    check_goal_env(env)
    robotics.quicken(env)
    return env


def is_registered(env_id: str) -> bool:
    """Return whether an id can be built without importing anything new."""
    robotics.register()
    return env_id in gym.registry


def _unknown(env_id: str, error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError):
        return f"environment {env_id!r}: its module cannot be imported ({error})"
    close = difflib.get_close_matches(env_id, gym.registry, n=3, cutoff=0.5)
    hint = f"did you mean {', '.join(close)}?" if close else "see gymnasium.pprint_registry()"
    return f"environment {env_id!r} is not registered with Gymnasium; {hint}"


def _unbuildable(env_id: str) -> str:
    import mujoco

    return (
        f"environment {env_id!r} cannot be built with mujoco {mujoco.__version__}: "
        f'gymnasium-robotics 1.4.2 needs an older one, run `pip install "mujoco>=3.8.1,<3.12"`'
    )
