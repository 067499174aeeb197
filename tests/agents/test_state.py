import numpy as np
import pytest
import torch
from builders import random_batch

from headstart.agents.ddpg import DDPG, DDPGConfig
from headstart.agents.state import agent_state, load_agent_state, not_finite

SIZES = {"observation_dim": 5, "goal_dim": 3, "action_dim": 2}


def new_agent(seed=0, **settings):
    return DDPG(
        DDPGConfig(hidden_sizes=(16, 16), q_filter_from=3, actor_delay=2, **settings),
        observation_dim=5,
        goal_dim=3,
        action_low=[-1.0, -1.0],
        action_high=[1.0, 1.0],
        reward_range=(-1.0, 0.0),
        seed=seed,
    )


def learn(agent, updates, rng):
    for _ in range(updates):
        batch = random_batch(rng, 32, num_demos=8, **SIZES)
        agent.observe(batch)
        agent.update(batch.map(torch.from_numpy))
        agent.end_cycle()


def same(first, second):
    return first.keys() == second.keys() and all(
        torch.equal(first[name], second[name]) for name in first
    )


@pytest.mark.parametrize("target_update", ["update", "cycle"])
@pytest.mark.parametrize("before", [0, 5])
def test_updates_after_a_load_are_those_without_it(before, target_update):
    agent = new_agent(target_update=target_update)
    learn(agent, before, np.random.default_rng(0))
    state = agent_state(agent)
    restored = new_agent(seed=9, target_update=target_update)
    load_agent_state(restored, state)
    for learner in (agent, restored):
        learn(learner, 5, np.random.default_rng(1))
    assert not same(agent_state(agent), state)
    assert same(agent_state(agent), agent_state(restored))
    observation = {
        name: np.ones((4, width), np.float32)
        for name, width in (("observation", 5), ("achieved_goal", 3), ("desired_goal", 3))
    }
    for deployed in (True, False):
        actions = [one.policy(deployed=deployed)(observation) for one in (agent, restored)]
        np.testing.assert_array_equal(*actions)


def test_a_state_is_a_copy():
    agent = new_agent()
    state = agent_state(agent)
    before = {name: tensor.clone() for name, tensor in state.items()}
    learn(agent, 3, np.random.default_rng(0))
    assert same(state, before)


@pytest.mark.parametrize("damage", ["missing", "unknown", "shape", "dtype", "nan", "inf"])
@pytest.mark.parametrize(
    "name",
    ["actor.weights.0", "critics.biases.1", "target_actor.weights.2", "critics.weights.0.exp_avg",
     "actor.biases.0.step", "moments.mean", "moments.squares"],
)  # fmt: skip
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(name, damage):
    agent = new_agent()
    learn(agent, 2, np.random.default_rng(0))
    before, state = agent_state(agent), agent_state(agent)
    if damage == "missing":
        del state[name]
    elif damage == "unknown":
        state[f"{name}.more"] = state[name]
    elif damage == "shape":
        state[name] = state[name][..., None]
    elif damage == "dtype":
        state[name] = state[name].half()
    else:
        state[name].view(-1)[-1] = float(damage)
    with pytest.raises(ValueError, match=name.replace(".", r"\.")):
        load_agent_state(agent, state)
    assert same(agent_state(agent), before)


@pytest.mark.parametrize(
    "name",
    ["updates", "moments.count", "moments.squares", "critics.weights.0.exp_avg_sq",
     "actor.biases.0.step"],
)  # fmt: skip
def test_counts_and_squares_are_not_negative(name):
    agent = new_agent()
    state = agent_state(agent)
    state[name] = state[name] - 1
    with pytest.raises(ValueError, match="negative"):
        load_agent_state(agent, state)


@pytest.mark.parametrize(("name", "value"), [("moments.mean", 1e39), ("moments.squares", 1e100)])
def test_a_normaliser_that_float32_cannot_hold_is_refused(name, value):
    agent = new_agent()
    learn(agent, 1, np.random.default_rng(0))
    before, state = agent_state(agent), agent_state(agent)
    state[name][0] = value
    with pytest.raises(ValueError, match="beyond the range of float32"):
        load_agent_state(agent, state)
    assert same(agent_state(agent), before)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_the_first_tensor_that_is_not_finite_is_named_and_huge_ones_are_finite(value):
    huge = torch.full((3,), 3e38)
    state = {"huge": huge, "double": torch.full((2,), 1e300, dtype=torch.float64)}
    state |= {"count": torch.tensor(7), "empty": torch.zeros(0)}
    assert not_finite(state) is None
    broken = torch.tensor([0.0, value])
    assert not_finite({**state, "first": broken, "second": broken}) == "first"
