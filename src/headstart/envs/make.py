"""``make_env``: the only place where an environment is built."""

import difflib
import json
import warnings
from typing import Any

import gymnasium as gym

from headstart.envs import robotics
from headstart.envs.goal_env import check_goal_env
from headstart.envs.known import known
from headstart.errors import InputError

gym.register("PointReach-v0", entry_point="headstart.envs.toy:PointReach", max_episode_steps=30)
gym.register("BitFlip-v0", entry_point="headstart.envs.toy:BitFlip", max_episode_steps=8)

_JSON_WORDS = {"True": "true", "False": "false", "None": "null"}


def make_env(env_id: str, *, render_mode: str | None = None) -> gym.Env[Any, Any]:
    """Build a goal environment by its Gymnasium id.

    ``module:Id`` imports ``module`` first. Arguments of the environment may follow the id:
    ``PointMaze_UMaze-v3,continuing_task=false,max_episode_steps=200``.

    Raises:
        InputError: if the id is unknown, the environment cannot be built here, or it is not a goal
            environment.
    """
    robotics.register()
    name, options = split_id(env_id)
    # Environments that cannot render take no render_mode, not even None.
    if render_mode is not None:
        options |= {"render_mode": render_mode, **known(env_id).render_options}
    try:
        with warnings.catch_warnings():
            # Gymnasium warns of old versions and of checks that check_goal_env makes itself.
            warnings.simplefilter("ignore")
            env = gym.make(name, disable_env_checker=True, **options)
    except (gym.error.Error, ModuleNotFoundError) as error:
        raise InputError(_unknown(name, error)) from error
    except AssertionError as error:
        raise InputError(_unbuildable(env_id)) from error
    except TypeError as error:
        if not options:
            raise
        if render_mode is not None:
            raise InputError(f"environment {env_id!r} cannot be rendered") from error
        reason = str(error).splitlines()[0]
        raise InputError(
            f"environment {env_id!r} does not take these arguments: {reason}"
        ) from error
    check_goal_env(env)
    robotics.quicken(env)
    return env


def split_id(env_id: str) -> tuple[str, dict[str, Any]]:
    """Split an id from the arguments that follow it. Values are JSON, or text where they are not.

    Raises:
        InputError: if what follows the id is not ``name=value``.
    """
    name, *arguments = env_id.split(",")
    options: dict[str, Any] = {}
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not equals or not key.isidentifier():
            raise InputError(
                f"environment {env_id!r}: {argument!r} is no argument, which is name=value"
            )
        try:
            # Python's spelling too: the text "False" would count as true.
            options[key] = json.loads(_JSON_WORDS.get(value, value))
        except json.JSONDecodeError:
            options[key] = value
    return name, options


def is_registered(env_id: str) -> bool:
    """Return whether an id can be built without importing, or opening, anything that it names."""
    robotics.register()
    name, options = split_id(env_id)
    harmless = all(isinstance(value, bool | int | float) for value in options.values())
    return name in gym.registry and harmless


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
