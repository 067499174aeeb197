"""Batches that hold demonstrations and own experience in a fixed share."""

from headstart.data.batch import NumpyBatch
from headstart.data.hindsight import Drawn, HindsightSampler


class MixedSampler:
    """A fixed share of demonstrated rows in every batch (the ``N_D`` of ``N`` of Nair et al. 2018).

    Args:
        online: sampler of the agent's own experience.
        demos: sampler of demonstrations.
        demo_fraction: share of demonstrated rows, in ``[0, 1)``.

    Raises:
        ValueError: if the share is out of range, or the samplers are not of one environment.
    """

    def __init__(
        self, *, online: HindsightSampler, demos: HindsightSampler, demo_fraction: float
    ) -> None:
        if not 0.0 <= demo_fraction < 1.0:
            raise ValueError(f"demo_fraction must lie in [0, 1), got {demo_fraction}")
        # All rows of a batch are judged at once.
        if (online.reward, online.scale) != (demos.reward, demos.scale):
            raise ValueError("online and demos must share one reward and its scale")
        if online.replay.columns != demos.replay.columns:
            raise ValueError(
                f"online and demos differ in width: "
                f"{online.replay.columns} and {demos.replay.columns}"
            )
        self.online = online
        self.demos = demos
        self.demo_fraction = demo_fraction

    def sample(self, count: int) -> NumpyBatch:
        """Return ``count`` transitions, own experience first."""
        num_demos = round(count * self.demo_fraction)
        drawn = Drawn.empty(count, self.online.replay.width)
        if num_demos < count:
            self.online.draw(drawn.part(0, count - num_demos))
        if num_demos:
            self.demos.draw(drawn.part(count - num_demos, count))
        return self.online.judge(drawn)
