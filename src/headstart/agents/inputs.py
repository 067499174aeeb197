"""What the networks see of states: entries and differences of entries, standardised."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from headstart.agents.config import DDPGConfig
from headstart.agents.device import send
from headstart.data.batch import NumpyBatch
from headstart.data.component_inputs import ComponentInputs
from headstart.data.inputs import NOTHING, InputMap


class Inputs(NamedTuple):
    """What networks see of a batch, standardised."""

    critic: Tensor  # (B, critic_dim), all of it
    actor: Tensor  # (B, actor_dim)


class RunningMoments:
    """Mean and variance of everything seen so far (Chan et al. 1979), in float64 and mergeable.

    Sums of squares in float32, as in baselines, lose the variance of features with a large mean.

    Args:
        dim: width of the vectors.
        std_floor: smallest standard deviation reported; baselines' ``norm_eps``.
    """

    def __init__(self, dim: int, *, std_floor: float) -> None:
        self.std_floor = std_floor
        self.count = 0
        self.mean = np.zeros(dim)
        self.squares = np.zeros(dim)  # sum of squared deviations from the mean

    @property
    def std(self) -> NDArray[np.float64]:
        """Standard deviation ``(dim,)``, not below the floor; 1 while nothing has been seen."""
        if self.count == 0:
            return np.ones_like(self.mean)
        return np.sqrt(np.maximum(self.squares / self.count, self.std_floor**2))

    def update(self, values: NDArray[np.floating]) -> None:
        """Take in ``values``, ``(N, dim)``."""
        count = len(values)
        if count == 0:
            return
        values = values.astype(np.float64)
        mean = values.mean(axis=0)
        total = self.count + count
        shift = mean - self.mean
        self.squares += np.square(values - mean).sum(axis=0)
        self.squares += np.square(shift) * (self.count * count / total)
        self.mean = self.mean + shift * (count / total)
        self.count = total

    def restore(self, count: int, mean: NDArray[np.float64], squares: NDArray[np.float64]) -> None:
        """Continue from earlier moments, all of which are attributes."""
        self.count, self.mean, self.squares = count, mean, squares


class NetworkInputs:
    """Observations and goals to what critics and actor see of them.

    Args:
        config: how they are clipped and standardised.
        observation_dim, goal_dim: widths of the vectors.
        actor_inputs: what the actor sees; ``None`` is what the critics see.
        device: where they are computed.

    Attributes:
        critic_dim, actor_dim: how much critics and actor see.
        moments: mean and deviation of all that is seen, in the order of ``raw``.
        mean, std: the same as they standardise by now, ``(width,)``.
        actor_columns: which of it the actor sees, ``(actor_dim,)``.
        output_clip: bound on what is seen.
    """

    def __init__(
        self,
        config: DDPGConfig,
        observation_dim: int,
        goal_dim: int,
        actor_inputs: InputMap | ComponentInputs | None,
        device: torch.device,
    ) -> None:
        self._config, self._device = config, device
        self._all_alike = actor_inputs is None
        critic = InputMap.of(observation_dim, goal_dim, config.goal_input)
        self._components = actor_inputs if isinstance(actor_inputs, ComponentInputs) else None
        actor = critic if isinstance(actor_inputs, ComponentInputs) else actor_inputs or critic
        # The critics' come first.
        inputs = critic.joined(actor.terms)
        more = inputs.terms[len(critic) :]
        if any(subtracted == NOTHING for _, subtracted in more):
            raise ValueError("the actor sees an entry that the critics do not see")
        columns = inputs.places(actor.terms)
        self._scales = actor.scales
        coarse = [columns[place] for place in actor.differences]
        width = len(inputs) + len(actor.scales) * len(coarse)
        if self._components is not None:
            width = len(inputs) + len(self._components)
            columns = []
        columns += range(len(inputs), width)
        self.critic_dim, self.actor_dim = len(critic), len(columns)
        # Places in memory of the device: lists of them would be copied there at every batch.
        self._coarse = self._places(coarse)
        self.actor_columns = self._places(columns)
        # What the actor alone sees: entries, and what is subtracted from them.
        self._more = self._places([entry for entry, _ in more], [other for _, other in more])
        self.moments = RunningMoments(width, std_floor=config.std_floor)
        self.refresh()
        # Inputs left as they are must not be cut to a range that is meant for standard scores.
        clip = config.output_clip if config.normalize_inputs else config.input_clip
        self.output_clip = clip

    def observe(self, batch: NumpyBatch) -> None:
        """Count the inputs of a batch into the moments."""
        parts = (batch.observation, batch.achieved_goal, batch.desired_goal)
        raw = self.raw(*(send(torch.from_numpy(part), self._device) for part in parts))
        self.moments.update(raw.cpu().numpy())
        self.refresh()

    def refresh(self) -> None:
        """Standardise with the moments as they are now."""
        mean, std = (
            torch.from_numpy(each.astype(np.float32))
            for each in (self.moments.mean, self.moments.std)
        )
        self.mean, self.std = send(mean, self._device), send(std, self._device)

    def __call__(self, observation: Tensor, achieved_goal: Tensor, desired_goal: Tensor) -> Inputs:
        """Return standardised inputs."""
        raw = self.raw(observation, achieved_goal, desired_goal)
        seen = raw.sub_(self.mean).div_(self.std).clamp_(-self.output_clip, self.output_clip)
        if self._all_alike:
            return Inputs(seen, seen)
        return Inputs(seen[:, : self.critic_dim], seen.index_select(1, self.actor_columns))

    def raw(self, observation: Tensor, achieved_goal: Tensor, desired_goal: Tensor) -> Tensor:
        """Return what both see, ``(B, width)``, clipped and not yet standardised."""
        parts = [observation]
        if self._config.goal_input != "relative":
            parts.append(desired_goal)
        if self._config.goal_input != "absolute":
            parts.append(desired_goal - achieved_goal)
        if self._more.numel():
            states = torch.cat([observation, achieved_goal, desired_goal], dim=-1)
            parts.append(states[:, self._more[0]] - states[:, self._more[1]])
        if self._components is not None:
            states = torch.cat([observation, achieved_goal, desired_goal], dim=-1)
            seen = torch.from_numpy(self._components(states.cpu().numpy()))
            parts.append(send(seen, self._device))
        raw = torch.cat(parts, dim=-1)
        if self._scales:
            coarse = raw[:, self._coarse]
            raw = torch.cat([raw, *(torch.tanh(scale * coarse) for scale in self._scales)], dim=-1)
        return raw.clamp_(-self._config.input_clip, self._config.input_clip)

    def _places(self, *columns: list[int]) -> Tensor:
        """Return numbers of columns, ``(n,)`` or, of several lists, ``(lists, n)``."""
        return send(torch.tensor(columns[0] if len(columns) == 1 else columns), self._device).long()
