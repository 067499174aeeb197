"""``make_env``: the only place where an environment is built."""

import difflib
import warnings
from typing import Any

import gymnasium as gym

from headstart.envs.goal_env import check_goal_env
from headstart.errors import InputError

gym.register(
    "PointReach-v0", entry_point="headstart.envs.toy:PointReach", max_episode_steps=30
)
gym.register("BitFlip-v0", entry_point="headstart.envs.toy:BitFlip", max_episode_steps=8)


def make_env(env_id: str, *, render_mode: str | None = None) -> gym.Env[Any, Any]:
    """Build a goal environment by its Gymnasium id (``module:Id`` imports ``module`` first).

    Raises:
        InputError: if the id is unknown, the environment cannot be built here, or it is not a goal
            environment.
    """
    _register_robotics()
    try:
        with warnings.catch_warnings():
            # Gymnasium warns of old versions and passive checks; check_goal_env says it in one line.
            warnings.simplefilter("ignore")
            env = gym.make(env_id, render_mode=render_mode, disable_env_checker=True)
    except (gym.error.Error, ModuleNotFoundError) as error:
        raise InputError(_unknown(env_id, error)) from error
    except AssertionError as error:
        raise InputError(_unbuildable(env_id)) from error
    check_goal_env(env)
    return env


def _register_robotics() -> None:
    if "FetchReach-v4" not in gym.registry:
        import gymnasium_robotics

        gym.register_envs(gymnasium_robotics)


def _unknown(env_id: str, error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError):
        return f"environment {env_id!r}: there is no module {error.name!r} to import it from"
    close = difflib.get_close_matches(env_id, gym.registry, n=3, cutoff=0.5)
    hint = f"did you mean {', '.join(close)}?" if close else "see gymnasium.pprint_registry()"
    return f"environment {env_id!r} is not registered with Gymnasium; {hint}"


def _unbuildable(env_id: str) -> str:
    import mujoco

    return (
        f"environment {env_id!r} cannot be built with mujoco {mujoco.__version__}: "
        f'gymnasium-robotics 1.4.2 needs an older one, run `pip install "mujoco>=3.8.1,<3.12"`'
    )
