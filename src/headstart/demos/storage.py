"""The demo file: plain arrays and a JSON header in one ``.npz``, never a pickle."""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.data.episode import OWN, Episode
from headstart.data.goals import GoalRegions
from headstart.demos.expansion.cost import expansion_env_steps
from headstart.demos.task_ids import is_same_task
from headstart.envs.goal_env import GoalSpec
from headstart.envs.known import regions_by_name
from headstart.errors import InputError
from headstart.files.atomic import replacing
from headstart.files.npz import DAMAGED, open_archive, read_member, unpacked_limit, write_archive
from headstart.files.paths import user_path
from headstart.files.strict_json import build, parse_json, plain
from headstart.files.tensors import HEAD, NUMPY_ARCHIVE, refuse_foreign
from headstart.text import counted, printable

SCHEMA = 1
MAX_BYTES = 16 * 2**30
"""How large a demo file may be; 100 episodes of pick-and-place take 2 MiB."""
_STEP_ARRAYS = ("desired_goals", "actions", "terminated", "is_success", "reward_infos")
_LARGEST = float(np.finfo(np.float32).max)
_STATE_ARRAYS = ("observations", "achieved_goals", "snapshots")


def task_header(spec: GoalSpec) -> dict[str, Any]:
    """Return what a header says of the task."""
    header = {
        "reward_info_keys": list(spec.reward_info_keys),
        "action_bounds": [list(spec.action_low), list(spec.action_high)],
    }
    return header if spec.regions is None else {**header, "goal_regions": plain(spec.regions)}


@dataclass(frozen=True)
class DemoSet:
    """Demonstrations of one environment.

    Raises:
        InputError: if the header has action bounds that are none, or of another width.
    """

    env_id: str
    episodes: tuple[Episode, ...]
    header: Mapping[str, Any] = field(default_factory=dict)
    """Where they come from: seeds, package versions, expert, action bounds."""

    def __post_init__(self) -> None:
        bounds = self.header.get("action_bounds")
        if self.episodes and bounds is not None and not _are_bounds(bounds, self.widths["action"]):
            raise InputError(
                f"action_bounds of a header must be the lowest and the highest action, two lists "
                f"of {self.widths['action']} finite numbers, got {printable(bounds)}"
            )

    def __iter__(self) -> Iterator[Episode]:
        return iter(self.episodes)

    def __len__(self) -> int:
        return len(self.episodes)

    @property
    def success_rate(self) -> float:
        """Share of episodes that end in success."""
        return float(np.mean([episode.success for episode in self.episodes]))

    @property
    def num_transitions(self) -> int:
        """Steps of all episodes together."""
        return sum(len(episode) for episode in self.episodes)

    @property
    def widths(self) -> dict[str, int]:
        """Widths of ``observation``, ``goal`` and ``action``."""
        first = self.episodes[0]
        return {
            "observation": first.observations.shape[1],
            "goal": first.achieved_goals.shape[1],
            "action": first.actions.shape[1],
        }

    @property
    def action_bounds(self) -> NDArray[np.float32] | None:
        """Lowest and highest action of the environment, ``(2, action_dim)``, where known."""
        bounds = self.header.get("action_bounds")
        return None if bounds is None else np.array(bounds, np.float32)

    @property
    def goal_regions(self) -> GoalRegions | None:
        """Regions of the goal space, as the header says, which may come from anyone."""
        if self.header.get("goal_regions") is None:
            # Files of earlier versions do not say.
            regions = regions_by_name(self.env_id)
        else:
            regions = None
            with contextlib.suppress(ValueError):
                read = build(GoalRegions, self.header["goal_regions"])
                above, below = printable(read.above), printable(read.below)
                regions = replace(read, above=above, below=below)
        if regions is None or regions.coordinate not in range(self.widths["goal"]):
            return None
        return regions

    def __repr__(self) -> str:
        """Return what it is, in one line: the episodes would fill a notebook."""
        if not self.episodes:
            return f"DemoSet({printable(self.env_id)}: no episodes)"
        lengths = sorted({len(episode) for episode in self.episodes})
        steps = f"{lengths[0]}" if len(lengths) == 1 else f"{lengths[0]} to {lengths[-1]}"
        widths = ", ".join(f"{name} {width}" for name, width in self.widths.items())
        snapshots = all(episode.snapshots.shape[1] for episode in self.episodes)
        return (
            f"DemoSet({printable(self.env_id)}: {counted(len(self.episodes), 'episode')} of "
            f"{steps} steps, {self.success_rate:.0%} successful; {widths}; "
            f"{'with' if snapshots else 'no'} snapshots)"
        )

    def first(self, count: int | None) -> "DemoSet":
        """Return the set of the first ``count`` episodes; all of them for ``None``."""
        return DemoSet(self.env_id, self.episodes[:count], self.header)

    def describe(self) -> dict[str, Any]:
        """Return what a run's record says of its demonstrations."""
        return {
            "env_id": self.env_id,
            "episodes": len(self.episodes),
            "transitions": self.num_transitions,
            "success_rate": self.success_rate,
            "expansion_env_steps": expansion_env_steps(self.header),
        }

    def check_fits(self, spec: GoalSpec) -> None:
        """Refuse demonstrations of another environment.

        Raises:
            InputError: if the task, a width, or what reaching the goal ends differs,
                or an action lies beyond the bounds.
        """
        # Versions and rewards aside: where the widths agree, the task is the same.
        if not is_same_task(self.env_id, spec.env_id):
            raise InputError(
                f"the demonstrations are of {self.env_id}, not of {spec.env_id}; if they fit all "
                f"the same, say so: dataclasses.replace(demos, env_id={spec.env_id!r})"
            )
        keys = tuple(self.header.get("reward_info_keys", ()))
        if keys != spec.reward_info_keys:
            raise InputError(
                f"the reward of {spec.env_id} reads {list(spec.reward_info_keys)} of info, "
                f"of which the demonstrations keep {list(keys)}: collect them again"
            )
        expected = {
            "observation": spec.observation_dim,
            "goal": spec.goal_dim,
            "action": spec.action_dim,
            "reward_infos": len(keys),
        }
        found = {**self.widths, "reward_infos": self.episodes[0].reward_infos.shape[1]}
        for name, width in found.items():
            if width != expected[name]:
                raise InputError(
                    f"the demonstrations have {name} width {width}, "
                    f"{spec.env_id} has {expected[name]}: they are of another task or version"
                )
        self._check_bounds(spec)
        self._check_ends(spec)

    def _check_bounds(self, spec: GoalSpec) -> None:
        """Refuse actions that the environment cannot execute: no policy would get to them."""
        low, high = np.array([spec.action_low, spec.action_high], np.float32)
        for number, episode in enumerate(self.episodes):
            beyond = (episode.actions < low) | (episode.actions > high)
            if beyond.any():
                raise InputError(
                    f"the demonstrations have action {episode.actions[beyond][0]:g} in episode "
                    f"{number}, beyond the bounds of {spec.env_id}: collect or import them again"
                )

    def _check_ends(self, spec: GoalSpec) -> None:
        """Refuse episodes that the environment would have ended earlier, or would not have."""
        solved = [episode for episode in self.episodes if episode.success]
        ended = [bool(ep.terminated[-1] and ep.is_success.sum() == 1) for ep in solved]
        # Of what is not known, a difference cannot be known either.
        if spec.terminates and any(ep.is_success[:-1].any() for ep in self.episodes):
            difference, declared = "continue after reaching their goal, which ends", "False"
        # All of them: an environment may end an episode for reasons of its own.
        elif spec.terminates is False and ended and all(ended):
            difference, declared = "end by reaching their goal, which does not end", "True"
        else:
            return
        raise InputError(
            f"the demonstrations {difference} an episode of {spec.env_id}: collect them with the "
            f"arguments that you train with or, if step does as they do, pass "
            f"--task.success-terminates {declared}; see `headstart envs check`"
        )


def save_demos(path: str | Path, demos: DemoSet) -> None:
    """Write a demo file; the path holds the old file or the whole new one, never a part.

    Raises:
        InputError: if there is no episode, the header holds what JSON cannot, or the file cannot be
            written.
    """
    path = user_path(path)
    if not demos.episodes:
        raise InputError(f"{path}: not written, there is no episode to save")
    episodes = _alike(demos.episodes)
    arrays: dict[str, NDArray[Any]] = {
        name: np.concatenate([getattr(episode, name) for episode in episodes])
        for name in _STEP_ARRAYS + _STATE_ARRAYS
    }
    if all(len(episode.rewards) for episode in episodes):
        arrays["rewards"] = np.concatenate([episode.rewards for episode in episodes])
    sources = np.concatenate([episode.sources for episode in episodes])
    if (sources != OWN).any():
        arrays["sources"] = sources
    arrays["episode_steps"] = np.array([len(episode) for episode in episodes], np.int64)
    header = {
        **demos.header,
        "schema": SCHEMA,
        "env_id": demos.env_id,
        "is_success": [episode.success for episode in episodes],
    }
    try:
        text = json.dumps(header, default=_plain)
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: its header is not JSON ({error})") from error
    arrays["header"] = np.frombuffer(text.encode(), np.uint8)
    try:
        with replacing(path) as staged, staged.open("wb") as file:
            write_archive(file, arrays)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error


def _plain(value: object) -> Any:
    """Return numbers and arrays of numpy, and paths, as JSON has them."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"it holds {type(value).__name__}")


def _alike(episodes: Sequence[Episode]) -> Sequence[Episode]:
    """Return the episodes without snapshots unless all have them, of one width."""
    if len({episode.snapshots.shape[1] for episode in episodes}) == 1:
        return episodes
    return [replace(episode, snapshots=np.zeros((len(episode) + 1, 0))) for episode in episodes]


def load_demos(path: str | Path) -> DemoSet:
    """Read and check a demo file.

    Raises:
        InputError: if it is missing, not a demo file, or its content does not fit together.
    """
    path = user_path(path)
    # Of os.path, which answers where pathlib raises: for a name that is too long.
    if not os.path.isfile(path):
        raise InputError(f"{path}: no such demo file; `headstart demos collect` makes one")
    try:
        arrays, header = _read(path)
        if header["schema"] != SCHEMA:
            raise ValueError(f"it has schema {header['schema']}, this version reads {SCHEMA}")
        keys = header.get("reward_info_keys", [])
        if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            raise ValueError("the reward_info_keys of its header are not a list of names")
        return DemoSet(str(header["env_id"]), _split(arrays), header)
    except (*DAMAGED, KeyError, TypeError, AttributeError) as error:
        reason = printable(str(error) or type(error).__name__)
        raise InputError(f"{path}: not a headstart demo file ({reason})") from error


def _read(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return the arrays and the header."""
    with path.open("rb") as file:
        refuse_foreign(file.read(HEAD), NUMPY_ARCHIVE)
        found = os.fstat(file.fileno())
        if found.st_size > MAX_BYTES:
            raise ValueError(f"it has {found.st_size} bytes, of which {MAX_BYTES} are read at most")
        with open_archive(file, unpacked_limit(file)) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist()]
            if "header" not in names:
                raise ValueError("it has no header; `headstart demos import` reads files of others")
            arrays = {name: read_member(archive, name) for name in names}
    # The first files had none.
    arrays.setdefault("reward_infos", np.zeros((len(arrays["actions"]), 0), np.float32))
    arrays.setdefault("snapshots", np.zeros((len(arrays["observations"]), 0)))
    arrays.setdefault("rewards", np.zeros(0, np.float32))
    arrays.setdefault("sources", np.full(len(arrays["actions"]), OWN, np.uint8))
    return arrays, parse_json(arrays.pop("header").tobytes())


def _are_bounds(value: object, width: int) -> bool:
    """Return whether a value of a header is the lowest and the highest action."""
    if not isinstance(value, list) or len(value) != 2:
        return False
    if not all(isinstance(row, list) and len(row) == width for row in value):
        return False
    # An integer of 400 digits, which no float holds, compares all the same; NaN never does.
    finite = [type(end) in (int, float) and abs(end) <= _LARGEST for row in value for end in row]
    return all(finite) and all(low < high for low, high in zip(*value, strict=True))


def _split(arrays: Mapping[str, NDArray[Any]]) -> tuple[Episode, ...]:
    steps: Sequence[int] = arrays["episode_steps"].tolist()
    if not steps:
        raise ValueError("it holds no episode")
    total = sum(steps)
    for name in (*_STEP_ARRAYS, "sources", *_STATE_ARRAYS):
        expected = total + len(steps) * (name in _STATE_ARRAYS)
        if len(arrays[name]) != expected:
            raise ValueError(f"{name} has {len(arrays[name])} rows instead of {expected}")
    if len(arrays["rewards"]) not in (0, total):
        raise ValueError(f"rewards has {len(arrays['rewards'])} rows instead of {total}")
    episodes = []
    step = state = 0
    for length in steps:
        fields: dict[str, Any] = {name: arrays[name][step : step + length] for name in _STEP_ARRAYS}
        fields |= {name: arrays[name][state : state + length + 1] for name in _STATE_ARRAYS}
        # Of no length in all of them where the file has none.
        for name in ("rewards", "sources"):
            fields[name] = arrays[name][step : step + length]
        episodes.append(Episode(**fields))
        step += length
        state += length + 1
    return tuple(episodes)
