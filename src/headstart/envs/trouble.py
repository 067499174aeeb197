"""What MuJoCo does not raise: a state that it could not compute, and replaced by its first one."""

from typing import Any

import gymnasium as gym

_BAD_STATES = ("BADQPOS", "BADQVEL", "BADQACC", "BADCTRL")


def simulator_trouble(env: gym.Env[Any, Any]) -> str | None:
    """Return what went wrong in the simulator since the last reset, if anything did.

    MuJoCo meets a number that is not finite, or is huge, with a line on standard error and a reset
    of its own in the middle of a step: what it returns from there on is finite and false.
    """
    warnings = getattr(getattr(env.unwrapped, "data", None), "warning", None)
    if warnings is None:
        return None
    import mujoco

    for name in _BAD_STATES:
        if warnings[getattr(mujoco.mjtWarning, f"mjWARN_{name}")].number:
            return f"MuJoCo lost its state ({name}) and reset itself within a step"
    return None
