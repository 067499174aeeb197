"""Where the time of a run went, as ``train`` and ``resume`` print it at the end."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # It imports torch.
    from headstart.training.progress import Progress

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
