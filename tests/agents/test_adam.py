"""Adam without its class: the same bits, and nothing of torch's compiler."""

import pytest
import torch

from headstart.agents.adam import Adam

SHAPES = [(5, 3), (5,), (1, 5), (1,)]


def parameters():
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(shape, generator=generator) for shape in SHAPES]


@pytest.mark.slow
@pytest.mark.parametrize("decay", [0.0, 1.0])
def test_it_is_torchs_own_to_the_bit(decay):
    ours, theirs = parameters(), [tensor.requires_grad_() for tensor in parameters()]
    adam = Adam(ours, 0.01, decay)
    reference = torch.optim.AdamW(theirs, lr=0.01, weight_decay=decay, fused=True)
    if not decay:
        reference = torch.optim.Adam(theirs, lr=0.01, fused=True)
    generator = torch.Generator().manual_seed(1)
    for _ in range(20):
        gradients = [torch.randn(shape, generator=generator) for shape in SHAPES]
        adam.step(gradients)
        for tensor, gradient in zip(theirs, gradients, strict=True):
            tensor.grad = gradient
        reference.step()
    for mine, other in zip(ours, theirs, strict=True):
        assert torch.equal(mine, other)
        assert adam.state[mine].keys() == reference.state[other].keys()
        assert all(torch.equal(adam.state[mine][key], reference.state[other][key])
                   for key in adam.state[mine])  # fmt: skip


@pytest.mark.slow
def test_training_does_not_wait_for_torchs_compiler(warm):
    assert "headstart.agents.adam" in warm.modules
    assert "torch._dynamo" not in warm.modules
