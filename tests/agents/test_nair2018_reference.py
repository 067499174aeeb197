"""One update of the published configuration against the equations, in float64 and by hand.

Nair et al. 2018, "Overcoming Exploration in Reinforcement Learning with Demonstrations", and the
constants of its code in OpenAI Baselines. Nothing of the reference uses torch or headstart.
"""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from builders import random_batch

from headstart.agents.ddpg import DDPG
from headstart.presets import PRESETS

OBSERVATION_DIM, GOAL_DIM, ACTION_DIM = 6, 3, 4
HIDDEN = (20, 20, 20)
ROWS, NUM_DEMOS = 32, 8
DISCOUNT, LEARNING_RATE = 0.98, 1e-3
LAMBDA_1, LAMBDA_2 = 0.001, 1.0 / NUM_DEMOS
TOLERANCE = 1e-5
"""On the relative distance of gradients; float32 is measured to keep it within 2e-7."""


# The reference.


def forward(layers, inputs):
    """All activations of a ReLU network whose last layer is linear, the inputs first."""
    activations = [inputs]
    for weight, bias in layers[:-1]:
        activations.append(np.maximum(activations[-1] @ weight + bias, 0.0))
    weight, bias = layers[-1]
    return [*activations, activations[-1] @ weight + bias]


def backward(layers, activations, output_gradient):
    """Gradients by layer, ``[(weight, bias), ...]``, and the gradient of the inputs."""
    gradients = []
    signal = output_gradient
    for index in reversed(range(len(layers))):
        if index < len(layers) - 1:
            signal = signal * (activations[index + 1] > 0.0)
        gradients.append((activations[index].T @ signal, signal.sum(axis=0)))
        signal = signal @ layers[index][0].T
    return gradients[::-1], signal


@dataclass(frozen=True)
class Terms:
    """Which terms of the published loss take part, so that a test can leave one out."""

    clip: bool = True
    q: bool = True
    action_l2: bool = True
    bc: bool = True
    q_filter: bool = True


@dataclass(frozen=True)
class Reference:
    """Networks as ``[(weight, bias), ...]`` in float64, and the normaliser of their inputs."""

    actor: list
    critic: list
    target_actor: list
    target_critic: list
    mean: np.ndarray
    std: np.ndarray

    def inputs(self, observation, goal):
        raw = np.clip(np.concatenate([observation, goal], axis=1), -200.0, 200.0)
        return np.clip((raw - self.mean) / self.std, -5.0, 5.0)

    def target(self, batch, terms):
        inputs = self.inputs(batch.next_observation, batch.desired_goal)
        action = np.tanh(forward(self.target_actor, inputs)[-1])
        value = forward(self.target_critic, np.hstack([inputs, action]))[-1][:, 0]
        target = batch.reward + DISCOUNT * value
        return np.clip(target, -1.0 / (1.0 - DISCOUNT), 0.0) if terms.clip else target

    def critic_loss(self, batch, terms=Terms(), critic=None):
        critic = critic or self.critic
        inputs = self.inputs(batch.observation, batch.desired_goal)
        activations = forward(critic, np.hstack([inputs, batch.action]))
        error = activations[-1][:, 0] - self.target(batch, terms)
        gradients, _ = backward(critic, activations, 2.0 * error[:, None] / ROWS)
        return np.mean(error**2), gradients

    def keep(self, batch, terms):
        if not terms.q_filter:
            return batch.is_demo
        inputs = self.inputs(batch.observation, batch.desired_goal)
        action = np.tanh(forward(self.actor, inputs)[-1])
        q_demo = forward(self.critic, np.hstack([inputs, batch.action]))[-1][:, 0]
        q_policy = forward(self.critic, np.hstack([inputs, action]))[-1][:, 0]
        return batch.is_demo * (q_demo > q_policy)

    def actor_losses(self, batch, terms=Terms(), actor=None):
        """Policy loss, cloning loss, and the gradient of their weighted sum."""
        inputs = self.inputs(batch.observation, batch.desired_goal)
        keep = self.keep(batch, terms)
        actor = actor or self.actor
        activations = forward(actor, inputs)
        action = np.tanh(activations[-1])
        critic_activations = forward(self.critic, np.hstack([inputs, action]))
        _, into_critic = backward(self.critic, critic_activations, np.full((ROWS, 1), -1.0 / ROWS))
        difference = action - batch.action

        policy_loss = -terms.q * critic_activations[-1].mean()
        policy_loss += terms.action_l2 * np.mean(action**2)
        cloning_loss = np.sum(keep * np.sum(difference**2, axis=1))

        by_action = terms.q * into_critic[:, -ACTION_DIM:]
        by_action = by_action + terms.action_l2 * 2.0 * action / action.size
        by_action = LAMBDA_1 * by_action
        by_action += terms.bc * LAMBDA_2 * 2.0 * keep[:, None] * difference
        gradients, _ = backward(actor, activations, by_action * (1.0 - action**2))
        return policy_loss, LAMBDA_2 * cloning_loss, gradients

    def actor_total(self, batch, actor):
        policy_loss, cloning_loss, _ = self.actor_losses(batch, actor=actor)
        return LAMBDA_1 * policy_loss + cloning_loss


# The agent beside it.


def make_agent(**changes):
    config = replace(PRESETS["nair2018"].agent, hidden_sizes=HIDDEN, **changes)
    agent = DDPG(
        config,
        observation_dim=OBSERVATION_DIM,
        goal_dim=GOAL_DIM,
        action_low=[-1.0] * ACTION_DIM,
        action_high=[1.0] * ACTION_DIM,
        reward_range=(-1.0, 0.0),
        seed=3,
    )
    agent.observe(observed_batch())
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        networks = (agent.actor, agent.critics, agent.target_actor, agent.target_critics)
        for parameter in (p for network in networks for p in network.parameters()):
            # Biases that are not zero, and target networks that differ from the online ones.
            parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
        # Values of the size that training has, with targets that leave [-50, 0] on either side.
        agent.critics.weights[-1] *= 30.0
        agent.critics.biases[-1] -= 20.0
        agent.target_critics.weights[-1] *= 80.0
        agent.target_critics.biases[-1] -= 30.0
    return agent


def observed_batch():
    batch = random_batch(np.random.default_rng(1), 500, **SIZES)
    return replace(batch, observation=3.0 * batch.observation + 1.0)


SIZES = {"observation_dim": OBSERVATION_DIM, "goal_dim": GOAL_DIM, "action_dim": ACTION_DIM}


def make_batch():
    batch = random_batch(np.random.default_rng(2), ROWS, **SIZES, num_demos=NUM_DEMOS)
    return replace(
        batch,
        observation=3.0 * batch.observation + 1.0,
        next_observation=3.0 * batch.next_observation + 1.0,
        terminated=np.zeros(ROWS, np.float32),
    )


def layers_of(network):
    def squeezed(tensor):
        array = tensor.detach().numpy().astype(np.float64)
        return array[0] if array.ndim == 3 else array

    pairs = zip(network.weights, network.biases, strict=True)
    return [(squeezed(weight), squeezed(bias).reshape(-1)) for weight, bias in pairs]


def make_reference(agent):
    observed = observed_batch()
    values = np.hstack([observed.observation, observed.desired_goal]).astype(np.float64)
    return Reference(
        actor=layers_of(agent.actor),
        critic=layers_of(agent.critics),
        target_actor=layers_of(agent.target_actor),
        target_critic=layers_of(agent.target_critics),
        mean=values.mean(axis=0),
        std=np.maximum(values.std(axis=0), 0.01),
    )


def double(batch):
    return batch.map(lambda array: array.astype(np.float64))


def gradients_of(agent, name):
    """The gradients of the first step in the layout of the reference: Adam keeps a tenth."""
    network, kept = getattr(agent, name), agent.optimizers[name].state
    means = [
        [kept[parameter]["exp_avg"].numpy() for parameter in layer]
        for layer in zip(network.weights, network.biases, strict=True)
    ]
    return [(10.0 * w.reshape(w.shape[-2:]), 10.0 * b.reshape(-1)) for w, b in means]


def flat(layers):
    return np.concatenate([array.ravel() for pair in layers for array in pair])


def relative_distance(one, two):
    return np.linalg.norm(flat(one) - flat(two)) / np.linalg.norm(flat(two))


@pytest.fixture
def update():
    """A function that updates a fresh agent: the agent, its metrics, and a reference of before."""

    def run(**changes):
        agent = make_agent(**changes)
        reference = make_reference(agent)
        metrics = agent.update(make_batch().map(torch.from_numpy))
        return agent, {name: float(value) for name, value in metrics.items()}, reference

    return run


def test_the_batch_puts_every_term_to_work(update):
    _, _, reference = update()
    batch = double(make_batch())
    target = reference.target(batch, Terms(clip=False))
    assert (target < -50.0).sum() >= 2
    assert (target > 0.0).sum() >= 2
    assert ((target > -50.0) & (target < 0.0)).sum() >= 8
    assert 2 <= reference.keep(batch, Terms()).sum() <= NUM_DEMOS - 2


def test_the_reference_gradients_are_those_of_its_losses(update):
    _, _, reference = update()
    batch = double(make_batch())
    checks = [
        (
            reference.critic,
            reference.critic_loss(batch)[1],
            lambda layers: reference.critic_loss(batch, critic=layers)[0],
        ),
        (
            reference.actor,
            reference.actor_losses(batch)[2],
            lambda layers: reference.actor_total(batch, layers),
        ),
    ]
    rng = np.random.default_rng(0)
    for layers, gradients, loss in checks:
        direction = [tuple(rng.standard_normal(a.shape) for a in pair) for pair in layers]

        def moved(step, layers=layers, direction=direction):
            pairs = zip(layers, direction, strict=True)
            return [(w + step * dw, b + step * db) for (w, b), (dw, db) in pairs]

        slope = (loss(moved(1e-6)) - loss(moved(-1e-6))) / 2e-6
        assert slope == pytest.approx(flat(gradients) @ flat(direction), rel=1e-5)


def test_the_losses_are_the_published_ones(update):
    _, metrics, reference = update()
    batch = double(make_batch())
    policy_loss, cloning_loss, _ = reference.actor_losses(batch)
    assert metrics["critic_loss"] == pytest.approx(reference.critic_loss(batch)[0], rel=1e-5)
    assert metrics["actor_loss"] == pytest.approx(policy_loss, rel=1e-5)
    assert metrics["bc_loss"] == pytest.approx(cloning_loss, rel=1e-5)
    share = reference.keep(batch, Terms()).sum() / NUM_DEMOS
    assert metrics["q_filter_pass_rate"] == pytest.approx(share)
    no_penalty, _, _ = reference.actor_losses(batch, Terms(action_l2=False))
    assert metrics["mean_q"] == pytest.approx(-no_penalty, rel=1e-5)


def test_the_gradients_are_the_published_ones(update):
    agent, _, reference = update()
    batch = double(make_batch())
    critic, actor = reference.critic_loss(batch)[1], reference.actor_losses(batch)[2]
    assert relative_distance(gradients_of(agent, "critics"), critic) < TOLERANCE
    assert relative_distance(gradients_of(agent, "actor"), actor) < TOLERANCE


def test_both_networks_take_adams_first_step(update):
    agent, _, reference = update()
    batch = double(make_batch())
    steps = [
        (agent.critics, reference.critic, reference.critic_loss(batch)[1]),
        (agent.actor, reference.actor, reference.actor_losses(batch)[2]),
    ]
    for network, before, gradients in steps:
        gradient = flat(gradients)
        moved = flat(layers_of(network)) - flat(before)
        clear = np.abs(gradient) > 1e-3 * np.abs(gradient).max()
        assert clear.sum() > 500
        expected = -LEARNING_RATE * np.sign(gradient[clear])
        np.testing.assert_allclose(moved[clear], expected, rtol=0, atol=2e-2 * LEARNING_RATE)


@pytest.mark.parametrize(
    ("changes", "terms", "network"),
    [
        ({"clip_target": False}, Terms(clip=False), "critics"),
        ({"action_l2": 0.0}, Terms(action_l2=False), "actor"),
        ({"q_weight": 0.0}, Terms(q=False, action_l2=False), "actor"),
        ({"q_filter": False}, Terms(q_filter=False), "actor"),
        ({"q_filter_from": 1}, Terms(q_filter=False), "actor"),
    ],
)
def test_each_term_matters_and_can_be_switched_off(update, changes, terms, network):
    agent, _, reference = update(**changes)
    batch = double(make_batch())

    def expected(terms):
        if network == "critics":
            return reference.critic_loss(batch, terms)[1]
        return reference.actor_losses(batch, terms)[2]

    assert relative_distance(gradients_of(agent, network), expected(terms)) < TOLERANCE
    # The smallest, the penalty of weight 0.001 on actions, makes 3e-4 of the gradient.
    assert relative_distance(expected(Terms()), expected(terms)) > 20 * TOLERANCE


def test_without_cloning_the_policy_loss_is_not_weighted(update):
    agent, metrics, reference = update(bc_weight=0.0)
    _, _, gradients = reference.actor_losses(double(make_batch()), Terms(bc=False))
    unweighted = [(weight / LAMBDA_1, bias / LAMBDA_1) for weight, bias in gradients]
    assert relative_distance(gradients_of(agent, "actor"), unweighted) < TOLERANCE
    assert "bc_loss" not in metrics


def test_target_networks_move_by_a_twentieth_at_the_end_of_a_cycle(update):
    agent, _, reference = update()
    pairs = [
        (agent.target_actor, agent.actor, reference.target_actor),
        (agent.target_critics, agent.critics, reference.target_critic),
    ]
    for target, _, before in pairs:
        np.testing.assert_array_equal(flat(layers_of(target)), flat(before))
    agent.end_cycle()
    for target, online, before in pairs:
        expected = 0.95 * flat(before) + 0.05 * flat(layers_of(online))
        np.testing.assert_allclose(flat(layers_of(target)), expected, rtol=1e-5, atol=1e-6)
