"""What a checkpoint holds: a whole run between two cycles, its replay in parts."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from headstart.agents.ddpg import DDPG
from headstart.agents.state import (
    AgentState,
    agent_state,
    check_agent_state,
    load_agent_state,
)
from headstart.data.replay import EpisodeReplay, ReplayPosition, StoredEpisodes
from headstart.errors import InputError
from headstart.policy import policy_from_bytes
from headstart.run_files import CHECKPOINTS
from headstart.runs.checkpoint_files import CheckpointFiles, Entry, SavedRun
from headstart.runs.metrics_log import rows_to_go_on_from
from headstart.strict_json import build, parse_json
from headstart.tensor_file import JSON, TEXT, pack, refuse_foreign, require_finite, unpack
from headstart.text import printable
from headstart.training.state import RunState, check_run, restore_run, run_state
from headstart.training.trainer import Trainer

AGENT, STATE, AHEAD = "agent.safetensors", "state.json", "ahead.safetensors"


@dataclass(frozen=True, kw_only=True)
class _State:
    """The content of ``state.json``."""

    run: RunState
    replay: ReplayPosition


@dataclass(frozen=True)
class ReplayPart:
    """A file with some of the replay's episodes."""

    entry: Entry
    first: int
    """How many episodes had been added before its first one."""
    stop: int


@dataclass(frozen=True)
class Restored:
    """What of a checkpoint is on the disk already."""

    number: int
    parts: Mapping[str, ReplayPart]


class ReplayParts:
    """The files that hold a replay; each checkpoint writes what is new and names the others.

    Args:
        files: where they lie.
        parts: those that are there already, oldest first.
    """

    def __init__(self, files: CheckpointFiles, parts: Mapping[str, ReplayPart]) -> None:
        self._files = files
        self._parts = dict(parts)

    def update(self, replay: EpisodeReplay) -> dict[str, Entry]:
        """Write the episodes that no part holds, and return all parts with stored episodes.

        Raises:
            OSError: if they cannot be written.
            ValueError: if they hold what is not finite.
        """
        oldest = replay.num_added - replay.num_episodes
        parts = {name: part for name, part in self._parts.items() if part.stop > oldest}
        if not self._files.has_parts({name: part.entry for name, part in parts.items()}):
            # Somebody deleted or moved them: everything again.
            parts = {}
        saved = max((part.stop for part in parts.values()), default=oldest)
        if replay.num_added > saved:
            name = f"{saved:010d}.safetensors"
            entry = self._files.write_part(
                name, _part_bytes(replay.newest(replay.num_added - saved))
            )
            parts[name] = ReplayPart(entry, saved, replay.num_added)
        self._parts = parts
        return {name: part.entry for name, part in parts.items()}


def run_files(trainer: Trainer) -> dict[str, bytes]:
    """Return the files that hold a run, the replay's episodes and demonstrations apart.

    Raises:
        ValueError: if something in it is not finite: it must not take a good checkpoint's place.
    """
    state = _State(run=run_state(trainer), replay=trainer.replay.position)
    files = {STATE: json.dumps(asdict(state)).encode()}
    for name, agent in trainer.contest.agents.items():
        arrays = {of: tensor.numpy() for of, tensor in agent_state(agent).items()}
        require_finite(arrays)
        files[_agent_file(trainer.contest.agents, name)] = pack(arrays)
    if trainer.ahead is not None:
        (policy,) = trainer.ahead.policies
        require_finite(policy.arrays())
        files[AHEAD] = policy.to_bytes()
    return files


def restore_saved(directory: Path, trainer: Trainer, saved: SavedRun) -> Restored:
    """Put a trainer that has not begun where a checkpoint says.

    Raises:
        InputError: if the checkpoint and the run's configuration do not go together.
    """
    try:
        rows_to_go_on_from(saved.rows)
        for content in saved.policies.values():
            policy_from_bytes(content)
        spans = restore(trainer, saved.files, saved.parts)
    except (ValueError, KeyError, MemoryError) as error:
        path = directory / CHECKPOINTS / f"{saved.number:08d}"
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise InputError(
            f"{path}: does not go with the run's configuration ({printable(reason)})"
        ) from error
    entries = saved.manifest.parts
    parts = {name: ReplayPart(entries[name], *span) for name, span in spans.items()}
    return Restored(saved.number, parts)


def restore(
    trainer: Trainer, files: Mapping[str, bytes], parts: Mapping[str, bytes]
) -> dict[str, tuple[int, int]]:
    """Put a new trainer where a run stood.

    Args:
        trainer: one that has not begun.
        files: what ``run_files`` returned.
        parts: the content of the replay's parts, oldest first.

    Returns:
        For each part, how many episodes had been added before its first one and after its last.

    Raises:
        ValueError: if they are damaged or of another configuration; the trainer is as it was.
        KeyError: if one is missing.
    """
    refuse_foreign(files[STATE], TEXT, JSON)
    state = build(_State, parse_json(files[STATE]))
    agents = _agents(trainer, state.run, files)
    ahead = policy_from_bytes(files[AHEAD]) if AHEAD in files else None
    stored = {name: _part_of(content) for name, content in parts.items()}
    # All that could be refused first: either all of the trainer is put back, or nothing.
    for agent, tensors in agents:
        check_agent_state(agent, tensors)
    check_run(trainer, state.run, state.replay, ahead)
    trainer.replay.restore(state.replay, stored.values())
    for agent, tensors in agents:
        load_agent_state(agent, tensors)
    restore_run(trainer, state.run, ahead)
    return {name: (part.first, part.first + len(part.steps)) for name, part in stored.items()}


def _agents(
    trainer: Trainer, state: RunState, files: Mapping[str, bytes]
) -> list[tuple[DDPG, AgentState]]:
    """Return the agents that a run still had, each with its state.

    Raises:
        ValueError: if the trainer has no such agents.
    """
    own = trainer.contest.agents
    if not state.agents or not state.agents.keys() <= own.keys():
        raise ValueError(f"agents that see {[*state.agents]} of {[*own]}")
    found = []
    for name in state.agents:
        arrays, _ = unpack(files[_agent_file(state.agents, name)])
        tensors = {of: torch.from_numpy(array) for of, array in arrays.items()}
        found.append((own[name], tensors))
    return found


def _agent_file(names: Iterable[str], name: str) -> str:
    """Return the file of one agent of several; the first one's has no number."""
    number = [*names].index(name)
    return f"agent-{number}.safetensors" if number else AGENT


def _part_bytes(stored: StoredEpisodes) -> bytes:
    first = np.array(stored.first, np.int64)
    require_finite({"the replay": stored.rows})
    return pack(
        {"first": first, "starts": stored.starts, "steps": stored.steps, "rows": stored.rows}
    )


def _part_of(content: bytes) -> StoredEpisodes:
    arrays, _ = unpack(content)
    require_finite(arrays)
    dtypes = {"first": np.int64, "starts": np.int64, "steps": np.int64, "rows": np.float32}
    found = {name: array.dtype for name, array in arrays.items()}
    shapes = [arrays[name].ndim for name in dtypes if name in arrays]
    if found != dtypes or shapes != [0, 1, 1, 2]:
        raise ValueError(f"a part of the replay holds {found}")
    return StoredEpisodes(int(arrays["first"]), arrays["starts"], arrays["steps"], arrays["rows"])
