"""The goal-environment contract: what an environment must have, or is refused."""

from typing import Any

import gymnasium as gym
from gymnasium import spaces

from headstart.envs.interface import GOAL_KEYS, check_methods, env_name, layers
from headstart.errors import InputError


def check_goal_env(env: gym.Env[Any, Any], env_id: str | None = None) -> None:
    """Refuse, by name, an environment that does not keep the goal contract.

    Args:
        env: the environment.
        env_id: the id that it was built from, if it is not its own.

    Raises:
        InputError: if a key, ``compute_reward``, a bounded continuous action or a time limit is
            missing.
    """
    name = env_name(env)
    space = env.observation_space
    if type(space).__module__.startswith("gym."):
        raise InputError(f"{name}: its spaces are those of gym, take gymnasium.spaces")
    if not isinstance(space, spaces.Dict) or not set(GOAL_KEYS) <= set(space.spaces):
        raise InputError(
            f"{name} is not a goal environment: its observation is not a Dict with the keys "
            f"{', '.join(GOAL_KEYS)}"
        )
    for key in GOAL_KEYS:
        if not isinstance(space[key], spaces.Box) or len(space[key].shape or ()) != 1:
            raise InputError(f"{name}: {key} must be a flat vector (Box), got {space[key]}")
    if space["achieved_goal"].shape != space["desired_goal"].shape:
        raise InputError(
            f"{name}: achieved_goal {space['achieved_goal'].shape} and desired_goal "
            f"{space['desired_goal'].shape} must have the same shape"
        )
    if not env.has_wrapper_attr("compute_reward"):
        raise InputError(f"{name} is not a goal environment: it has no compute_reward method")
    check_methods(env)
    _check_actions(env)
    if env.spec is None or env.spec.max_episode_steps is None:
        raise InputError(
            f"{name} has no time limit: append one to the id, as in "
            f"{env_id or name},max_episode_steps=100, or register it with one"
        )


def _check_actions(env: gym.Env[Any, Any]) -> None:
    name, actions = env_name(env), env.action_space
    shown = " ".join(str(actions).split())  # bounds of many dimensions take many lines
    if not isinstance(actions, spaces.Box) or actions.dtype.kind != "f":
        raise InputError(f"{name}: actions must be continuous and bounded (Box), got {shown}")
    if not actions.is_bounded():
        clipped = any(isinstance(layer, gym.wrappers.ClipAction) for layer in layers(env))
        hint = (
            "leave out the wrapper ClipAction, which hides the bounds; actions stay inside them"
            if clipped
            else "wrap it in gymnasium.wrappers.TransformAction(env, lambda action: action, "
            "gymnasium.spaces.Box(low, high)) with the bounds that make sense"
        )
        raise InputError(
            f"{name}: actions must be continuous and bounded (Box), got {shown}; {hint}"
        )
    if len(actions.shape) != 1 or not (actions.low < actions.high).all():
        raise InputError(
            f"{name}: actions must be a flat vector with a range in every dimension, got {shown}"
        )
