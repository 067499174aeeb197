"""Episodes here and in Minari: arrays of a dataset become ``Episode``s, and these its buffers."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces

from headstart.demos.foreign.importer import EpisodeImporter, naming
from headstart.demos.foreign.minari_files import Arrays
from headstart.demos.recorded import Recorded
from headstart.demos.storage import DemoSet
from headstart.envs.goal_env import GoalReward, GoalSpec

if TYPE_CHECKING:
    from minari.data_collector import EpisodeBuffer

_STATES = ("observations", "achieved_goals", "desired_goals")
_STEPS = ("actions", "success", "reward_infos", "terminated")


def import_arrays(arrays: Arrays, spec: GoalSpec, importer: EpisodeImporter) -> list[str]:
    """Take all episodes of a dataset.

    Args:
        arrays: what ``read_arrays`` returns.
        spec: the environment.
        importer: what makes demonstrations of them.

    Returns:
        Remarks, in plain sentences.

    Raises:
        ValueError: if an episode is not sound.
    """
    endless = step = state = 0
    counts = (arrays["numbers"], arrays["steps"], arrays["states"])
    for number, steps, states in zip(*map(np.ndarray.tolist, counts), strict=True):
        rows = {key: arrays[key][step : step + steps] for key in _STEPS}
        rows |= {key: arrays[key][state : state + states] for key in _STATES}
        ends = (arrays["terminated"] | arrays["truncated"])[step : step + steps]
        step += steps
        state += states
        with naming(f"episode_{number}"):
            if (continued := ends[: spec.max_episode_steps][:-1]).any():
                step = int(np.argmax(continued))
                raise ValueError(f"it continues after step {step}, which ended it")
            importer.add(Recorded(**rows))
        endless += 0 < steps <= spec.max_episode_steps and not ends[-1]
    return [f"Episodes that end neither terminated nor truncated: {endless}."] * bool(endless)


def episode_buffers(
    demos: DemoSet, observation_space: spaces.Dict, action_space: Any, reward: GoalReward
) -> Iterator["EpisodeBuffer"]:
    """Yield the episodes as Minari has them: with the final goal, and with infos of the reset."""
    from minari.data_collector import EpisodeBuffer

    for episode in demos.episodes:
        goals, infos = episode.desired_goals, episode.reward_infos
        rewards, _ = reward(episode.achieved_goals[1:], goals, infos)
        last = np.arange(len(episode)) == len(episode) - 1
        states = {
            "observation": episode.observations,
            "achieved_goal": episode.achieved_goals,
            "desired_goal": np.concatenate([goals, goals[-1:]]),
        }
        # The first row is of reset, which has none: the infos of the first step stand there.
        moved = np.concatenate([infos[:1], infos])
        columns = {key: moved[:, i] for i, key in enumerate(reward.spec.reward_info_keys)}
        yield EpisodeBuffer(
            observations={
                key: array.astype(observation_space[key].dtype) for key, array in states.items()
            },
            actions=episode.actions.astype(action_space.dtype),
            rewards=rewards.astype(np.float64),
            terminations=episode.terminated,
            truncations=last & ~episode.terminated,
            infos={"is_success": np.concatenate([[False], episode.is_success]), **columns},
        )
