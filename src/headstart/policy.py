"""A trained policy as a small numpy object: what collectors and robots run, without torch."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.data.component_inputs import ComponentInputs
from headstart.data.inputs import GoalInput, InputMap
from headstart.errors import InputError
from headstart.files.atomic import read_whole, replace_file
from headstart.files.paths import user_path
from headstart.files.run_files import BEST, LATEST, POLICIES, policy_file
from headstart.files.strict_json import build, parse_json
from headstart.files.tensors import pack, require_finite, unpack
from headstart.text import printable

FloatArray = NDArray[np.float32]
SCHEMA, INPUTS_SCHEMA, COMPONENTS_SCHEMA = 1, 2, 3
"""Files of policies that see everything, some entries, or the current component of a goal."""
MAX_BYTES = 2**30
_LARGEST_ACTION = 1e38  # twice as much still is a number
_VECTORS = ("mean", "std", "action_low", "action_high")


@dataclass(frozen=True, kw_only=True)
class _Header:
    """What a file says of a policy besides its arrays."""

    schema: int
    num_layers: int
    input_clip: float
    output_clip: float
    observation_dim: int
    goal_dim: int
    goal_input: GoalInput
    metadata: dict[str, Any]
    inputs: list[tuple[int, int]] | None = None
    fine_scales: list[float] = field(default_factory=list)
    """Since schema 2: what the network sees, where that is not everything."""
    components: ComponentInputs | None = None
    """Since schema 3: what chooses the current component, where that is what it sees."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Policy:
    """Observation dict in, greedy action in the env's own units out.

    The network sees ``[observation, goal]``, where the goal part is the desired goal, the desired
    minus the achieved goal, or both; or what ``inputs`` returns of a state: some entries and
    differences of entries, or the current component of the goal and what is around it. What it sees
    is standardised with ``mean`` and ``std``.
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
    inputs: InputMap | ComponentInputs | None = None
    """What the network sees; everything, as ``goal_input`` says, by default."""

    def __post_init__(self) -> None:
        if any(weight.ndim != 2 for weight, _ in self.layers):
            raise ValueError("the weight of a layer is not a matrix")
        if min(self.observation_dim, self.goal_dim) < 1:
            raise ValueError("observation and goal must be at least 1 wide")
        widths = [self._input_dim()]
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
        if max(abs(self.action_low).max(), abs(self.action_high).max()) > _LARGEST_ACTION:
            raise ValueError(f"an action bound is beyond {_LARGEST_ACTION:g}")
        for name in ("input_clip", "output_clip"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")

    def __call__(self, observation: Mapping[str, NDArray[Any]]) -> FloatArray:
        """Return the action for one observation dict, or ``(B, action_dim)`` for a batch of them.

        Raises:
            InputError: if the observation lacks a key, or an array in it has the wrong width.
            FloatingPointError: if the action is not finite.
        """
        # What overflows is found below.
        with np.errstate(over="ignore", invalid="ignore"):
            hidden = self._inputs(observation)
            for weight, bias in self.layers[:-1]:
                hidden = np.maximum(hidden @ weight + bias, 0.0)
            weight, bias = self.layers[-1]
            squashed = np.tanh(hidden @ weight + bias)
        if not np.isfinite(squashed).all():
            raise FloatingPointError("the policy returned an action that is not finite")
        center, half_range = self._action_scale
        # The sum may be rounded past a bound.
        action = np.asarray(center + half_range * squashed, np.float32)
        return np.minimum(np.maximum(action, self.action_low), self.action_high)

    @cached_property
    def _action_scale(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Middle and half of the range of each action, ``(action_dim,)``."""
        low, high = self.action_low, self.action_high
        return (high + low) / 2, (high - low) / 2

    def seeing(self, inputs: ComponentInputs) -> "Policy":
        """Return the same policy for another number of components of a goal.

        Args:
            inputs: what it would see if it were trained there.

        Raises:
            ValueError: if it does not see the current component, or something else of it.
        """
        if not isinstance(self.inputs, ComponentInputs):
            raise ValueError("it does not see one component of the goal at a time")
        moved = self.inputs.of(inputs)
        return replace(
            self,
            inputs=moved,
            observation_dim=moved.observation_dim,
            goal_dim=moved.goal_dim,
        )

    def __repr__(self) -> str:
        """Return what it is, in one line: the weights would fill a notebook."""
        env_id = printable(self.metadata.get("env_id", "no environment"), longest=80)
        widths = [bias.shape[0] for _, bias in self.layers]
        sizes = " x ".join(map(str, widths[:-1])) or "none"
        return (
            f"Policy({env_id}: observation {self.observation_dim}, goal {self.goal_dim} "
            f"({self.goal_input}), hidden {sizes}, action {len(self.action_low)})"
        )

    def _input_dim(self) -> int:
        """Return how many numbers the network sees, without making any: a file says how many."""
        if self.inputs is None:
            goal_parts = 2 if self.goal_input == "both" else 1
            return self.observation_dim + goal_parts * self.goal_dim
        of = self.inputs.observation_dim, self.inputs.goal_dim
        if of != (self.observation_dim, self.goal_dim):
            raise ValueError("the inputs are of another observation or goal")
        return len(self.inputs)

    def _inputs(self, observation: Mapping[str, NDArray[Any]]) -> FloatArray:
        desired = self._column(observation, "desired_goal", self.goal_dim)
        parts = [self._column(observation, "observation", self.observation_dim)]
        try:
            if self.inputs is not None:
                parts += [self._column(observation, "achieved_goal", self.goal_dim), desired]
                seen = self.inputs(np.concatenate(parts, axis=-1))
            else:
                if self.goal_input != "relative":
                    parts.append(desired)
                if self.goal_input != "absolute":
                    achieved = self._column(observation, "achieved_goal", self.goal_dim)
                    parts.append(desired - achieved)
                seen = np.concatenate(parts, axis=-1)
        except InputError:
            raise
        except ValueError as error:
            shapes = [f"{name} {np.shape(array)}" for name, array in observation.items()]
            raise InputError(
                f"all arrays of an observation must have the same leading axes, got "
                f"{', '.join(shapes)}"
            ) from error
        inputs = _clip(seen, self.input_clip)
        return _clip((inputs - self.mean) / self.std, self.output_clip)

    @staticmethod
    def _column(observation: Mapping[str, NDArray[Any]], key: str, width: int) -> FloatArray:
        """Return one entry of an observation as float32, ``(width,)`` or ``(B, width)``."""
        try:
            array: FloatArray = np.asarray(observation[key], np.float32)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise InputError(_describe_refusal(observation, key)) from error
        if array.shape[-1:] != (width,):
            raise InputError(
                f"observation[{key!r}] must have {width} numbers in its last axis, got shape "
                f"{array.shape}; was this policy trained for another environment?"
            )
        return array

    def arrays(self) -> dict[str, FloatArray]:
        """Return all arrays by the names that they have in a file."""
        arrays = {name: getattr(self, name) for name in _VECTORS}
        for index, (weight, bias) in enumerate(self.layers):
            arrays[f"layers.{index}.weight"] = weight
            arrays[f"layers.{index}.bias"] = bias
        return arrays

    def save(self, path: str | Path) -> None:
        """Write one ``.safetensors`` file, whole or not at all; see ``to_bytes``."""
        replace_file(user_path(path), self.to_bytes())

    def to_bytes(self) -> bytes:
        """Return the content of its file: weights, normaliser, bounds, and JSON metadata."""
        header = _Header(
            schema=SCHEMA,
            num_layers=len(self.layers),
            input_clip=self.input_clip,
            output_clip=self.output_clip,
            observation_dim=self.observation_dim,
            goal_dim=self.goal_dim,
            goal_input=self.goal_input,
            metadata=dict(self.metadata),
        )
        if isinstance(self.inputs, ComponentInputs):
            header = replace(header, schema=COMPONENTS_SCHEMA, components=self.inputs)
        elif self.inputs is not None:
            header = replace(
                header,
                schema=INPUTS_SCHEMA,
                inputs=list(self.inputs.terms),
                fine_scales=list(self.inputs.scales),
            )
        content = {name: value for name, value in asdict(header).items() if value not in (None, [])}
        return pack(self.arrays(), {"headstart_policy": json.dumps(content)})


def inner_bounds(low: NDArray[Any], high: NDArray[Any]) -> tuple[FloatArray, FloatArray]:
    """Return bounds of actions in float32, rounded inwards: ``np.float32(0.3)`` exceeds 0.3."""
    least, most = low.astype(np.float32), high.astype(np.float32)
    least = np.where(least < low, np.nextafter(least, np.float32(np.inf)), least)
    return least, np.where(most > high, np.nextafter(most, np.float32(-np.inf)), most)


def load_policy(path: str | Path) -> Policy:
    """Load a policy file, or the best policy of a run directory.

    Raises:
        InputError: if there is no such file, or it is not a policy of this version.
    """
    path = user_path(path)
    # Of os.path, which answers where pathlib raises: for a name that is too long.
    if os.path.isdir(path):
        path = _policy_of_run(path)
    if not os.path.isfile(path):
        raise InputError(f"{path}: no such policy file or run directory")
    try:
        return policy_from_bytes(read_whole(path, MAX_BYTES))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not a headstart policy file ({printable(error)})") from error


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
    header = parse_json(metadata["headstart_policy"])
    # First, so that a file of a later version is not refused for a key that is unknown here.
    schema = header.get("schema", SCHEMA) if isinstance(header, dict) else SCHEMA
    if schema not in (SCHEMA, INPUTS_SCHEMA, COMPONENTS_SCHEMA):
        raise ValueError(f"it has schema {schema}, this version reads up to {COMPONENTS_SCHEMA}")
    try:
        return _policy(build(_Header, header, "header"), arrays)
    except KeyError as error:
        raise ValueError(f"it lacks {error}") from error


def _policy_of_run(directory: Path) -> Path:
    for name in (BEST, LATEST):
        candidate = directory / POLICIES / policy_file(name)
        if candidate.is_file():
            return candidate
    raise InputError(
        f"{directory}: not a run directory, it holds no {POLICIES}/{policy_file(BEST)}"
    )


def _policy(header: _Header, arrays: dict[str, FloatArray]) -> Policy:
    policy = Policy(
        layers=tuple(
            (arrays[f"layers.{index}.weight"], arrays[f"layers.{index}.bias"])
            for index in range(header.num_layers)
        ),
        mean=arrays["mean"],
        std=arrays["std"],
        input_clip=header.input_clip,
        output_clip=header.output_clip,
        observation_dim=header.observation_dim,
        goal_dim=header.goal_dim,
        goal_input=header.goal_input,
        action_low=arrays["action_low"],
        action_high=arrays["action_high"],
        metadata=header.metadata,
        inputs=header.components or _input_map(header),
    )
    unknown = arrays.keys() - policy.arrays().keys()
    if unknown:
        raise ValueError(f"unknown array {min(unknown)}")
    return policy


def _input_map(header: _Header) -> InputMap | None:
    if header.inputs is None:
        return None
    sizes = header.observation_dim, header.goal_dim
    return InputMap(tuple(header.inputs), *sizes, tuple(header.fine_scales))


def _describe_refusal(observation: object, key: str) -> str:
    """Return why an entry of an observation is not an array of numbers."""
    if not isinstance(observation, Mapping):
        hint = "; env.reset() returns (observation, info)" if isinstance(observation, tuple) else ""
        return (
            f"a policy takes a dict with observation, achieved_goal and desired_goal, got "
            f"{type(observation).__name__}{hint}"
        )
    if key not in observation:
        return f"the observation lacks {key!r}, it has {', '.join(map(repr, observation))}"
    return f"observation[{key!r}] must be numbers, got {type(observation[key]).__name__}"


def _clip(values: FloatArray, bound: float) -> FloatArray:
    # min and max instead of np.clip, whose overhead on the one row of an action exceeds the work.
    return np.minimum(np.maximum(values, -bound), bound)
