"""``make_env``: the only place where an environment is built."""

import difflib
import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec

from headstart.envs import robotics
from headstart.envs.goal_env import check_goal_env
from headstart.envs.known import known
from headstart.errors import InputError
from headstart.strict_json import parse_json

gym.register("PointReach-v0", entry_point="headstart.envs.toy:PointReach", max_episode_steps=30)
gym.register("BitFlip-v0", entry_point="headstart.envs.toy:BitFlip", max_episode_steps=8)

_LARGEST = 1_000_000
_JSON_WORDS = {"True": "true", "False": "false", "None": "null"}


def make_env(env_id: str, *, render_mode: str | None = None) -> gym.Env[Any, Any]:
    """Build a goal environment by its Gymnasium id.

    ``module:Id`` imports ``module`` first. Arguments of the environment may follow the id:
    ``PointMaze_UMaze-v3,continuing_task=false,max_episode_steps=200``.

    Raises:
        InputError: if the id is unknown, the environment cannot be built here, or it is not a goal
            environment.
    """
    name, options = split_id(env_id)
    _register_tasks_beside(name)
    # Environments that cannot render take no render_mode, not even None.
    if render_mode is not None:
        options |= {"render_mode": render_mode, **known(env_id).render_options}
    try:
        env = _make(name, options)
    except (gym.error.Error, ModuleNotFoundError) as error:
        raise InputError(_unknown(name, error)) from error
    except (AssertionError, TypeError, ValueError, MemoryError) as error:
        reason = _unbuildable(options, error)
        if reason is None:
            raise
        raise InputError(f"environment {env_id!r} {reason}") from error
    check_goal_env(env)
    robotics.quicken(env)
    return env


def make_bare(spec: EnvSpec) -> gym.Env[Any, Any]:
    """Build the goal environment of a spec anew: same arguments, no wrappers, no rendering.

    Raises:
        InputError: if it is not a goal environment.
    """
    options = {name: value for name, value in spec.kwargs.items() if name != "render_mode"}
    env = _make(replace(spec, kwargs=options, additional_wrappers=()), {})
    check_goal_env(env)
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
            options[key] = parse_json(_JSON_WORDS.get(value, value))
        except ValueError:
            options[key] = value
    return name, options


def is_registered(env_id: str) -> bool:
    """Return whether an id of a stranger can be built.

    It is if nothing is imported or opened that it names, and no argument is a large number.
    """
    name, options = split_id(env_id)
    _register_tasks_beside(name)
    numbers = [value for value in options.values() if isinstance(value, bool | int | float)]
    # A larger one could be meant to fill the memory.
    harmless = len(numbers) == len(options) and all(abs(n) <= _LARGEST for n in numbers)
    return name in gym.registry and harmless


def _register_tasks_beside(name: str) -> None:
    """Register the robot tasks too, unless the one that is asked for is there already."""
    # Importing them takes longer than importing all else that a collector needs.
    if name not in gym.registry:
        robotics.register()


def _make(what: str | EnvSpec, options: Mapping[str, Any]) -> gym.Env[Any, Any]:
    with warnings.catch_warnings():
        # Gymnasium warns of old versions and of checks that check_goal_env makes itself.
        warnings.simplefilter("ignore")
        return gym.make(what, disable_env_checker=True, **options)


def _unknown(env_id: str, error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError):
        return f"environment {env_id!r}: its module cannot be imported ({error})"
    close = difflib.get_close_matches(env_id, gym.registry, n=3, cutoff=0.5)
    hint = f"did you mean {', '.join(close)}?" if close else "see gymnasium.pprint_registry()"
    return f"environment {env_id!r} is not registered with Gymnasium; {hint}"


def _unbuildable(options: Mapping[str, Any], error: Exception) -> str | None:
    """Return why an environment cannot be built; ``None`` where the traceback tells it best."""
    import mujoco

    version = tuple(int(part) for part in mujoco.__version__.split(".")[:2])
    if isinstance(error, AssertionError) and version >= (3, 12):
        return (
            f"cannot be built with mujoco {mujoco.__version__}: gymnasium-robotics 1.4.2 needs an "
            f'older one, run `pip install "mujoco>=3.8.1,<3.12"`'
        )
    if not options:
        return None
    if "render_mode" in options:
        return "cannot be rendered"
    # Gymnasium wraps a TypeError in one that shows all arguments.
    reason = str(error.__cause__ or error) or "it stops with an AssertionError"
    return f"does not take these arguments: {reason.splitlines()[0]}"
