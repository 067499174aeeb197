"""The losses of DDPG + HER + demonstrations, and their gradients, as pure functions of tensors."""

from typing import Literal

import torch
from torch import Tensor


@torch.no_grad()
def td_target(
    reward: Tensor,
    terminated: Tensor,
    next_value: Tensor,
    *,
    discount: float,
    bounds: tuple[float, float] | None,
) -> Tensor:
    """One-step Bellman target, ``(B,)``. Only true termination stops the bootstrap.

    ``y = clip(r + discount * (1 - terminated) * Q'(s', pi'(s')), bounds)`` (HER, section 4.4).
    """
    assert reward.shape == terminated.shape == next_value.shape, (reward.shape, next_value.shape)
    target = reward + discount * (1.0 - terminated) * next_value
    return target if bounds is None else target.clamp(*bounds)


def value_bounds(reward_range: tuple[float, float], discount: float) -> tuple[float, float]:
    """Return the least and the greatest value that rewards in ``reward_range`` allow.

    ``[min(low, low h), max(high, high h)]`` with ``h = 1 / (1 - discount)``: a reward that is paid
    for ever, or once by the transition that ends the episode.
    """
    low, high = reward_range
    horizon = 1.0 / (1.0 - discount)
    return min(low, low * horizon), max(high, high * horizon)


def combine(values: Tensor, how: Literal["min", "mean"]) -> Tensor:
    """Combine the values of ``K`` critics, ``(K, B)``, into one, ``(B,)``."""
    return values.amin(dim=0) if how == "min" else values.mean(dim=0)


def critic_loss(values: Tensor, target: Tensor) -> Tensor:
    """Mean squared TD error of each critic, ``(K, B)`` against ``(B,)``, summed over critics."""
    assert values.shape[1:] == target.shape, (values.shape, target.shape)
    return (values - target).square().mean(dim=1).sum()


def critic_gradient(values: Tensor, target: Tensor) -> Tensor:
    """Gradient of ``critic_loss`` by the values, ``(K, B)``."""
    return (values - target) * (2.0 / len(target))


def policy_loss(value: Tensor, action: Tensor, *, action_l2: float) -> Tensor:
    """``-mean Q(s, pi(s)) + action_l2 * mean(pi(s)^2)`` (DDPG; the second term as in baselines).

    Args:
        value: ``(B,)``.
        action: ``(B, action_dim)``, each entry in ``[-1, 1]``.
        action_l2: weight of the penalty, a mean over rows and action dimensions alike.
    """
    return action_l2 * action.square().mean() - value.mean()


def policy_gradients(value: Tensor, action: Tensor, *, action_l2: float) -> tuple[Tensor, Tensor]:
    """Gradients of ``policy_loss`` by the value, ``(B,)``, and by the action, ``(B, action_dim)``.

    The second one is of the penalty alone: that the value depends on the action is left out.
    """
    return torch.full_like(value, -1.0 / len(value)), action * (2.0 * action_l2 / action.numel())


_SMOOTH = 0.05
"""Distance below which the distance is about squared, in half ranges of actions."""


def bc_loss(
    policy_action: Tensor,
    demo_action: Tensor,
    is_demo: Tensor,
    keep: Tensor,
    error: Literal["squared", "distance"] | None = "squared",
) -> Tensor:
    """Error of the policy's actions where there are demonstrated ones, a number.

    Averaged over all demonstrated rows; filtered rows count as 0, so the divisor does not depend on
    the filter. The squared distance is that of Nair et al. 2018, equation 3: with 128 demonstrated
    rows the published sum times 1/128. The distance is ``sqrt(|x|^2 + d^2) - d`` (pseudo-Huber).
    """
    squared = (policy_action - demo_action).square().sum(dim=-1)
    assert squared.shape == is_demo.shape == keep.shape, (squared.shape, is_demo.shape, keep.shape)
    each = squared if error != "distance" else (squared + _SMOOTH**2).sqrt() - _SMOOTH
    return (is_demo * keep * each).sum() / is_demo.sum().clamp(min=1.0)


def bc_gradient(
    policy_action: Tensor,
    demo_action: Tensor,
    is_demo: Tensor,
    keep: Tensor,
    error: Literal["squared", "distance"] | None = "squared",
) -> Tensor:
    """Gradient of ``bc_loss`` by the policy's action, ``(B, action_dim)``."""
    way = policy_action - demo_action
    weight = is_demo * keep / is_demo.sum().clamp(min=1.0)
    if error != "distance":
        weight = 2.0 * weight
    else:
        weight = weight * (way.square().sum(dim=-1) + _SMOOTH**2).rsqrt()
    return way * weight.unsqueeze(-1)


@torch.no_grad()
def q_filter(q_demo: Tensor, q_policy: Tensor) -> Tensor:
    """Keep a demonstration where a critic rates it above the policy, ``(K, B)`` twice to ``(B,)``.

    Strict, and without a gradient. With one critic this is Nair et al. 2018, section IV-C. Of
    several critics one is enough to keep it: near the demonstrated action their differences are
    mostly noise, and a policy that climbs the first critic wins any vote that one holds alone.
    """
    assert q_demo.shape == q_policy.shape, (q_demo.shape, q_policy.shape)
    return (q_demo > q_policy).any(dim=0).to(q_demo.dtype)
