"""What goes into an exported policy and what comes out, the same in every format."""

from dataclasses import fields
from typing import Any

import numpy as np

from headstart.data.component_inputs import ComponentInputs
from headstart.data.inputs import InputMap
from headstart.errors import InputError
from headstart.policy import FloatArray, Policy
from headstart.text import printable

SCHEMA = 1
INSIDE = "selection of inputs, clipping, normaliser, network, action scale and action bounds"
_POLICY_FIELDS = {
    *("layers", "mean", "std", "input_clip", "output_clip", "observation_dim", "goal_dim"),
    *("goal_input", "action_low", "action_high", "metadata", "inputs"),
}
_INPUT_FIELDS = {"terms", "observation_dim", "goal_dim", "scales"}
_COMPONENT_FIELDS = {
    *("observation_dim", "goal_dim", "dim", "goals", "firsts", "own", "shared", "hand"),
    *("heights", "distances", "scales"),
}
Inputs = InputMap | ComponentInputs


def inputs_of(policy: Policy) -> Inputs:
    """Return what the network sees of ``[observation, achieved goal, desired goal]``.

    Raises:
        InputError: if the policy sees something that exports cannot express.
    """
    given = policy.inputs or InputMap.of(policy.observation_dim, policy.goal_dim, policy.goal_input)
    seen = _COMPONENT_FIELDS if isinstance(given, ComponentInputs) else _INPUT_FIELDS
    for holder, known in ((policy, _POLICY_FIELDS), (given, seen)):
        for each in fields(holder):
            if each.name not in known and getattr(holder, each.name) not in (None, (), False):
                raise InputError(
                    f"the policy's inputs have {each.name}, which cannot be exported yet; "
                    f"train with --actor-inputs all, or use the .safetensors file with numpy"
                )
    return given


def action_scale(policy: Policy) -> tuple[FloatArray, FloatArray]:
    """Return centre and half of the range of actions, ``(action_dim,)`` each."""
    low, high = policy.action_low, policy.action_high
    return np.asarray((high + low) / 2, np.float32), np.asarray((high - low) / 2, np.float32)


def contract_of(policy: Policy) -> dict[str, Any]:
    """Return inputs, outputs and origin of a policy as plain JSON values."""
    widths = {
        "observation": policy.observation_dim,
        "achieved_goal": policy.goal_dim,
        "desired_goal": policy.goal_dim,
    }
    return {
        "schema": SCHEMA,
        "env_id": env_name_of(policy),
        "inputs": [
            {"name": name, "dtype": "float32", "shape": ["batch", width]}
            for name, width in widths.items()
        ],
        "outputs": [
            {
                "name": "action",
                "dtype": "float32",
                "shape": ["batch", len(policy.action_low)],
                "low": policy.action_low.tolist(),
                "high": policy.action_high.tolist(),
            }
        ],
        "inside": INSIDE,
    }


def env_name_of(policy: Policy) -> str:
    """Return the id of the environment that a policy was trained in, as far as it is known."""
    return printable(policy.metadata.get("env_id", "unknown environment"))
