"""What users pass as an environment, and one description of it that can be sent away."""

import functools
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec

from headstart.envs import panda, robotics
from headstart.envs.ids import close_ids, join_id, newest_version, split_id, unversioned
from headstart.envs.names import attribute_of
from headstart.errors import InputError

Factory = Callable[..., Any]
"""A class of environments, or a function that returns one."""


@dataclass(frozen=True, eq=False)
class EnvSource:
    """How an environment is built, as often as it takes, in any process."""

    origin: str | EnvSpec | Factory | bytes | gym.Env[Any, Any] = field(repr=False)
    """An id that Gymnasium may know, a registration, a class or function, a pickled environment,
    or an environment that can be neither built again nor copied."""
    base: str
    """What it is called without its options."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of the environment; ``max_episode_steps`` is the time limit of any."""

    @property
    def name(self) -> str:
        """What messages and files call it: an id, ``module:Class``, or text that is neither.

        What has brackets before the first comma does not say all that is needed to build it.
        """
        name = join_id(self.base, self.options)
        return f"{self.base}(...)" if name is None else name

    def with_options(self, options: Mapping[str, Any]) -> "EnvSource":
        """Return the same environment with more arguments."""
        return replace(self, options={**self.options, **options}) if options else self

    def without(self, option: str) -> "EnvSource":
        """Return the same environment without an argument."""
        left = {name: value for name, value in self.options.items() if name != option}
        return replace(self, options=left)


EnvLike = str | EnvSpec | gym.Env[Any, Any] | Factory | EnvSource
"""An id, a registration, an environment, its class, or a function that returns one."""


def describe(env: str | EnvSpec | Factory) -> EnvSource:
    """Return the description of an environment that is not built yet.

    Raises:
        InputError: if an id names a module that cannot be imported.
    """
    if isinstance(env, str):
        return _of_id(env)
    if isinstance(env, EnvSpec):
        return of_spec(env)
    return EnvSource(env, _name_of_factory(env))


def of_spec(spec: EnvSpec) -> EnvSource:
    """Return the description of an environment with this registration, which does not render."""
    kwargs = {name: value for name, value in spec.kwargs.items() if name != "render_mode"}
    return EnvSource(replace(spec, kwargs=kwargs), _name_of_spec(replace(spec, kwargs=kwargs)))


def name_of_object(env: gym.Env[Any, Any]) -> str:
    """Return what an environment is called that its spec does not build again."""
    if env.spec is None:
        kind = type(env.unwrapped)
        return f"{kind.__module__}:{kind.__qualname__}(...)"
    name = _name_of_spec(env.spec)
    return name if "(" in name.partition(",")[0] else f"{env.spec.id}(...)"


def _of_id(env_id: str) -> EnvSource:
    name, options = split_id(env_id)
    module, _, short = name.rpartition(":")
    imported = _import(env_id, module) if module else None
    if short not in gym.registry and imported is not None:
        factory = attribute_of(imported, short)
        if callable(factory):
            return EnvSource(factory, name, options)
    # Importing the robot tasks takes longer than all else that a collector needs.
    if short not in gym.registry:
        robotics.register()
        panda.register(short)
    # What a script defines is not a version of what is registered.
    whole = short in gym.registry or unversioned(short) != short or module == "__main__"
    full = short if whole else newest_version(short)
    if full not in gym.registry:
        _refuse_unknown(env_id, module, short)
        return EnvSource(short, name, options)
    assert full is not None
    return EnvSource(gym.registry[full], f"{module}:{full}" if module else full, options)


def _import(env_id: str, module: str) -> Any:
    if robotics.is_part(module):
        robotics.register()
    try:
        return importlib.import_module(module)
    except (ImportError, ValueError, TypeError) as error:
        raise InputError(
            f"environment {env_id!r}: its module cannot be imported ({error}); it must be "
            f"installed, on PYTHONPATH, or in the current directory"
        ) from error


def _refuse_unknown(env_id: str, module: str, name: str) -> None:
    """Refuse what its module should hold and does not."""
    if module == "__main__":
        raise InputError(
            f"environment {env_id!r} was defined in a script or notebook, which this is not: "
            f"pass it in Python, there (env=...)"
        )
    if module and newest_version(name) is None:
        hint = "".join(f"; did you mean {module}:{found}?" for found in close_ids(name)[:1])
        raise InputError(
            f"environment {env_id!r}: {module} neither registers nor defines {name!r}{hint}"
        )


def _name_of_spec(spec: EnvSpec) -> str:
    """Return the id with what differs from its registration."""
    registered = gym.registry.get(spec.id)
    if registered is None or registered.entry_point != spec.entry_point:
        return f"{spec.id}(...)"
    before = registered.kwargs
    changed = {
        name: value
        for name, value in spec.kwargs.items()
        if name not in before or not _same(before[name], value)
    }
    if spec.max_episode_steps not in (None, registered.max_episode_steps):
        changed["max_episode_steps"] = spec.max_episode_steps
    name = join_id(spec.id, changed) or f"{spec.id}(...)"
    for wrapper in spec.additional_wrappers[len(registered.additional_wrappers) :]:
        name = f"{wrapper.name}({name})"
    return name


def _same(one: Any, other: Any) -> bool:
    try:
        return bool(one == other)
    except Exception:  # Comparing arrays, for instance, raises.
        return False


def _name_of_factory(factory: Factory) -> str:
    if isinstance(factory, functools.partial):
        name = _name_of_factory(factory.func)
        whole = None if factory.args else join_id(name, factory.keywords)
        return whole or f"{name}(...)"
    kind: Any = factory if hasattr(factory, "__qualname__") else type(factory)
    name = f"{kind.__module__}:{kind.__qualname__}"
    return name if kind is factory else f"{name}(...)"
