"""Gymnasium-Robotics: registering it quietly, and where its cameras stand."""

import contextlib
import io
import sys
import warnings
from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec


def register() -> None:
    """Register the tasks of Gymnasium-Robotics, once."""
    if "gymnasium_robotics" in sys.modules and "FetchReach-v4" in gym.registry:
        return
    # Importing it prints advice about hand tasks on standard error, at every start.
    with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import gymnasium_robotics
    gym.register_envs(gymnasium_robotics)


def is_own(env_id: str) -> bool:
    """Return whether Gymnasium-Robotics registers an id, and it is still what it registered."""
    register()
    found = gym.registry.get(env_id)
    if found is None or not is_robotic(found):
        return False
    import gymnasium_robotics

    everything = dict(gym.registry)
    del gym.registry[env_id]
    try:
        with warnings.catch_warnings():
            # Everything else is there already.
            warnings.simplefilter("ignore")
            gymnasium_robotics.register_robotics_envs()
        own = gym.registry.get(env_id)
    finally:
        gym.registry.clear()
        gym.registry.update(everything)
    return own is not None and (own.entry_point, own.kwargs) == (found.entry_point, found.kwargs)


def is_robotic(spec: EnvSpec) -> bool:
    """Return whether Gymnasium-Robotics is to be imported for an environment."""
    return isinstance(spec.entry_point, str) and is_part(spec.entry_point.partition(":")[0])


def is_part(module: str) -> bool:
    """Return whether a module is one of Gymnasium-Robotics."""
    return module.partition(".")[0] == "gymnasium_robotics"


def aim(env: gym.Env[Any, Any], camera: Mapping[str, Any] | None) -> None:
    """Let an environment of MuJoCo be drawn by a camera, if there is one, from the start on."""
    renderer = getattr(env.unwrapped, "mujoco_renderer", None)
    if camera is not None and renderer is not None:
        # Arrays are copied into MuJoCo's own, tuples are not.
        renderer.default_cam_config = {
            name: np.array(value) if np.ndim(value) else value for name, value in camera.items()
        }
