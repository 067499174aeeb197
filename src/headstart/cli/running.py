"""What ``train`` and ``resume`` show: the outcome, and how to continue."""

import argparse
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from headstart import torchrun
from headstart.cli.parser import default_collectors
from headstart.errors import RunError
from headstart.files.run_files import CHECKPOINTS, CONFIG
from headstart.text import counted
from headstart.training.adaptation import EVALUATION_EPISODES
from headstart.training.config import TrainConfig

if TYPE_CHECKING:  # It imports torch.
    from headstart.training.observer import TrainResult
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # It imports torch.
    from headstart.training.progress import Progress


def most_at_once(config: TrainConfig) -> int:
    """Return how many episodes of a run can be under way at once: those of an evaluation."""
    return max(config.cycle.episodes, config.evaluation.episodes or EVALUATION_EPISODES)


def collectors_of(arguments: argparse.Namespace, config: TrainConfig) -> int | str:
    """Return how many collectors a run has: as many as are given, or as suit it and the machine."""
    given: int | str | None = arguments.collectors
    if given is not None:
        return given
    # Processes on one machine share its cores, and the episodes.
    return default_collectors(most_at_once(config)) // torchrun.local_size()


@contextlib.contextmanager
def explain_failure(out: Path) -> Iterator[None]:
    """Add to the message of a run that fails where its last checkpoint is, and how to continue."""
    try:
        yield
    except RunError as error:
        if torchrun.rank() or not (out / CONFIG).is_file():
            raise
        # Here, as it imports Gymnasium: help and what is wrong with an option need not wait for it.
        from headstart.runs.checkpoint_files import CheckpointFiles
        from headstart.runs.record import resume_advice_of

        saved = f"the run up to its last checkpoint is in {out}"
        if not CheckpointFiles(out / CHECKPOINTS).numbers():
            saved = f"no checkpoint is in {out}, from where the run begins again"
        raise RunError(
            f"{error}\n{saved}; when the cause is fixed, {resume_advice_of(out)}"
        ) from error


def print_outcome(result: "TrainResult", out: Path, env_id: str) -> None:
    """Print the outcome of a run, and what to do next.

    Args:
        result: what ``train`` returned.
        out: the run directory.
        env_id: the environment.

    Raises:
        RunError: if standard output goes to a full disk, for instance.
    """
    if torchrun.rank():
        return
    from headstart.runs.record import command_line, python_line

    evaluation, progress = result.evaluation, result.progress
    line = command_line("evaluate", out, env_id, "--episodes 500") or python_line(
        "evaluate", out, env_id, "episodes=500"
    )
    text = (
        f"success rate {evaluation.success_rate:.1%} over {evaluation.episodes} validation "
        f"episodes after {_env_steps(result)} and {progress.wall_seconds:.0f} s "
        f"({progress.evaluation_seconds:.0f} s of them evaluation)\n"
        f"{describe_time(progress)}"
        f"{_describe_failures(result)}"
        f"policies: {out / 'policies'}\n"
        f"next:     {line}"
    )
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise RunError(f"standard output cannot be written ({error.strerror})") from error


def _env_steps(result: "TrainResult") -> str:
    progress = result.progress
    more = progress.expansion_env_steps
    before = f" and {more} before them, to make demonstrations," if more else ""
    return f"{progress.env_steps} env steps{before}"


def _describe_failures(result: "TrainResult") -> str:
    dropped, failed = result.progress.dropped_episodes, result.evaluation.failed
    lines = [f"dropped:  {counted(dropped, 'training episode')} that failed\n"] * (dropped > 0)
    lines += [f"failed:   {counted(failed, 'episode')} of the last evaluation\n"] * (failed > 0)
    return "".join(lines)


_PARTS = {
    "cloning": "cloning_seconds",
    "updates": "update_seconds",
    "sampling": "sampling_seconds",
    "acting": "acting_seconds",
    "waiting": "waiting_seconds",
    "evaluation": "evaluation_seconds",
    "saving": "checkpoint_seconds",
}
_UPDATE_PARTS = {
    "inputs": "update_inputs_seconds",
    "targets": "update_targets_seconds",
    "critics": "update_critics_seconds",
    "actor": "update_actor_seconds",
    "optimiser steps": "update_steps_seconds",
    "averaging": "update_averaging_seconds",
}


def describe_time(progress: "Progress") -> str:
    """Return lines that say where the time of a run went.

    They are two: the parts of the learner's time, and how busy processors were. A table with the
    parts of updates comes after them if the run was profiled.
    """
    parts = {name: getattr(progress, field) for name, field in _PARTS.items()}
    parts["other"] = max(0.0, progress.wall_seconds - sum(parts.values()))
    words = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in parts.items())
    lines = [f"time:     {words}\n", _describe_processors(progress)]
    updates = {name: getattr(progress, field) for name, field in _UPDATE_PARTS.items()}
    if any(updates.values()):
        updates["other"] = max(0.0, progress.update_seconds - sum(updates.values()))
        lines.append(_table(parts, updates))
    return "".join(lines)


def _describe_processors(progress: "Progress") -> str:
    learner, collectors = progress.learner_cpu_seconds, progress.collector_cpu_seconds
    share = (learner + collectors) / max(progress.core_seconds, 1e-9)
    return (
        f"cores:    {share:.0%} busy with this run "
        f"(learner {learner:.1f} s, collectors {collectors:.1f} s)\n"
    )


def _table(parts: dict[str, float], updates: dict[str, float]) -> str:
    rows = []
    for name, seconds in parts.items():
        rows.append((name, seconds))
        if name == "updates":
            rows += [(f"  {part}", inner) for part, inner in updates.items()]
    total = sum(parts.values())
    lines = [f"  {name:<20}{seconds:>9.2f} s{seconds / total:>7.1%}\n" for name, seconds in rows]
    return "".join(["profile:\n", *lines, f"  {'all':<20}{total:>9.2f} s\n"])
