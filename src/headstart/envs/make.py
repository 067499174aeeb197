"""``make_env``, and the description of an environment that it builds."""

import contextlib
import functools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import cloudpickle
import gymnasium as gym
from gymnasium.envs.registration import EnvSpec

# These register their tasks.
from headstart.envs import adapted as adapted
from headstart.envs import robotics
from headstart.envs import stack as stack
from headstart.envs.build import LIMIT, build
from headstart.envs.contract import check_goal_env
from headstart.envs.interface import declared, layers
from headstart.envs.quickened import quicken
from headstart.envs.rebuilding import REBUILD, RebuiltEachEpisode
from headstart.envs.source import EnvLike, EnvSource, describe, name_of_object, of_spec
from headstart.envs.task_facts import find_camera
from headstart.envs.twins import is_same
from headstart.errors import InputError

gym.register("PointReach-v0", entry_point="headstart.envs.toy:PointReach", max_episode_steps=30)
gym.register("BitFlip-v0", entry_point="headstart.envs.toy:BitFlip", max_episode_steps=8)


def make_env(env: EnvLike, *, render_mode: str | None = None, **options: Any) -> gym.Env[Any, Any]:
    """Build a goal environment.

    Args:
        env: a Gymnasium id, an ``EnvSpec``, a class of environments, a function that returns one,
            or an environment, which is built again. ``module:Id`` imports ``module`` first, and
            arguments may follow an id: ``PointMaze_UMaze-v3,continuing_task=false``.
        render_mode: as in ``gymnasium.make``.
        options: arguments of the environment; ``max_episode_steps`` sets the time limit of any.

    Raises:
        InputError: if the id is unknown, the environment cannot be built here, or it is not a goal
            environment.
    """
    source = env_source(env, options)
    built = build(source, render_mode)
    try:
        check_goal_env(built, source.name)
    except InputError:
        built.close()
        raise
    quicken(built)
    if render_mode is not None:
        robotics.aim(built, find_camera(built)[0])
    return built


def make_bare(spec: EnvSpec) -> gym.Env[Any, Any]:
    """Build the environment of a spec with the wrappers it is registered with, without rendering.

    Raises:
        InputError: if it is not a goal environment.
    """
    registered = gym.registry.get(spec.id)
    wrappers = () if registered is None else registered.additional_wrappers
    if spec.additional_wrappers[: len(wrappers)] != wrappers:
        wrappers = ()
    return make_env(replace(spec, additional_wrappers=wrappers))


def env_source(env: EnvLike, options: Mapping[str, Any] | None = None) -> EnvSource:
    """Return the description of an environment, from which any process can build it.

    Args:
        env: all that ``make_env`` takes.
        options: more arguments of the environment.

    Raises:
        InputError: if it is nothing of the kind, or a module cannot be imported.
    """
    options = {} if options is None else options
    if not isinstance(options, Mapping) or not all(isinstance(name, str) for name in options):
        raise InputError(f"env_kwargs must be a dict of arguments by name, got {options!r}")
    if isinstance(env, EnvSource):
        return env.with_options(options)
    if isinstance(env, gym.Env):
        return _source_of_object(env, options)
    if not isinstance(env, str | EnvSpec) and not callable(env):
        raise InputError(
            f"an environment must be an id, a gymnasium.Env, its class, or a function that returns "
            f"one, got {type(env).__module__}.{type(env).__qualname__}"
        )
    return describe(env).with_options(options)


def _source_of_object(env: gym.Env[Any, Any], options: Mapping[str, Any]) -> EnvSource:
    """Return a description that gives the same environment: by its spec, a copy, or itself."""
    extra = sorted(options.keys() - {LIMIT})
    if extra:
        raise InputError(
            f"an environment that is built already takes no argument {extra[0]}: pass its class or "
            f"its id"
        )
    name = name_of_object(env)
    candidates: list[EnvSource] = [] if env.spec is None else [of_spec(env.spec)]
    copied = _pickle_env(env)
    if copied is not None:
        candidates.append(EnvSource(copied, name))
    itself = EnvSource(env, name, options)
    limited = build(itself, None)
    is_rebuilt = any(isinstance(layer, RebuiltEachEpisode) for layer in layers(env))
    if is_rebuilt and declared(env, REBUILD) is None:
        candidates = [each.with_options({REBUILD: True}) for each in candidates]
    check_goal_env(limited)
    for candidate in candidates:
        source = candidate.with_options(options)
        # Wrappers that Gymnasium cannot build again, for instance, raise.
        with contextlib.suppress(Exception):
            if is_same(limited, functools.partial(build, source, None)):
                return source
    return itself


def _pickle_env(env: gym.Env[Any, Any]) -> bytes | None:
    try:
        return bytes(cloudpickle.dumps(env))
    except Exception:  # Depends on what cannot be pickled.
        return None
