"""Learning that has diverged, noticed before anything of it is used."""

import torch

from headstart.agents.ddpg import DDPG
from headstart.agents.state import live_tensors, not_finite
from headstart.errors import RunError
from headstart.training.metrics import MeanMetrics


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
