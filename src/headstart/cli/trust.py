"""Opening a file that the user names, for an environment that the user can trust."""

import shlex
from pathlib import Path

from headstart.envs.goal_env import widths
from headstart.envs.make import is_registered, make_env
from headstart.errors import InputError
from headstart.policy import Policy, load_policy


def open_policy(path: Path, chosen_env: str | None, command: str) -> tuple[Policy, str]:
    """Load a policy, and return it with the id of the environment that it is to run in.

    Args:
        path: a policy file or a run directory.
        chosen_env: the environment the user names, if any.
        command: what the user typed so far, for the error that says how to go on.

    Raises:
        InputError: if the policy cannot be read, or environment and policy do not go together.
    """
    policy = load_policy(path)
    env_id = trusted_env(path, str(policy.metadata.get("env_id", "")), chosen_env, command)
    env = make_env(env_id)
    found = widths(env)
    env.close()
    trained = {
        "observation": policy.observation_dim,
        "goal": policy.goal_dim,
        "action": len(policy.action_low),
    }
    for name, width in trained.items():
        if width != found[name]:
            raise InputError(
                f"{path}: the policy has {name} width {width}, {env_id} has {found[name]}; "
                f"name the environment it was trained on with --env"
            )
    return policy, env_id


def trusted_env(path: Path, named: str, chosen: str | None, command: str) -> str:
    """Return the environment for a file that names one.

    An environment id from a file is used only if it is registered already: building anything else
    could import a module that the file's author, and not the user, chose.

    Args:
        path: the file.
        named: the environment that it names.
        chosen: the environment that the user names, if any.
        command: what the user typed so far, for the error that says how to go on.

    Raises:
        InputError: if the file's environment is not registered, and the user names none.
    """
    if chosen is None and (":" in named or not is_registered(named)):
        raise InputError(
            f"{path}: it is for {named!r}, which is not registered here; "
            f"if you trust it, name it yourself: {command} --env {shlex.quote(named)}"
        )
    return chosen or named
