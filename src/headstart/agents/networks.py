"""The actor and the critics: plain multi-layer perceptrons with ReLU."""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

Layers = tuple[tuple[Tensor, Tensor], ...]
"""Weight and bias of each layer."""
ALL, FIRST, OTHERS = slice(None), slice(0, 1), slice(1, None)
"""Which critics to evaluate."""


def xavier(shape: tuple[int, ...], generator: torch.Generator) -> nn.Parameter:
    """Draw a ``(..., in, out)`` weight uniformly in ``+-sqrt(6 / (in + out))``."""
    bound = (6.0 / (shape[-2] + shape[-1])) ** 0.5
    return nn.Parameter((2.0 * torch.rand(shape, generator=generator) - 1.0) * bound)


class Actor(nn.Module):
    """Inputs ``(B, input_dim)`` to actions in ``[-1, 1]``, ``(B, action_dim)``."""

    def __init__(
        self, input_dim: int, hidden: Sequence[int], action_dim: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        sizes = [input_dim, *hidden, action_dim]
        pairs = list(pairwise(sizes))
        self.weights = nn.ParameterList([xavier(pair, generator) for pair in pairs])
        self.biases = nn.ParameterList([nn.Parameter(torch.zeros(size)) for _, size in pairs])
        # Walking through a ParameterList takes as long as a small product, hence the plain tuple.
        self.layers: Layers = tuple(zip(self.weights, self.biases, strict=True))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the squashed action."""
        hidden = inputs
        for weight, bias in self.layers[:-1]:
            hidden = torch.relu_(torch.addmm(bias, hidden, weight))
        weight, bias = self.layers[-1]
        return torch.tanh(torch.addmm(bias, hidden, weight))


class Critics(nn.Module):
    """``K`` independent critics evaluated by one batched product a layer."""

    def __init__(
        self,
        input_dim: int,
        hidden: Sequence[int],
        num_critics: int,
        generator: torch.Generator,
        *,
        layer_norm: bool,
    ) -> None:
        super().__init__()
        sizes = [input_dim, *hidden, 1]
        pairs = list(pairwise(sizes))
        self.layer_norm = layer_norm
        self.weights = nn.ParameterList([xavier((num_critics, *pair), generator) for pair in pairs])
        self.biases = nn.ParameterList(
            [nn.Parameter(torch.zeros(num_critics, 1, size)) for _, size in pairs]
        )
        self._layers: Layers = tuple(zip(self.weights, self.biases, strict=True))

    def layers(self, members: slice = ALL) -> Layers:
        """Return the layers of some ``members``, as views."""
        if members == ALL:
            return self._layers
        return tuple((weight[members], bias[members]) for weight, bias in self._layers)

    def forward(self, inputs: Tensor, action: Tensor, *, members: slice = ALL) -> Tensor:
        """Return the values ``(K, B)`` of all critics, or of some ``members`` alone."""
        layers = self.layers(members)
        joined = torch.cat([inputs, action], dim=-1)
        hidden = joined.expand(len(layers[0][0]), *joined.shape)
        for weight, bias in layers[:-1]:
            hidden = torch.baddbmm(bias, hidden, weight)
            if self.layer_norm:
                # Without gain and bias of its own: the next layer has both.
                hidden = F.layer_norm(hidden, hidden.shape[-1:])
            hidden = torch.relu(hidden)
        weight, bias = layers[-1]
        return torch.baddbmm(bias, hidden, weight).squeeze(-1)
