"""``make_env``: the only place where an environment is built."""

import contextlib
import functools
import inspect
import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import cloudpickle
import gymnasium as gym
from gymnasium.envs.registration import EnvSpec
from gymnasium.wrappers import TimeLimit

from headstart.envs import robotics
from headstart.envs.goal_env import check_goal_env
from headstart.envs.ids import close_ids, newest_version
from headstart.envs.interface import layers
from headstart.envs.known import known
from headstart.envs.names import is_buildable
from headstart.envs.source import EnvLike, EnvSource, Factory, described, of_spec
from headstart.envs.twins import is_same
from headstart.errors import InputError, require

gym.register("PointReach-v0", entry_point="headstart.envs.toy:PointReach", max_episode_steps=30)
gym.register("BitFlip-v0", entry_point="headstart.envs.toy:BitFlip", max_episode_steps=8)

_LIMIT = "max_episode_steps"
_NOT_GYMNASIUM = ("Gym is incompatible with Gymnasium", "The environment must inherit from")


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
    built = _build(source, render_mode)
    try:
        check_goal_env(built, source.name)
    except InputError:
        built.close()
        raise
    robotics.quicken(built)
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
    options = options or {}
    if isinstance(env, EnvSource):
        return env.with_options(options)
    if isinstance(env, gym.Env):
        return _source_of_object(env, options)
    if not isinstance(env, str | EnvSpec) and not callable(env):
        raise InputError(
            f"an environment must be an id, a gymnasium.Env, its class, or a function that returns "
            f"one, got {type(env).__module__}.{type(env).__qualname__}"
        )
    return described(env).with_options(options)


def _source_of_object(env: gym.Env[Any, Any], options: Mapping[str, Any]) -> EnvSource:
    """Return a description that gives the same environment: by its spec, a copy, or itself."""
    extra = sorted(options.keys() - {_LIMIT})
    if extra:
        raise InputError(
            f"an environment that is built already takes no argument {extra[0]}: pass its class or "
            f"its id"
        )
    kind = type(env.unwrapped)
    name = f"{kind.__module__}:{kind.__qualname__}(...)"
    candidates: list[EnvSource] = [] if env.spec is None else [of_spec(env.spec)]
    copied = _pickled(env)
    if copied is not None:
        candidates.append(EnvSource(copied, name))
    itself = EnvSource(env, name, options)
    limited = _build(itself, None)
    check_goal_env(limited)
    for candidate in candidates:
        source = candidate.with_options(options)
        # Wrappers that Gymnasium cannot build again, for instance, raise.
        with contextlib.suppress(Exception):
            if is_same(limited, functools.partial(_build, source, None)):
                return source
    return itself


def _pickled(env: gym.Env[Any, Any]) -> bytes | None:
    try:
        return bytes(cloudpickle.dumps(env))
    except Exception:  # Depends on what cannot be pickled.
        return None


def _build(source: EnvSource, render_mode: str | None) -> gym.Env[Any, Any]:
    origin, options = source.origin, dict(source.options)
    # Environments that cannot render take no render_mode, not even None.
    if render_mode is not None:
        options["render_mode"] = render_mode
        if isinstance(origin, EnvSpec) and robotics.is_robotic(origin):
            options |= known(origin.id).render_options
    try:
        with warnings.catch_warnings():
            # Gymnasium warns of old versions and of checks that check_goal_env makes itself.
            warnings.simplefilter("ignore")
            if isinstance(origin, str | EnvSpec):
                return _made(source, origin, options)
            if isinstance(origin, bytes | gym.Env):
                return _copied(source, origin, options)
            return _called(source, origin, options)
    except InputError:
        raise
    except gym.error.Error as error:
        raise InputError(_refusal(source, error)) from error
    except ImportError as error:
        reason = f"what it needs cannot be imported ({_first_line(error)})"
        raise InputError(f"environment {source.name!r}: {reason}") from error
    except (AssertionError, TypeError, ValueError, MemoryError) as error:
        told = _unbuildable(options, error)
        if told is None:
            raise
        raise InputError(f"environment {source.name!r} {told}") from error


def _made(
    source: EnvSource, origin: str | EnvSpec, options: Mapping[str, Any]
) -> gym.Env[Any, Any]:
    if isinstance(origin, EnvSpec) and robotics.is_robotic(origin):
        robotics.register()
    try:
        env = gym.make(origin, disable_env_checker=True, **options)
    except gym.error.UnregisteredEnv:
        # An environment of somebody else may build a robot task, and leave the import to us.
        robotics.register()
        env = gym.make(origin, disable_env_checker=True, **options)
    if env.spec is not None and env.spec.max_episode_steps is None and _own_limits(env):
        return _limited(env, source, None)
    return env


def _copied(
    source: EnvSource, origin: bytes | gym.Env[Any, Any], options: dict[str, Any]
) -> gym.Env[Any, Any]:
    env = cloudpickle.loads(origin) if isinstance(origin, bytes) else origin
    mode = options.pop("render_mode", None)
    if mode is not None and env.render_mode != mode:
        raise InputError(
            f"environment {source.name!r} was not built to be drawn: pass one with "
            f"render_mode={mode!r}, or its class"
        )
    return _limited(env, source, options.get(_LIMIT), borrowed=env is origin)


def _called(source: EnvSource, factory: Factory, options: dict[str, Any]) -> gym.Env[Any, Any]:
    limit = options.get(_LIMIT)
    given = {name: options[name] for name in options if name != _LIMIT}
    try:
        signature = inspect.signature(factory)
        if _LIMIT in options and _LIMIT in signature.parameters:
            given = options
        signature.bind(**given)
    except TypeError as error:
        what = "cannot be rendered" if "render_mode" in given else "cannot be built"
        raise InputError(f"environment {source.name!r} {what}: {error} (env_kwargs)") from error
    except ValueError:
        pass  # Some classes written in C have no signature.
    env = factory(**given)
    if not isinstance(env, gym.Env):
        kind = f"{type(env).__module__}.{type(env).__qualname__}"
        raise InputError(f"environment {source.name!r}: it is a {kind}, not a gymnasium.Env")
    return _limited(env, source, limit)


def _limited(
    env: gym.Env[Any, Any], source: EnvSource, limit: int | None, *, borrowed: bool = False
) -> gym.Env[Any, Any]:
    """Give an environment the spec and the time limit that a registered one has."""
    spec = env.spec
    if limit is None and spec is not None:
        limit = spec.max_episode_steps
    limits = _own_limits(env)
    if limit is not None and limit not in limits:
        require(
            type(limit) is int and limit > 0,
            f"environment {source.name!r}: {_LIMIT} must be a positive integer",
            limit,
        )
        env, limits = TimeLimit(env, limit), [*limits, limit]
    if not limits:
        how = f"pass env_kwargs={{{_LIMIT!r}: N}}"
        if is_buildable(source.name):
            how = f"append one, {source.name},{_LIMIT}=N, in Python {how}"
        raise InputError(
            f"environment {source.name!r} has no time limit: {how}, wrap it in "
            f"gymnasium.wrappers.TimeLimit, or register it"
        )
    short = source.base.partition(",")[0].rpartition(":")[2].rpartition(".")[2]
    plain = "".join(sign for sign in short if sign.isalnum() or sign in "_-") or "env"
    named = replace(spec) if spec is not None else EnvSpec(plain)
    named.max_episode_steps = min(limits)
    return _Described(env, named, borrowed=borrowed)


def _own_limits(env: gym.Env[Any, Any]) -> list[int]:
    return [layer._max_episode_steps for layer in layers(env) if isinstance(layer, TimeLimit)]


class _Described(gym.Wrapper[Any, Any, Any, Any]):
    """Gives an environment a spec; one that is borrowed stays open."""

    def __init__(self, env: gym.Env[Any, Any], spec: EnvSpec, *, borrowed: bool) -> None:
        super().__init__(env)
        self._spec = spec
        self._close = None if borrowed else env.close

    @property
    def spec(self) -> EnvSpec:  # type: ignore[override]
        """What it is called, and its time limit."""
        return self._spec

    def close(self) -> None:
        """Close the environment, unless it belongs to the caller."""
        if self._close is not None:
            self._close()


def _refusal(source: EnvSource, error: gym.error.Error) -> str:
    """Return Gymnasium's own reason, and what is there instead."""
    env_id = source.origin.id if isinstance(source.origin, EnvSpec) else str(source.origin)
    reason = _first_line(error).partition(" Did you mean")[0].rstrip(".")
    told = f"environment {source.name!r}: {reason}"
    newest = newest_version(env_id)
    if newest is not None and newest != env_id:
        return f"{told}; there is {newest}"
    if isinstance(source.origin, EnvSpec):
        return told
    close = close_ids(env_id)
    module = (
        f"; if a module registers it, name it: MODULE:{env_id}" if ":" not in source.base else ""
    )
    return f"{told}; did you mean {', '.join(close)}?" if close else f"{told}{module}"


def _unbuildable(options: Mapping[str, Any], error: Exception) -> str | None:
    """Return why an environment cannot be built; ``None`` where the traceback tells it best."""
    import mujoco

    version = tuple(int(part) for part in mujoco.__version__.split(".")[:2])
    if isinstance(error, AssertionError) and version >= (3, 12):
        return (
            f"cannot be built with mujoco {mujoco.__version__}: gymnasium-robotics 1.4.2 needs an "
            f'older one, run `pip install "mujoco>=3.8.1,<3.12"`'
        )
    if str(error).startswith(_NOT_GYMNASIUM):
        return f"is not of Gymnasium: {_first_line(error)}"
    if not options:
        return None
    if "render_mode" in options:
        return "cannot be rendered"
    # Gymnasium wraps a TypeError in one that shows all arguments.
    reason = str(error.__cause__ or error) or "it stops with an AssertionError"
    return f"does not take these arguments: {reason.splitlines()[0]}"


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
