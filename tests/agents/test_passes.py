"""Passes by hand against torch's graph of the same networks and losses, in float64."""

from itertools import product

import numpy as np
import pytest
import torch
from builders import random_batch

from headstart.agents import losses
from headstart.agents.config import DDPGConfig
from headstart.agents.ddpg import DDPG
from headstart.agents.networks import ALL, FIRST, OTHERS, Actor, Critics
from headstart.agents.passes import ActorPass, CriticPass

SIZES = {"observation_dim": 4, "goal_dim": 2, "action_dim": 3}
EXACT = {"rtol": 1e-10, "atol": 1e-12}
CONFIGS = [
    dict(zip(("critic_layer_norm", "num_critics", "target_combination", "clip_target", "q_filter",
              "bc_weight", "bc_error", "goal_input"), values, strict=True))
    for values in product([True, False], [1, 3], ["min", "mean"], [True, False], [True, False],
                          [0.0, 0.7], ["squared", "distance"], ["absolute", "both"])
]  # fmt: skip


def fill_network(network, generator):
    """The network in float64, with biases that are not zero."""
    with torch.no_grad():
        for parameter in network.double().parameters():
            parameter += 0.3 * torch.randn(parameter.shape, generator=generator)
    return network


def assert_close(ones, others):
    for one, other in zip(ones, others, strict=True):
        torch.testing.assert_close(one, other, **EXACT)


def normal(generator, *shape):
    return torch.randn(shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("hidden", [(16,), (16, 8, 12)])
def test_an_actors_passes_are_those_of_the_graph(hidden):
    generator = torch.Generator().manual_seed(1)
    actor = fill_network(Actor(5, hidden, 3, generator), generator)
    inputs, gradient = normal(generator, 20, 5), normal(generator, 20, 3)
    action = actor(inputs)
    with torch.no_grad():
        passed = ActorPass(actor, inputs)
        assert_close([passed.action], [action.detach()])
        gradients = passed.parameter_gradients(gradient)
    assert_close(gradients, torch.autograd.grad(action, list(actor.parameters()), gradient))


@pytest.mark.parametrize("layer_norm", [True, False])
@pytest.mark.parametrize("members", [ALL, FIRST, OTHERS])
@pytest.mark.parametrize("hidden", [(16,), (16, 8, 12)])
def test_critics_passes_are_those_of_the_graph(layer_norm, members, hidden):
    generator = torch.Generator().manual_seed(2)
    critics = fill_network(Critics(8, hidden, 3, generator, layer_norm=layer_norm), generator)
    inputs, action = normal(generator, 20, 5), normal(generator, 20, 3).requires_grad_()
    values = critics(inputs, action, members=members)
    with torch.no_grad():
        passed = CriticPass(critics, inputs, action, members=members)
        assert_close([passed.values], [values.detach()])
        if members == ALL:
            gradient = normal(generator, 3, 20)
            parameters = list(critics.parameters())
            by_parameters = torch.autograd.grad(values, parameters, gradient)
            assert_close(passed.parameter_gradients(gradient), by_parameters)
        if members == FIRST:
            gradient = normal(generator, 1, 20)
            by_action = torch.autograd.grad(values, action, gradient)
            assert_close([passed.action_gradient(gradient[0])], by_action)


def make_agent(config):
    agent = DDPG(
        DDPGConfig(hidden_sizes=(16, 12), q_filter_from=0, q_weight=0.3, action_l2=0.4, **config),
        observation_dim=SIZES["observation_dim"],
        goal_dim=SIZES["goal_dim"],
        action_low=[-1.0] * SIZES["action_dim"],
        action_high=[2.0] * SIZES["action_dim"],
        reward_range=(-1.0, 0.0),
        seed=3,
    )
    generator = torch.Generator().manual_seed(5)
    for network in (agent.actor, agent.critics, agent.target_actor, agent.target_critics):
        fill_network(network, generator)
    return agent


def graph_losses(agent, batch):
    """The losses of the critics and of the actor, by the networks' own forward passes."""
    config, action = agent.config, agent._scaled_action(batch)
    seen = agent._inputs_now(batch)
    later = agent._inputs(batch.next_observation, batch.next_achieved_goal, batch.desired_goal)
    next_values = agent.target_critics(later.critic, agent.target_actor(later.actor))
    target = losses.td_target(
        batch.reward,
        batch.terminated,
        losses.combine(next_values, config.combination_for()),
        discount=config.discount_for(),
        bounds=agent.target_bounds,
    )
    values, chosen = agent.critics(seen.critic, action), agent.actor(seen.actor)
    q_policy = agent.critics(seen.critic, chosen)
    policy_loss = losses.policy_loss(q_policy[0], chosen, action_l2=config.action_l2)
    of_critics = losses.critic_loss(values, target)
    if not config.bc_weight or not batch.is_demo.any():
        return of_critics, policy_loss
    keep = losses.q_filter(values, q_policy) if config.q_filter else torch.ones_like(batch.is_demo)
    cloning = losses.bc_loss(
        chosen, action, is_demo=batch.is_demo, keep=keep, error=config.bc_error
    )
    return of_critics, config.q_weight * policy_loss + config.bc_weight * cloning


@pytest.mark.slow
@pytest.mark.parametrize("num_demos", [0, 9, 32])
def test_gradients_of_an_update_are_those_of_the_losses_with_any_settings(num_demos):
    batch = random_batch(np.random.default_rng(0), 32, **SIZES, num_demos=num_demos)
    batch = batch.map(lambda array: torch.from_numpy(array.astype(np.float64)))
    for config in CONFIGS:
        agent = make_agent(config)
        of_critics, of_actor = graph_losses(agent, batch)
        with torch.no_grad():
            seen, action = agent._inputs_now(batch), agent._scaled_action(batch)
            by_critics, values, metrics = agent._critic_gradients(batch, seen, action)
            shown = bool(num_demos and config["bc_weight"])
            by_actor, more = agent._actor_gradients(batch, seen, action, q_demo=values, shown=shown)
        assert_close([metrics["critic_loss"]], [of_critics.detach()])
        parameters = list(agent.critics.parameters())
        assert_close(by_critics, torch.autograd.grad(of_critics, parameters))
        assert_close(by_actor, torch.autograd.grad(of_actor, list(agent.actor.parameters())))
        assert ("bc_loss" in more) == shown
