"""What can be done with the name of an environment, out of a file or in a printed command."""

import inspect
import operator
import shlex
import subprocess
import sys
from typing import Any

import gymnasium as gym

from headstart.envs import panda, robotics
from headstart.envs.ids import split_id
from headstart.errors import InputError

_LARGEST = 1_000_000
_MAIN = "__main__"
_FINDS = """\
import importlib.util, sys
sys.path.append("")
sys.exit(importlib.util.find_spec(sys.argv[1]) is None)
"""
_REGISTERS = """\
import sys, gymnasium, headstart.envs.make
sys.exit(sys.argv[1] not in gymnasium.registry)
"""


def is_registered(env_id: str) -> bool:
    """Return whether an id out of an untrusted file can be built.

    It is if nothing is imported or opened that it names, and no argument is a large number.
    """
    name, harmless = _harmless(env_id)
    if name not in gym.registry:
        robotics.register()
        panda.register(name)
    return name in gym.registry and harmless


def is_at_hand(name: str) -> bool:
    """Return whether an environment out of an untrusted file can be built with what is here.

    It is if it is registered, or a class of environments, in a module that is imported already.
    """
    base, harmless = _harmless(name)
    module, _, short = base.rpartition(":")
    if not module:
        return is_registered(name)
    if module not in sys.modules or not harmless:
        return False
    return short in gym.registry or is_env_class(attribute_of(sys.modules[module], short))


def is_buildable(name: str) -> bool:
    """Return whether a name says all that is needed to build the environment."""
    return not set(name.partition(",")[0]) & set("(<")


def is_env_class(value: object) -> bool:
    """Return whether it is a class of environments."""
    return inspect.isclass(value) and issubclass(value, gym.Env)


def attribute_of(module: Any, name: str) -> Any:
    """Return what a module holds under a name, which may have dots; ``None`` for nothing."""
    try:
        return operator.attrgetter(name)(module)
    except AttributeError:
        return None


def env_option(name: str) -> str | None:
    """Return what a printed command needs so that it works for this environment.

    Returns:
        Nothing, `` --env NAME``, or ``None`` where no command of its own can build it: it was
        registered or defined in a script, or passed as an object.
    """
    if not is_buildable(name):
        return None
    module, _, short = name.partition(",")[0].rpartition(":")
    if module:
        known = module != _MAIN and _succeeds(_FINDS, module.partition(".")[0])
    else:
        spec = gym.registry.get(short)
        own = spec is not None and str(spec.entry_point).startswith("headstart.")
        known = own or panda.is_own(short) or robotics.is_own(short) or _succeeds(_REGISTERS, short)
    if not known:
        return None
    return "" if not module and is_registered(name) else f" --env {shlex.quote(name)}"


def _succeeds(program: str, argument: str) -> bool:
    """Return whether a new process, which is what a command is, succeeds with a program.

    This one may have modules on its path, and registrations, that a command does not have.
    """
    command = [sys.executable, "-c", program, argument]
    return subprocess.run(command, capture_output=True).returncode == 0


def _harmless(env_id: str) -> tuple[str, bool]:
    """Return the id without its arguments, and whether these can do no harm."""
    try:
        name, options = split_id(env_id)
    except InputError:
        return env_id, False
    numbers = [value for value in options.values() if isinstance(value, bool | int | float)]
    # A larger one could be meant to fill the memory.
    return name, len(numbers) == len(options) and all(abs(n) <= _LARGEST for n in numbers)
