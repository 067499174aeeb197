"""Whether demonstrations of one environment id may serve another: widths and contents decide.

``FetchReach-v4`` and ``FetchReachDense-v4`` have the same states, actions and goals, and rewards
are computed by whatever environment is learned from; so do two versions, copies in two namespaces,
and wrapped environments, where the widths agree.
"""

import re
import shlex
from pathlib import Path

from headstart.envs.known import task_name
from headstart.envs.names import env_option
from headstart.errors import InputError
from headstart.text import printable

_WRAPPED = re.compile(r"[\w.]+\((.+)\)")
_LONGEST = 1000  # characters; an id that anyone may have written into a file


def is_same_task(one: str, other: str) -> bool:
    """Return whether ids differ at most in module, namespace, version, arguments and reward."""
    return _task(one) == _task(other)


def is_same_id(one: str, other: str) -> bool:
    """Return whether ids differ at most in module and arguments."""
    return _without_arguments(one) == _without_arguments(other)


def check_same_task(found: str, env_id: str, source: str | Path) -> None:
    """Refuse a file of demonstrations of another task.

    Args:
        found: the environment that the file names.
        env_id: the environment that they are for.
        source: the file or dataset, for the command that states that they fit.

    Raises:
        InputError: if it is another task.
    """
    if is_same_task(found, env_id):
        return
    statement = f"dataclasses.replace(load_demos({str(source)!r}), env_id={env_id!r})"
    if env_option(env_id) is not None:
        command = f"headstart demos import {shlex.quote(str(source))} --env {shlex.quote(env_id)}"
        statement = f"{command} --out NEW.npz"
    raise InputError(
        f"{source}: it is of {printable(found)!r}, not of {env_id}; if it fits all the same, say "
        f"so: {statement}"
    )


def _task(env_id: str) -> str:
    if len(env_id) > _LONGEST:
        return env_id
    name = env_id.removesuffix("(...)")
    while (wrapped := _WRAPPED.fullmatch(name)) is not None:
        name = wrapped[1].removesuffix("(...)")
    name = task_name(name).rpartition("/")[2]
    return name.removesuffix("Dense").removesuffix("Sparse")


def _without_arguments(env_id: str) -> str:
    return env_id.partition(",")[0].rpartition(":")[2]
