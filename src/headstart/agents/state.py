"""Everything an agent has learned as named tensors, and back: what a checkpoint holds of it."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from headstart.agents.ddpg import DDPG

AgentState = dict[str, Tensor]
_NEVER_NEGATIVE = ("updates", "moments.count", "moments.squares", ".step", ".exp_avg_sq")


def agent_state(agent: DDPG) -> AgentState:
    """Return copies of networks, targets, optimisers, normaliser and the count of updates.

    They are on the CPU, wherever the agent is.
    """
    return {
        name: tensor.detach().to("cpu", copy=True) for name, tensor in _all_tensors(agent).items()
    }


@torch.no_grad()
def load_agent_state(agent: DDPG, state: Mapping[str, Tensor]) -> None:
    """Put an agent where another of the same configuration stood.

    Raises:
        ValueError: if a tensor is missing, unknown, of another shape or type, or not finite;
            nothing of the agent has been changed then.
    """
    check_agent_state(agent, state)
    for name, tensor in live_tensors(agent).items():
        tensor.copy_(state[name])
    agent.updates = int(state["updates"])
    agent.moments.restore(
        int(state["moments.count"]),
        state["moments.mean"].numpy().copy(),
        state["moments.squares"].numpy().copy(),
    )
    agent.refresh_normalizer()


def check_agent_state(agent: DDPG, state: Mapping[str, Tensor]) -> None:
    """Refuse what ``load_agent_state`` refuses, and change nothing.

    Raises:
        ValueError: as ``load_agent_state``.
    """
    _check_form(_all_tensors(agent), state)
    broken = not_finite(state)
    if broken is not None:
        raise ValueError(f"{broken} holds NaN or infinity")
    for name, tensor in state.items():
        if name.endswith(_NEVER_NEGATIVE) and (tensor < 0).any():
            raise ValueError(f"{name} must not be negative")
    # They are float64, but the mean and deviation that networks see are float32.
    moments = torch.cat([state["moments.mean"], state["moments.squares"].sqrt()])
    if not moments.float().isfinite().all():
        raise ValueError("moments.mean or moments.squares are beyond the range of float32")


def not_finite(state: Mapping[str, Tensor]) -> str | None:
    """Return the name of the first tensor that holds NaN or infinity, if there is one."""
    # One kernel for all of them first; a norm may overflow where no number of it is infinite.
    tensors = [each for each in state.values() if each.is_floating_point()]
    here = tensors[0].device
    norms = torch._foreach_norm([each for each in tensors if each.device == here])
    others = [each.norm().to(here) for each in tensors if each.device != here]
    if torch.stack([norm.float() for norm in (*norms, *others)]).isfinite().all():
        return None
    return next((name for name, tensor in state.items() if not tensor.isfinite().all()), None)


def live_tensors(agent: DDPG) -> dict[str, Tensor]:
    """Return the tensors that learning changes in place, by name."""
    networks: dict[str, nn.Module] = {
        "actor": agent.actor,
        "critics": agent.critics,
        "target_actor": agent.target_actor,
        "target_critics": agent.target_critics,
    }
    tensors: dict[str, Tensor] = {}
    for network, module in networks.items():
        for name, parameter in module.named_parameters():
            tensors[f"{network}.{name}"] = parameter
            optimizer = agent.optimizers.get(network)
            if optimizer is not None:
                for moment, value in optimizer.state[parameter].items():
                    tensors[f"{network}.{name}.{moment}"] = value
    return tensors


def _all_tensors(agent: DDPG) -> dict[str, Tensor]:
    return live_tensors(agent) | {
        "updates": torch.tensor(agent.updates),
        "moments.count": torch.tensor(agent.moments.count),
        "moments.mean": torch.from_numpy(agent.moments.mean),
        "moments.squares": torch.from_numpy(agent.moments.squares),
    }


def _check_form(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> None:
    missing, unknown = expected.keys() - found.keys(), found.keys() - expected.keys()
    if missing or unknown:
        raise ValueError(f"tensors missing: {sorted(missing)}, unknown: {sorted(unknown)}")
    for name, tensor in expected.items():
        here, there = (tuple(tensor.shape), tensor.dtype), (found[name].shape, found[name].dtype)
        if here != (tuple(there[0]), there[1]):
            raise ValueError(
                f"{name} is {there[1]} {tuple(there[0])} instead of {here[1]} {here[0]}"
            )
