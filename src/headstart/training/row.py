"""One row of metrics: what an evaluation found, and where the run stood."""

from collections.abc import Sequence

import numpy as np
import torch

from headstart.agents.ddpg import DDPG
from headstart.data.episode import Episode
from headstart.training.evaluation import EvalResult
from headstart.training.progress import Progress


def evaluation_metrics(result: EvalResult, mean_q: float) -> dict[str, float]:
    """Return the metrics of an evaluation, by name."""
    return {
        "eval/success_rate": result.success_rate,
        "eval/mean_q": mean_q,
        "eval/failed_episodes": result.failed,
        **{f"eval/success_rate_{name}": p.success_rate for name, p in result.parts.items()},
    }


def progress_metrics(progress: Progress) -> dict[str, float]:
    """Return the counters and clocks of a run, by name."""
    return {
        "time/env_steps": progress.env_steps,
        "time/episodes": progress.episodes,
        "time/updates": progress.updates,
        "time/warm_start_updates": progress.warm_start_updates,
        "time/wall_seconds": progress.wall_seconds,
        "time/evaluation_seconds": progress.evaluation_seconds,
        "time/checkpoint_seconds": progress.checkpoint_seconds,
        "health/dropped_episodes": progress.dropped_episodes,
    }


def mean_value(agent: DDPG, episodes: Sequence[Episode]) -> float:
    """Return the mean of ``Q(s, pi(s))`` over all steps of some episodes."""
    observation = np.concatenate([episode.observations[:-1] for episode in episodes])
    achieved_goal = np.concatenate([episode.achieved_goals[:-1] for episode in episodes])
    desired_goal = np.concatenate([episode.desired_goals for episode in episodes])
    columns = (observation, achieved_goal, desired_goal)
    return float(agent.values(*(torch.from_numpy(column) for column in columns)).mean())
