"""The only place where an environment is built, and why one cannot be."""

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
from headstart.envs.flat_goals import flatten_goals
from headstart.envs.ids import close_ids, newest_version
from headstart.envs.interface import declared, layers, truth
from headstart.envs.kitchen import pay_for_goals
from headstart.envs.names import is_buildable
from headstart.envs.panda import end_at_goals
from headstart.envs.rebuilding import REBUILD, RebuiltEachEpisode
from headstart.envs.source import EnvSource, Factory
from headstart.errors import InputError, require

LIMIT = "max_episode_steps"
"""The argument that every environment takes: its time limit."""
_NOT_GYMNASIUM = ("Gym is incompatible with Gymnasium", "The environment must inherit from")


def build(source: EnvSource, render_mode: str | None) -> gym.Env[Any, Any]:
    """Build an environment, whatever it is; whether it has goals is not looked at.

    Args:
        source: how.
        render_mode: as in ``gymnasium.make``.

    Raises:
        InputError: if it cannot be built from what the user gave.
    """
    rebuilds = source.options.get(REBUILD)
    plain = source.without(REBUILD)
    env = _build_once(plain, render_mode)
    if rebuilds is None:
        is_object = isinstance(source.origin, gym.Env)
        rebuilds = not is_object and truth(env, f"the attribute {REBUILD}", declared(env, REBUILD))
    what = f"environment {source.name!r}: {REBUILD} must be true or false"
    require(type(rebuilds) is bool, what, rebuilds)
    is_rebuilt = any(isinstance(layer, RebuiltEachEpisode) for layer in layers(env))
    if not rebuilds or is_rebuilt:
        return env
    return RebuiltEachEpisode(env, functools.partial(_build_once, plain, render_mode))


def _build_once(source: EnvSource, render_mode: str | None) -> gym.Env[Any, Any]:
    options = dict(source.options)
    # Environments that cannot render take no render_mode, not even None.
    if render_mode is not None:
        options["render_mode"] = render_mode
    try:
        with warnings.catch_warnings():
            # Gymnasium warns of old versions and of checks that check_goal_env makes itself.
            warnings.simplefilter("ignore")
            try:
                built = _dispatch(source, options)
            except gym.error.UnregisteredEnv:
                # What is built may build a robot task itself, and leave the import to us.
                robotics.register()
                built = _dispatch(source, options)
        return flatten_goals(end_at_goals(pay_for_goals(built)))
    except InputError:
        raise
    except gym.error.Error as error:
        raise InputError(_refusal(source, error)) from error
    except ImportError as error:
        raise InputError(
            f"environment {source.name!r}: what it needs cannot be imported ({_first_line(error)})"
        ) from error
    except (AssertionError, TypeError, ValueError, MemoryError) as error:
        reason = _unbuildable(options, error)
        if reason is None:
            raise
        raise InputError(f"environment {source.name!r} {reason}") from error


def _dispatch(source: EnvSource, options: dict[str, Any]) -> gym.Env[Any, Any]:
    origin = source.origin
    if isinstance(origin, str | EnvSpec):
        return _make(source, origin, options)
    if isinstance(origin, bytes | gym.Env):
        return _take(source, origin, dict(options))
    return _call(source, origin, options)


def _make(
    source: EnvSource, origin: str | EnvSpec, options: Mapping[str, Any]
) -> gym.Env[Any, Any]:
    if isinstance(origin, EnvSpec) and robotics.is_robotic(origin):
        robotics.register()
    env = gym.make(origin, disable_env_checker=True, **options)
    if env.spec is not None and env.spec.max_episode_steps is None and _own_limits(env):
        return _limit_time(env, source, None)
    return env


def _take(
    source: EnvSource, origin: bytes | gym.Env[Any, Any], options: dict[str, Any]
) -> gym.Env[Any, Any]:
    env = cloudpickle.loads(origin) if isinstance(origin, bytes) else origin
    mode = options.pop("render_mode", None)
    if mode is not None and env.render_mode != mode:
        raise InputError(
            f"environment {source.name!r} was not built to be drawn: pass one with "
            f"render_mode={mode!r}, or its class"
        )
    return _limit_time(env, source, options.get(LIMIT), borrowed=env is origin)


def _call(source: EnvSource, factory: Factory, options: dict[str, Any]) -> gym.Env[Any, Any]:
    limit = options.get(LIMIT)
    given = {name: options[name] for name in options if name != LIMIT}
    try:
        signature = inspect.signature(factory)
        if LIMIT in options and LIMIT in signature.parameters:
            given = options
        signature.bind(**given)
    except TypeError as error:
        if "render_mode" in str(error):
            why = "cannot be drawn: what builds it takes no render_mode"
        else:
            why = f"cannot be built with env_kwargs {given}: {error}"
        raise InputError(f"environment {source.name!r} {why}") from error
    except ValueError:
        pass  # Some classes written in C have no signature.
    env = factory(**given)
    if not isinstance(env, gym.Env):
        kind = f"{type(env).__module__}.{type(env).__qualname__}"
        raise InputError(f"environment {source.name!r}: it is a {kind}, not a gymnasium.Env")
    return _limit_time(env, source, limit)


def _limit_time(
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
            f"environment {source.name!r}: {LIMIT} must be a positive integer",
            limit,
        )
        env, limits = TimeLimit(env, limit), [*limits, limit]
    if not limits:
        how = f"pass env_kwargs={{{LIMIT!r}: N}}"
        if is_buildable(source.name):
            how = f"append one, {source.name},{LIMIT}=N, in Python {how}"
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
    refusal = f"environment {source.name!r}: {reason}"
    newest = newest_version(env_id)
    if newest is not None and newest != env_id:
        return f"{refusal}; there is {newest}"
    if isinstance(source.origin, EnvSpec):
        return refusal
    close = close_ids(env_id)
    module = (
        f"; if a module registers it, name it: MODULE:{env_id}" if ":" not in source.base else ""
    )
    return f"{refusal}; did you mean {', '.join(close)}?" if close else f"{refusal}{module}"


def _unbuildable(options: Mapping[str, Any], error: Exception) -> str | None:
    """Return why an environment cannot be built; ``None`` where the traceback says it best."""
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
        return (
            f"cannot be rendered: its class takes no render_mode={options['render_mode']!r}, which "
            f"render() draws by"
        )
    # Gymnasium wraps a TypeError in one that shows all arguments.
    reason = str(error.__cause__ or error) or "it stops with an AssertionError"
    return f"does not take these arguments: {reason.splitlines()[0]}"


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
