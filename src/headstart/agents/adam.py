"""Adam by torch's own fused kernel, without the class around it."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-8


class Adam:
    """Adam (Kingma & Ba 2015, algorithm 1), to the bit what ``torch.optim.AdamW(fused=True)`` does.

    Making one of those imports torch's compiler, which takes longer than all else that training
    waits for at its start, and a step of it takes longer than the kernel on networks this small.

    Args:
        parameters: what it changes, in the order of the gradients.
        rate: the learning rate, > 0.
        decay: by how much of itself each parameter shrinks in a step, in units of ``rate``, >= 0
            (decoupled weight decay; Loshchilov & Hutter 2019, algorithm 2).

    Attributes:
        state: for each parameter its ``step``, ``exp_avg`` and ``exp_avg_sq``, changed in place.
    """

    def __init__(self, parameters: Iterable[Tensor], rate: float, decay: float = 0.0) -> None:
        self._parameters = list(parameters)
        self._rate, self._decay = rate, decay
        self.state = {
            parameter: {
                "step": torch.zeros((), device=parameter.device),
                "exp_avg": torch.zeros_like(parameter),
                "exp_avg_sq": torch.zeros_like(parameter),
            }
            for parameter in self._parameters
        }
        self._steps, self._means, self._squares = (
            [of_one[name] for of_one in self.state.values()]
            for name in ("step", "exp_avg", "exp_avg_sq")
        )

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor]) -> None:
        """Move the parameters against the gradients, one for each and of its shape."""
        torch._foreach_add_(self._steps, 1)
        torch._fused_adamw_(
            self._parameters,
            list(gradients),
            self._means,
            self._squares,
            [],
            self._steps,
            lr=self._rate,
            beta1=_BETA1,
            beta2=_BETA2,
            weight_decay=self._decay,
            eps=_EPSILON,
            amsgrad=False,
            maximize=False,
        )
