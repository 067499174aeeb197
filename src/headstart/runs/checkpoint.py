"""What a checkpoint holds: a whole run between two cycles, its replay in parts."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

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
from headstart.envs.episode_check import TaskFacts
from headstart.errors import InputError
from headstart.files.run_files import CHECKPOINTS
from headstart.files.strict_json import build, parse_json, plain
from headstart.files.tensors import JSON, TEXT, pack, refuse_foreign, require_finite, unpack
from headstart.policy import Policy, policy_from_bytes
from headstart.runs.checkpoint_files import CheckpointFiles, Entry, SavedRun
from headstart.runs.metrics_log import rows_to_continue_from
from headstart.text import printable
from headstart.training.contest import Tally
from headstart.training.share import Share
from headstart.training.state import TrainerState
from headstart.training.trainer import Trainer

AGENT, STATE, AHEAD = "agent.safetensors", "state.json", "ahead.safetensors"
OWN_STATE = "own.json"
_Part = TypeVar("_Part")


@dataclass(frozen=True, kw_only=True)
class _Saved:
    """The content of ``state.json``."""

    trainer: TrainerState
    agents: dict[str, Tally]
    """What is known of the agents that are left, the leader first."""
    facts: TaskFacts
    streams: dict[str, Any]
    replay: ReplayPosition
    tasks: Any
    """The state of the task source before it chose the episodes that are asked for."""

    def check(self, share: Share) -> None:
        """Refuse a replay that does not hold the share of a process.

        Raises:
            ValueError: if it has another number of episodes.
        """
        stored, episodes = self.replay.num_added, self.trainer.progress.episodes
        if stored != share.size(episodes):
            raise ValueError(f"{stored} episodes stored of {episodes}")


@dataclass(frozen=True, kw_only=True)
class OwnState:
    """What only one of several processes has, besides the episodes of its replay."""

    streams: dict[str, Any]
    replay: ReplayPosition

    @classmethod
    def of(cls, trainer: Trainer) -> "OwnState":
        """Return that of this process."""
        return cls(streams=trainer.streams.state(), replay=trainer.replay.position)


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
        process: whose replay it is, where each process has one.
    """

    def __init__(
        self, files: CheckpointFiles, parts: Mapping[str, ReplayPart], process: int = 0
    ) -> None:
        self._files, self._prefix = files, prefix_of(process)
        self._parts = _of_process(process, parts)

    def saved(self, position: ReplayPosition) -> int:
        """Return up to which episode parts hold a replay; what it has forgotten is left out."""
        oldest = position.num_added - position.num_episodes
        parts = {name: part for name, part in self._parts.items() if part.stop > oldest}
        if not self._files.has_parts({name: part.entry for name, part in parts.items()}):
            # Somebody deleted or moved them: everything again.
            parts = {}
        self._parts = parts
        return max((part.stop for part in parts.values()), default=oldest)

    def add(self, position: ReplayPosition, rows: bytes | None) -> dict[str, Entry]:
        """Write the rows that ``saved`` has asked for, and return all parts.

        Raises:
            OSError: if they cannot be written.
        """
        if rows is not None:
            first = self.saved(position)
            name = self._prefix + _part_name(first)
            entry = self._files.write_part(name, rows)
            self._parts[name] = ReplayPart(entry, first, position.num_added)
        return {name: part.entry for name, part in self._parts.items()}


def prefix_of(process: int) -> str:
    """Return how the names of a process's files begin, where each has its own."""
    return f"{process:04d}-" if process else ""


def _of_process(process: int, parts: Mapping[str, _Part]) -> dict[str, _Part]:
    """Return the parts of the replay of one process."""
    before, rest = prefix_of(process), len(_part_name(0))
    return {name: part for name, part in parts.items() if name[:-rest] == before}


def _part_name(first: int) -> str:
    return f"{first:010d}.safetensors"


def new_rows(replay: EpisodeReplay, saved: int) -> bytes | None:
    """Return the episodes that were added after the first ``saved``, if there are some.

    Raises:
        ValueError: if they hold what is not finite.
    """
    count = replay.num_added - saved
    return _part_bytes(replay.newest(count)) if count > 0 else None


def run_files(trainer: Trainer) -> dict[str, bytes]:
    """Return the files that hold a run, the replay's episodes and demonstrations apart.

    Raises:
        ValueError: if it could not be read again: it must not take a good checkpoint's place.
    """
    saved = plain(
        _Saved(
            trainer=trainer.state,
            agents=trainer.contest.standing,
            facts=trainer.check.facts,
            streams=trainer.streams.state(),
            replay=trainer.replay.position,
            tasks=trainer.rollouts.tasks_state(trainer.ahead),
        )
    )
    build(_Saved, saved, whole=True).check(trainer.share)
    files = {STATE: json.dumps(saved).encode()}
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
        rows_to_continue_from(saved.rows)
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
    saved = build(_Saved, parse_json(files[STATE]), whole=True)
    if process := trainer.share.process:
        own = build(OwnState, parse_json(files[prefix_of(process) + OWN_STATE]), whole=True)
        saved = replace(saved, streams=own.streams, replay=own.replay)
    saved.check(trainer.share)
    agents = _agents(trainer, saved.agents, files)
    ahead = policy_from_bytes(files[AHEAD]) if AHEAD in files else None
    every = {name: _part_of(content) for name, content in parts.items()}
    stored = _of_process(trainer.share.process, every)
    # All that could be refused first: either all of the trainer is put back, or nothing.
    for agent, tensors in agents:
        check_agent_state(agent, tensors)
    _check_ahead(saved.trainer, ahead, agents[0][0])
    trainer.streams.check(saved.streams)
    trainer.tasks.restore(saved.tasks)
    trainer.replay.restore(saved.replay, stored.values())
    trainer.rollouts.corrections.restore(trainer.replay, stored.values())
    for agent, tensors in agents:
        load_agent_state(agent, tensors)
    trainer.contest.keep(saved.agents)
    trainer.streams.restore(saved.streams)
    trainer.check.restore(saved.facts)
    trainer.continue_from(saved.trainer, ahead)
    return {name: (part.first, part.first + len(part.steps)) for name, part in every.items()}


def _check_ahead(state: TrainerState, policy: Policy | None, agent: DDPG) -> None:
    """Refuse episodes asked for without their policy, a policy without them, or of another form."""
    if (state.num_ahead == 0) != (policy is None):
        raise ValueError("episodes asked for, and their policy, are not both there")
    if policy is not None and _form(policy) != _form(agent.policy(deployed=False)):
        raise ValueError("the policy of episodes asked for has another form than the agent's")


def _form(policy: Policy) -> tuple[object, ...]:
    """Return what two policies share that can take each other's place."""
    shapes = {name: array.shape for name, array in policy.arrays().items()}
    bounds = policy.action_low.tolist(), policy.action_high.tolist()
    return shapes, bounds, policy.goal_input, policy.observation_dim, policy.goal_dim


def _agents(
    trainer: Trainer, names: Iterable[str], files: Mapping[str, bytes]
) -> list[tuple[DDPG, AgentState]]:
    """Return the agents that a run still had, each with its state.

    Raises:
        ValueError: if the trainer has no such agents.
    """
    own, names = trainer.contest.agents, [*names]
    if not names or not set(names) <= own.keys():
        raise ValueError(f"agents that see {names} of {[*own]}")
    found = []
    for name in names:
        arrays, _ = unpack(files[_agent_file(names, name)])
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
