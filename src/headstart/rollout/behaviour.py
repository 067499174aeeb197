"""Policies as callers give them: an object, a function, a file, a run directory or a result."""

from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import gymnasium as gym

from headstart.data.component_inputs import ComponentInputs
from headstart.data.goals import GoalRegions
from headstart.envs.components import component_inputs
from headstart.envs.goal_env import GoalSpec
from headstart.envs.interface import widths
from headstart.envs.names import is_at_hand
from headstart.envs.source import EnvLike
from headstart.envs.task import TaskConfig
from headstart.errors import InputError
from headstart.files.strict_json import build
from headstart.policy import Policy, load_policy
from headstart.rollout.job import Behaviour, policy_name
from headstart.text import printable

_LONGEST_ID = 1000


@runtime_checkable
class Trained(Protocol):
    """An outcome of training, of which the best policy is meant."""

    @property
    def best_policy(self) -> Policy:
        """The policy that was best in the evaluations of its run."""

    @property
    def env(self) -> EnvLike:
        """The environment that it was trained in."""


PolicyLike = Behaviour | str | Path | Trained
"""A ``Policy`` or any function of an observation dict, the path of a policy file or of a run
directory (its best policy), or what ``train`` returned (its best policy)."""


def open_behaviour(policy: PolicyLike) -> Behaviour:
    """Return what acts.

    Raises:
        InputError: if a file cannot be read, or it is none of what a policy may be given as.
    """
    if isinstance(policy, str | Path):
        return load_policy(policy)
    if callable(policy) and not isinstance(policy, type):
        return policy
    if isinstance(policy, Trained):
        return policy.best_policy
    hint = ""
    if isinstance(policy, type):
        hint = f" {policy.__name__}, the class and not an object of it"
    elif hasattr(policy, "predict"):
        hint = "; of a model with predict: lambda observation: model.predict(observation)[0]"
    raise InputError(
        f"a policy is a Policy, a function of an observation, or the path of a policy file or run "
        f"directory, got {type(policy).__name__}{hint}"
    )


def env_of(policy: PolicyLike, behaviour: Behaviour) -> EnvLike:
    """Return the environment that a policy was trained in.

    Args:
        policy: as the caller gives it.
        behaviour: what it was opened as.

    A policy may come from an untrusted file: an environment is taken from it only if it is
    registered here already, and building it imports nothing new.

    Raises:
        InputError: if it names none, or none that can be taken.
    """
    if isinstance(policy, Trained):
        return policy.env
    metadata = behaviour.metadata if isinstance(behaviour, Policy) else {}
    named = metadata.get("env_id")
    if not isinstance(named, str) or not named:
        raise InputError(
            f"{policy_name(behaviour)} names no environment; say in which it is to run, e.g. "
            f"evaluate(policy, 'FetchReach-v4')"
        )
    if len(named) > _LONGEST_ID or not is_at_hand(named):
        raise InputError(
            f"the policy is for {printable(named)!r}, which is not registered here; if you trust "
            f"it, name the environment yourself, e.g. evaluate(policy, env)"
        )
    return named


def declared_task(policy: Behaviour, env_id: str) -> TaskConfig | None:
    """Return what a policy says was declared of its environment, if that is the one of this name.

    Raises:
        InputError: if it says what cannot be declared.
    """
    metadata = policy.metadata if isinstance(policy, Policy) else {}
    regions: Any = metadata
    for name in ("config", "task", "goal_regions"):
        regions = regions.get(name) if isinstance(regions, dict) else None
    if regions is None or metadata.get("env_id") != env_id:
        return None
    try:
        return TaskConfig(goal_regions=build(GoalRegions, regions, "goal_regions"))
    except ValueError as error:
        raise InputError(f"a policy for {printable(env_id)}: {printable(error)}") from error


def fit_behaviour(behaviour: Behaviour, env: gym.Env[Any, Any]) -> Behaviour:
    """Return what acts in an environment: a policy as ``fit_policy`` does, all else as it is."""
    return fit_policy(behaviour, env) if isinstance(behaviour, Policy) else behaviour


def fit_policy(policy: Policy, env: gym.Env[Any, Any]) -> Policy:
    """Return a policy for an environment whose goals may have more or fewer components.

    All but one that sees one component at a time is returned as it is.

    Raises:
        InputError: if the environment does not show that policy what it sees.
    """
    seen, sizes = policy.inputs, widths(env)
    if not isinstance(seen, ComponentInputs):
        return policy
    if (sizes["observation"], sizes["goal"]) == (seen.observation_dim, seen.goal_dim):
        return policy
    spec = GoalSpec.from_env(env, success_needed=False)
    try:
        if spec.action_dim != len(policy.action_low):
            raise ValueError(f"it has actions of {spec.action_dim} numbers")
        return policy.seeing(component_inputs(spec))
    except ValueError as error:
        trained = printable(policy.metadata.get("env_id", "goals of several components"))
        raise InputError(f"a policy for {trained} does not fit here: {error}") from error
