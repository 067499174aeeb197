"""Forward and backward passes of the networks by hand: torch's graph costs as much as its products.

``networks`` says what the networks are. What is computed here is the same up to rounding, with four
differences: nothing is recorded; what is not needed later is overwritten; layer norm is a few plain
kernels; and a product with few columns, which BLAS pads to many, is done as its transpose.
"""

from functools import cache

import torch
from torch import Tensor

from headstart.agents.networks import ALL, Actor, Critics, Layers


@cache
def _epsilon(device: torch.device) -> Tensor:
    """Return what ``torch.nn.functional.layer_norm`` adds to variances."""
    return torch.tensor(1e-5, dtype=torch.float64, device=device)


class ActorPass:
    """An actor's actions at inputs ``(B, input_dim)``, and the way back from them.

    Attributes:
        action: ``(B, action_dim)``, each entry in ``[-1, 1]``.
    """

    def __init__(self, actor: Actor, inputs: Tensor) -> None:
        self._layers = _Layers(actor.layers, inputs, layer_norm=False)
        self.action = self._layers.output.tanh_()

    def parameter_gradients(self, gradient: Tensor) -> list[Tensor]:
        """Return the gradients of a loss in the order of ``actor.parameters()``.

        Args:
            gradient: of the loss by ``action``.
        """
        return self._layers.parameter_gradients(gradient * (1.0 - self.action.square()))


class CriticPass:
    """The values ``(K, B)`` of critics, or of some ``members`` alone, and the way back from them.

    Attributes:
        values: ``(K, B)``.
    """

    def __init__(
        self, critics: Critics, inputs: Tensor, action: Tensor, *, members: slice = ALL
    ) -> None:
        layers = critics.layers(members)
        joined = torch.cat([inputs, action], dim=-1).expand(len(layers[0][0]), -1, -1)
        self._layers = _Layers(layers, joined, layer_norm=critics.layer_norm)
        self._action_dim = action.shape[-1]
        self.values = self._layers.output.squeeze(-1)

    def parameter_gradients(self, gradient: Tensor) -> list[Tensor]:
        """Return the gradients of a loss in the order of ``critics.parameters()``.

        Args:
            gradient: of the loss by ``values``.
        """
        return self._layers.parameter_gradients(gradient.unsqueeze(-1))

    def action_gradient(self, gradient: Tensor) -> Tensor:
        """Return the gradient of a loss by the action, ``(B, action_dim)``.

        Args:
            gradient: of the loss by the values of the only member, ``(B,)``.
        """
        return self._layers.input_gradient(gradient[None, :, None], self._action_dim)[0]


class _Layers:
    """Linear layers with rectifiers between them, over ``(B, in)`` or ``(K, B, in)``."""

    def __init__(self, layers: Layers, inputs: Tensor, *, layer_norm: bool) -> None:
        self._layers = layers
        # By name: matmul would decide between them, in five more calls for each product.
        stacked = inputs.dim() == 3
        self._product = torch.bmm if stacked else torch.mm
        affine = torch.baddbmm if stacked else torch.addmm
        self._inputs = [inputs]  # of each layer
        self._centred: list[tuple[Tensor, Tensor]] = []  # outputs, and by what they are multiplied
        for weight, bias in layers[:-1]:
            hidden = affine(bias, self._inputs[-1], weight)
            if layer_norm:
                factor = _centre_(hidden)
                self._centred.append((hidden, factor))
                # The factor is positive: it may as well come after the rectifier.
                self._inputs.append(hidden.clamp_min(0.0).mul_(factor))
            else:
                self._inputs.append(hidden.clamp_min_(0.0))
        weight, bias = layers[-1]
        self.output = self._product(weight.mT, self._inputs[-1].mT).mT + bias

    def parameter_gradients(self, gradient: Tensor) -> list[Tensor]:
        """Return the gradients of all weights and then of all biases."""
        by_outputs = self._output_gradients(gradient)
        pairs = zip(self._inputs[:-1], by_outputs[:-1], strict=True)
        weights = [self._product(inputs.mT, by_output) for inputs, by_output in pairs]
        weights.append(self._product(gradient.mT, self._inputs[-1]).mT.contiguous())
        biases = [
            by_output.sum(dim=-2).view_as(bias)
            for (_, bias), by_output in zip(self._layers, by_outputs, strict=True)
        ]
        return [*weights, *biases]

    def input_gradient(self, gradient: Tensor, columns: int) -> Tensor:
        """Return the gradient by the last ``columns`` of the inputs."""
        weight = self._layers[0][0][..., -columns:, :]
        return self._product(weight, self._output_gradients(gradient)[0].mT).mT

    def _output_gradients(self, gradient: Tensor) -> list[Tensor]:
        """Return the gradient by what each layer makes of its inputs, first layer first."""
        gradients = [gradient]
        for index in reversed(range(1, len(self._layers))):
            weight, inputs = self._layers[index][0], self._inputs[index]
            if gradient.shape[-1] == 1:
                gradient = gradient * weight.mT
            else:
                gradient = self._product(gradient, weight.mT)
            gradient = torch.ops.aten.threshold_backward.grad_input(
                gradient, inputs, 0.0, grad_input=gradient
            )
            if self._centred:
                gradient = _normalize_backward(gradient, *self._centred[index - 1])
            gradients.insert(0, gradient)
        return gradients


def _centre_(hidden: Tensor) -> Tensor:
    """Give each row the mean 0 in place; return what would give it the variance 1."""
    hidden.sub_(hidden.mean(dim=-1, keepdim=True))
    norm = torch.linalg.vector_norm(hidden, dim=-1, keepdim=True)
    return torch.addcmul(_epsilon(norm.device), norm, norm, value=1.0 / hidden.shape[-1]).rsqrt_()


def _normalize_backward(gradient: Tensor, centred: Tensor, factor: Tensor) -> Tensor:
    """Return the gradient by the input of a layer norm from the one by its output."""
    by_input: Tensor = torch.ops.aten.native_layer_norm_backward(
        gradient, centred, centred.shape[-1:], torch.zeros_like(factor), factor,
        None, None, [True, False, False],
    )[0]  # fmt: skip
    return by_input
