"""Episodes whose parts are named by the user, out of a file of any kind."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.demos.foreign.importer import EpisodeImporter, naming
from headstart.demos.foreign.mapping import StateMap, take, with_final_goals
from headstart.demos.recorded import Recorded
from headstart.envs.goal_env import GoalSpec


@dataclass(frozen=True)
class Named:
    """One episode of a file: arrays by name, each with a row for every state or step."""

    name: str
    arrays: Mapping[str, NDArray[Any]]  # of states, (T + 1 or T, ...)
    actions: NDArray[Any]  # (T, action_dim)
    success: NDArray[Any] | None = None  # (T,)


def import_named(
    episodes: Iterable[Named], states: StateMap, spec: GoalSpec, importer: EpisodeImporter
) -> list[str]:
    """Take all episodes, and return remarks on them.

    Args:
        episodes: of the file.
        states: what observation and goals are made of; it leaves nothing open.
        spec: the environment.
        importer: makes demonstrations of them.

    Raises:
        ValueError: if an episode does not fit.
    """
    assert states.observation is not None
    assert states.achieved_goal is not None
    for episode in episodes:
        with naming(episode.name):
            steps = len(episode.actions)
            achieved = take(states.achieved_goal, episode.arrays)
            # Where goals are final, none is read.
            goals = achieved if states.is_final else take(states.desired_goal or (), episode.arrays)
            success = np.full(steps, np.nan) if episode.success is None else episode.success
            recorded = Recorded(
                observations=take(states.observation, episode.arrays),
                achieved_goals=achieved,
                desired_goals=goals,
                actions=episode.actions,
                success=success,
                reward_infos=np.zeros((steps, len(spec.reward_info_keys))),
            )
            if not states.is_final:
                importer.add(recorded)
                continue
            importer.check(recorded)
            for part in with_final_goals(recorded, spec.max_episode_steps):
                importer.add(part)
    return ["Goals are what the episodes have achieved at their ends."] * states.is_final


def require_no_infos(spec: GoalSpec) -> None:
    """Refuse an environment whose reward reads what such files do not have.

    Raises:
        ValueError: that names it.
    """
    if spec.reward_info_keys:
        raise ValueError(
            f"the reward of {spec.env_id} reads {', '.join(spec.reward_info_keys)} of info, which "
            f"it does not have"
        )
