"""Batches that hold demonstrations and own experience in a fixed share."""

from headstart.data.batch import NumpyBatch, concatenate
from headstart.data.hindsight import Sampler


class MixedSampler:
    """A fixed share of demonstrated rows in every batch (the ``N_D`` of ``N`` of Nair et al. 2018).

    Args:
        online: sampler of the agent's own experience.
        demos: sampler of demonstrations.
        demo_fraction: share of demonstrated rows, in ``[0, 1)``.
    """

    def __init__(self, *, online: Sampler, demos: Sampler, demo_fraction: float) -> None:
        if not 0.0 <= demo_fraction < 1.0:
            raise ValueError(f"demo_fraction must lie in [0, 1), got {demo_fraction}")
        self.online = online
        self.demos = demos
        self.demo_fraction = demo_fraction

    def sample(self, count: int) -> NumpyBatch:
        """Return ``count`` transitions, own experience first."""
        num_demos = round(count * self.demo_fraction)
        parts = []
        if num_demos < count:
            parts.append(self.online.sample(count - num_demos))
        if num_demos:
            parts.append(self.demos.sample(num_demos))
        return concatenate(parts)
