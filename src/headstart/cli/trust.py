"""Opening a file that the user names, for an environment that the user can trust."""

import contextlib
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium as gym

from headstart.envs.interface import widths
from headstart.envs.make import make_env
from headstart.envs.names import is_buildable, is_registered
from headstart.errors import InputError
from headstart.policy import Policy, load_policy
from headstart.rollout.behaviour import fit_policy

_LONGEST_ID = 1000


def open_policy(path: Path, chosen_env: str | None, command: str) -> tuple[Policy, str]:
    """Load a policy, and return it with the id of the environment that it is to run in.

    Args:
        path: a policy file or a run directory.
        chosen_env: the environment the user names, if any.
        command: what the user typed, for the error that says what to type.

    Raises:
        InputError: if the policy cannot be read, or environment and policy do not go together.
    """
    policy = load_policy(path)
    env_id = trusted_env(path, str(policy.metadata.get("env_id", "")), chosen_env, command)
    with contextlib.closing(make_env(env_id)) as env:
        policy = fit_policy(policy, env)
        trained = {
            "observation": policy.observation_dim,
            "goal": policy.goal_dim,
            "action": len(policy.action_low),
        }
        check_widths(path, trained, env_id, env)
    return policy, env_id


def check_widths(
    path: Path, expected: Mapping[str, int], env_id: str, env: gym.Env[Any, Any]
) -> None:
    """Refuse an environment that is another one than a file is for.

    Args:
        path: the file.
        expected: the widths of ``observation``, ``goal`` and ``action`` in it.
        env_id: what the environment is called.
        env: the environment.

    Raises:
        InputError: if a width of the environment differs.
    """
    found = widths(env)
    for name, width in expected.items():
        if width != found[name]:
            raise InputError(
                f"{path}: it has {name} width {width}, {env_id} has {found[name]}; "
                f"name the environment that it is for (ENV, or --env ENV)"
            )


def trusted_env(path: Path, named: str, chosen: str | None, command: str) -> str:
    """Return the environment for a file that names one.

    An environment id from a file is used only if it is registered already: building anything else
    could import a module that the file's author, and not the user, chose.

    Args:
        path: the file.
        named: the environment that it names.
        chosen: the environment that the user names, if any.
        command: what the user typed, for the error that says what to type.

    Raises:
        InputError: if the file's environment is not registered, and the user names none.
    """
    if chosen is not None:
        return chosen
    if len(named) > _LONGEST_ID:
        raise InputError(
            f"{path}: its environment has a name of {len(named)} characters; name it yourself: "
            f"{command} --env ENV"
        )
    if ":" not in named and is_registered(named):
        return named
    for_it = f"{path}: it is for {named!r}"
    if not is_buildable(named) or named.startswith("__main__:"):
        raise InputError(
            f"{for_it}, of a script or notebook, which no command can build; use it in Python, "
            f"there (env=...)"
        )
    if ":" not in named and not is_registered(named.partition(",")[0]):
        raise InputError(
            f"{for_it}, which is not registered here; name it yourself, with the module that "
            f"registers it: {command} --env {shlex.quote('MODULE:' + named)}"
        )
    raise InputError(
        f"{for_it}, which is not built unasked; if you trust it, name it yourself: "
        f"{command} --env {shlex.quote(named)}"
    )
