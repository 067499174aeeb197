"""What updates report, on average, and what an evaluation adds to a row of metrics."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from headstart.agents.ddpg import DDPG
from headstart.agents.device import send
from headstart.agents.state import live_tensors, not_finite
from headstart.data.episode import Episode
from headstart.errors import RunError
from headstart.files.strict_json import build
from headstart.training.evaluation import EvalResult


class MeanMetrics:
    """Means of what the updates report between two evaluations."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = defaultdict(int)

    def add(self, metrics: Mapping[str, Tensor]) -> None:
        """Count the metrics of one update."""
        for name, value in metrics.items():
            # Tensors are added up as they are: reading each one out would cost more than the sum.
            self._sums[name] = self._sums[name] + value if name in self._sums else value
            self._counts[name] += 1

    def means(self) -> dict[str, float]:
        """Return the means so far."""
        return {name: float(total) / self._counts[name] for name, total in self._sums.items()}

    def clear(self) -> None:
        """Start again from nothing."""
        self._sums.clear()
        self._counts.clear()

    def not_finite(self) -> str | None:
        """Return the name of the first metric whose sum is NaN or infinite, if there is one."""
        sums = self._sums.items()
        return next((name for name, total in sums if not math.isfinite(float(total))), None)

    def to_json(self) -> dict[str, tuple[float, int]]:
        """Return sum and count of each metric."""
        return {name: (float(total), self._counts[name]) for name, total in self._sums.items()}

    @classmethod
    def from_json(cls, content: Any) -> "MeanMetrics":
        """Return what ``to_json`` gave the sums and counts of.

        Raises:
            ValueError: if they cannot be any.
        """
        metrics = cls()
        for name, (total, count) in build(dict[str, tuple[float, int]], content).items():
            if count < 1 or not math.isfinite(total):
                raise ValueError(f"{name}: a count is negative or 0, or a sum is not finite")
            # A sum of float32 tensors is one; written as a float and read back it is the same.
            metrics._sums[name] = torch.tensor(total)
            metrics._counts[name] = count
        return metrics


def evaluation_metrics(result: EvalResult, mean_q: float) -> dict[str, float]:
    """Return the metrics of an evaluation, by name."""
    strict = result.strict_success_rate
    return {
        "eval/success_rate": result.success_rate,
        "eval/mean_q": mean_q,
        "eval/failed_episodes": result.failed,
        **{f"eval/success_rate_{name}": p.success_rate for name, p in result.parts.items()},
        **{f"eval/component_{name}": rate for name, rate in result.components.items()},
        **({} if strict is None else {"eval/strict_success_rate": strict}),
    }


def mean_value(agent: DDPG, episodes: Sequence[Episode]) -> float:
    """Return the mean of ``Q(s, pi(s))`` over all steps of some episodes."""
    observation = np.concatenate([episode.observations[:-1] for episode in episodes])
    achieved_goal = np.concatenate([episode.achieved_goals[:-1] for episode in episodes])
    desired_goal = np.concatenate([episode.desired_goals for episode in episodes])
    columns = (observation, achieved_goal, desired_goal)
    tensors = (send(torch.from_numpy(column), agent.device) for column in columns)
    return float(agent.values(*tensors).mean())


def require_finite(agent: DDPG, metrics: MeanMetrics, updates: int) -> None:
    """Refuse an agent or metrics with NaN or infinity in them.

    Args:
        agent: what is learned.
        metrics: of its updates.
        updates: how many there were, for the message.

    Raises:
        RunError: that names what is not finite, and what may help.
    """
    mean = torch.from_numpy(agent.moments.mean)
    tensors = {**live_tensors(agent), "the normaliser's mean": mean}
    broken = not_finite(tensors) or metrics.not_finite()
    if broken is None:
        return
    losses = ", ".join(f"{name} {value:.3g}" for name, value in metrics.means().items())
    raise RunError(
        f"learning diverged: {broken} is not finite after {updates} updates ({losses}); smaller "
        f"--agent.critic-lr and --agent.actor-lr may help, with --allow-change on resume"
    )
