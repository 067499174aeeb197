"""A trained policy as a small numpy object: what collectors and robots run, without torch."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from headstart.durable import replace_file
from headstart.errors import InputError
from headstart.strict_json import parse_json
from headstart.tensor_file import pack, require_finite, unpack

FloatArray = NDArray[np.float32]
GoalInput = Literal["absolute", "relative", "both"]
SCHEMA = 1
MAX_BYTES = 2**30
_VECTORS = ("mean", "std", "action_low", "action_high")


@dataclass(frozen=True, eq=False, kw_only=True)
class Policy:
    """Observation dict in, greedy action in the env's own units out.

    The network sees ``[observation, goal]``, where the goal part is the desired goal, the desired
    minus the achieved goal, or both, standardised with ``mean`` and ``std``.
    """

    layers: tuple[tuple[FloatArray, FloatArray], ...]  # (weight (in, out), bias (out,)) in order
    mean: FloatArray  # (input_dim,)
    std: FloatArray  # (input_dim,)
    input_clip: float  # bound on the raw inputs
    output_clip: float  # bound on the standardised inputs
    observation_dim: int
    goal_dim: int
    goal_input: GoalInput
    action_low: FloatArray  # (action_dim,)
    action_high: FloatArray  # (action_dim,)
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if any(weight.ndim != 2 for weight, _ in self.layers):
            raise ValueError("the weight of a layer is not a matrix")
        goal_parts = 2 if self.goal_input == "both" else 1
        widths = [self.observation_dim + goal_parts * self.goal_dim]
        widths += [weight.shape[1] for weight, _ in self.layers]
        expected = list(pairwise(widths))
        if [weight.shape for weight, _ in self.layers] != expected:
            raise ValueError("the layers do not fit one another")
        biases = [bias.shape == (weight.shape[1],) for weight, bias in self.layers]
        vectors = [self.mean, self.std, self.action_low, self.action_high]
        sizes = [widths[0], widths[0], widths[-1], widths[-1]]
        fitting = [vector.shape == (size,) for vector, size in zip(vectors, sizes, strict=True)]
        if not all(biases) or not all(fitting):
            raise ValueError("biases, normaliser or action bounds do not fit the layers")
        if not (self.std > 0.0).all():
            raise ValueError("std must be positive")
        if not (self.action_low <= self.action_high).all():
            raise ValueError("action_low must not exceed action_high")
        for name in ("input_clip", "output_clip"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")

    def __call__(self, observation: Mapping[str, NDArray[Any]]) -> FloatArray:
        """Return the action for one observation dict, or ``(B, action_dim)`` for a batch of them.

        Raises:
            FloatingPointError: if the action is not finite.
        """
        hidden = self._inputs(observation)
        for weight, bias in self.layers[:-1]:
            hidden = np.maximum(hidden @ weight + bias, 0.0)
        weight, bias = self.layers[-1]
        squashed = np.tanh(hidden @ weight + bias)
        if not np.isfinite(squashed).all():
            raise FloatingPointError("the policy returned an action that is not finite")
        center = (self.action_high + self.action_low) / 2
        half_range = (self.action_high - self.action_low) / 2
        return np.asarray(center + half_range * squashed, np.float32)

    def _inputs(self, observation: Mapping[str, NDArray[Any]]) -> FloatArray:
        desired = np.asarray(observation["desired_goal"], np.float32)
        parts = [np.asarray(observation["observation"], np.float32)]
        if self.goal_input != "relative":
            parts.append(desired)
        if self.goal_input != "absolute":
            parts.append(desired - np.asarray(observation["achieved_goal"], np.float32))
        inputs = _clip(np.concatenate(parts, axis=-1), self.input_clip)
        return _clip((inputs - self.mean) / self.std, self.output_clip)

    def arrays(self) -> dict[str, FloatArray]:
        """Return all arrays by the names that they have in a file."""
        arrays = {name: getattr(self, name) for name in _VECTORS}
        for index, (weight, bias) in enumerate(self.layers):
            arrays[f"layers.{index}.weight"] = weight
            arrays[f"layers.{index}.bias"] = bias
        return arrays

    def save(self, path: str | Path) -> None:
        """Write one ``.safetensors`` file, whole or not at all; see ``to_bytes``."""
        replace_file(Path(path), self.to_bytes())

    def to_bytes(self) -> bytes:
        """Return the content of its file: weights, normaliser, bounds, and JSON metadata."""
        header = {
            "schema": SCHEMA,
            "num_layers": len(self.layers),
            "input_clip": self.input_clip,
            "output_clip": self.output_clip,
            "observation_dim": self.observation_dim,
            "goal_dim": self.goal_dim,
            "goal_input": self.goal_input,
            "metadata": dict(self.metadata),
        }
        return pack(self.arrays(), {"headstart_policy": json.dumps(header)})


def load_policy(path: str | Path) -> Policy:
    """Load a policy file, or the best policy of a run directory.

    Raises:
        InputError: if there is no such file, or it is not a policy of this version.
    """
    path = Path(path)
    if path.is_dir():
        path = _policy_of_run(path)
    if not path.is_file():
        raise InputError(f"{path}: no such policy file or run directory")
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ValueError(f"it has {size} bytes, more than any policy")
        return policy_from_bytes(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not a headstart policy file ({error})") from error


def policy_from_bytes(content: bytes) -> Policy:
    """Return the policy of a file with this content.

    Raises:
        ValueError: if it is not that of a policy file of this version.
    """
    arrays, metadata = unpack(content)
    if "headstart_policy" not in metadata:
        raise ValueError("its header has no policy entry")
    for name, array in arrays.items():
        if array.dtype != np.float32:
            raise ValueError(f"{name} is {array.dtype} instead of float32")
    require_finite(arrays)
    try:
        return _build(parse_json(metadata["headstart_policy"]), arrays)
    except (KeyError, OverflowError, TypeError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


def _policy_of_run(directory: Path) -> Path:
    for name in ("best", "latest"):
        candidate = directory / "policies" / f"{name}.safetensors"
        if candidate.is_file():
            return candidate
    raise InputError(f"{directory}: not a run directory, it holds no policies/best.safetensors")


def _build(header: dict[str, Any], arrays: dict[str, FloatArray]) -> Policy:
    if header["schema"] != SCHEMA:
        raise ValueError(f"it has schema {header['schema']}, this version reads {SCHEMA}")
    if header["goal_input"] not in get_args(GoalInput):
        raise ValueError(f"unknown goal_input {header['goal_input']!r}")
    policy = Policy(
        layers=tuple(
            (arrays[f"layers.{index}.weight"], arrays[f"layers.{index}.bias"])
            for index in range(int(header["num_layers"]))
        ),
        mean=arrays["mean"],
        std=arrays["std"],
        input_clip=float(header["input_clip"]),
        output_clip=float(header["output_clip"]),
        observation_dim=int(header["observation_dim"]),
        goal_dim=int(header["goal_dim"]),
        goal_input=header["goal_input"],
        action_low=arrays["action_low"],
        action_high=arrays["action_high"],
        metadata=dict(header["metadata"]),
    )
    unknown = arrays.keys() - policy.arrays().keys()
    if unknown:
        raise ValueError(f"unknown array {min(unknown)}")
    return policy


def _clip(values: FloatArray, bound: float) -> FloatArray:
    # min and max instead of np.clip, whose overhead on the one row of an action exceeds the work.
    return np.minimum(np.maximum(values, -bound), bound)
