"""What every import of others' demonstrations does alike, whatever format they have."""

from collections.abc import Sequence

from headstart.data.episode import Episode
from headstart.demos.storage import DemoSet
from headstart.envs.goal_env import GoalSpec


def imported(
    spec: GoalSpec, episodes: Sequence[Episode], *, source: str, kind: str, remarks: Sequence[str]
) -> DemoSet:
    """Return the set of imported episodes.

    Args:
        spec: the environment that they are of.
        episodes: as they came, but for what the remarks tell.
        source: name of the file or dataset.
        kind: its format.
        remarks: what was found and what was changed, in sentences.
    """
    header = {
        "imported_from": source,
        "format": kind,
        "remarks": list(remarks),
        "reward_info_keys": list(spec.reward_info_keys),
        "action_bounds": [list(spec.action_low), list(spec.action_high)],
    }
    return DemoSet(spec.env_id, tuple(episodes), header)


def steps_kept(steps: int, spec: GoalSpec) -> int:
    """Return how many steps of an episode are kept: those beyond the time limit are cut off."""
    return min(steps, spec.max_episode_steps)


def remark_on_cut(cut: int, episodes: int, spec: GoalSpec) -> str:
    """Say how many of the episodes were cut."""
    limit = spec.max_episode_steps
    return f"{cut} of {episodes} episodes were longer than {limit} steps and are cut."
