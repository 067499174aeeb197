"""What may be different when a run goes on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headstart.dotted import setting_names
from headstart.errors import InputError
from headstart.training.config import TrainConfig

FREE = (
    "env_steps",
    "target_success",
    "policy_every",
    "log_every",
    "episode_timeout",
    "evaluation.every",
    "evaluation.episodes",
    "failures.share",
    "failures.at_least",
    "checkpoint.seconds",
    "checkpoint.keep",
)
"""Settings that no update depends on."""
FIXED = (
    "seed",
    "replay_capacity",
    "symmetry",
    "actor_inputs",
    "fine_scales",
    "task.velocities",
    "task.positions",
    "task.goal_positions",
    "task.hand",
    "task.angles",
    "task.shift_axes",
    "demos.num_episodes",
    "warm_start.bc_updates",
    "warm_start.episodes",
    "warm_start.critic_updates",
    "agent.hidden_sizes",
    "agent.num_critics",
    "agent.goal_input",
    "agent.normalize_inputs",
)
"""Settings that the shape of what is saved depends on, or what is over already."""


def differences(before: TrainConfig, now: TrainConfig) -> dict[str, tuple[Any, Any]]:
    """Return the settings that differ, each with both values."""
    old, new = setting_names(before), setting_names(now)
    return {name: (old[name], new[name]) for name in old if old[name] != new[name]}


def check_changes(
    before: TrainConfig, now: TrainConfig, *, allow: bool
) -> dict[str, tuple[Any, Any]]:
    """Return the settings that differ; refuse those that a run cannot continue with.

    Args:
        before: the settings of the run.
        now: those to continue with.
        allow: whether they may differ in what learning depends on.

    Raises:
        InputError: that lists what is refused.
    """
    changed = differences(before, now)
    fixed = {name: both for name, both in changed.items() if name in FIXED}
    if fixed:
        listed = describe_changes(fixed)
        raise InputError(f"{listed}: cannot change within a run; train a new one")
    learning = {name: both for name, both in changed.items() if name not in FREE}
    if learning and not allow:
        listed = describe_changes(learning)
        raise InputError(
            f"{listed}: changes what is learned from here on; --allow-change if you mean it"
        )
    return changed


def check_longer(path: Path, taken: int, changed: Mapping[str, tuple[Any, Any]]) -> None:
    """Refuse a new length that the run has reached already."""
    _, asked = changed.get("env_steps", (None, None))
    if asked is not None and 0 < taken >= asked:
        raise InputError(
            f"{path}: env_steps {asked} is not more than the {taken} that the run has taken; "
            f"--env-steps above {taken} makes it longer"
        )


def describe_changes(changed: Mapping[str, tuple[Any, Any]]) -> str:
    """Return differences as text."""
    return ", ".join(f"{name} {old} -> {new}" for name, (old, new) in changed.items())
