"""Starting an agent from a saved policy, whose inputs were standardised otherwise."""

import torch

from headstart.agents.ddpg import DDPG
from headstart.agents.networks import Actor
from headstart.data.batch import NumpyBatch
from headstart.policy import Policy


@torch.no_grad()
def start_from(agent: DDPG, policy: Policy) -> None:
    """Make both actors of an agent what a policy is, up to rounding and clipping.

    Raises:
        ValueError: if the policy sees something else, has other layers or other actions.
    """
    own = agent.policy(deployed=False)
    if (policy.inputs, policy.goal_input) != (own.inputs, own.goal_input):
        raise ValueError("it sees something else of a state")
    sizes, wanted = ([len(bias) for _, bias in each.layers[:-1]] for each in (policy, own))
    if sizes != wanted:
        needed = " ".join(map(str, sizes))
        raise ValueError(f"it has other layers: pass --agent.hidden-sizes {needed}")
    bounds = [
        [array.tolist() for array in (each.action_low, each.action_high)] for each in (policy, own)
    ]
    if bounds[0] != bounds[1]:
        raise ValueError("its actions have other bounds")
    if policy.layers[-1][0].shape != own.layers[-1][0].shape:
        raise ValueError("it has actions of another width")
    for actor in (agent.actor, agent.target_actor):
        for tensors, arrays in zip(actor.layers, policy.layers, strict=True):
            for tensor, array in zip(tensors, arrays, strict=True):
                tensor.copy_(torch.from_numpy(array))
        _move(actor, Standard(policy), Standard(own))


@torch.no_grad()
def observe_and_keep(agent: DDPG, batch: NumpyBatch) -> None:
    """Count a batch into an agent's normaliser, and let its actors do as before."""
    before = Standard(agent.policy(deployed=False))
    agent.observe(batch)
    after = Standard(agent.policy(deployed=False))
    for actor in (agent.actor, agent.target_actor):
        _move(actor, before, after)


class Standard:
    """How the inputs of a policy are standardised."""

    def __init__(self, policy: Policy) -> None:
        self.mean, self.std = map(torch.from_numpy, (policy.mean, policy.std))


def _move(actor: Actor, before: Standard, after: Standard) -> None:
    """Rewrite the first layer of an actor for inputs that are standardised otherwise."""
    weight, bias = actor.layers[0]
    bias += ((after.mean - before.mean) / before.std).to(weight.device) @ weight
    weight *= (after.std / before.std).unsqueeze(-1).to(weight.device)
