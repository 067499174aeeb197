from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from builders import is_one_line, random_batch

from headstart.agents.ddpg import DDPG, DDPGConfig
from headstart.agents.networks import FIRST, OTHERS, Critics
from headstart.data.inputs import InputMap
from headstart.errors import InputError
from headstart.policy import policy_from_bytes

SIZES = {"observation_dim": 4, "goal_dim": 2, "action_dim": 3}


def make_agent(*, seed=0, reward_range=(-1.0, 0.0), low=-1.0, high=1.0, **settings):
    return DDPG(
        DDPGConfig(**{"hidden_sizes": (16, 16), "q_filter_from": 0, **settings}),
        observation_dim=SIZES["observation_dim"],
        goal_dim=SIZES["goal_dim"],
        action_low=[low] * SIZES["action_dim"],
        action_high=[high] * SIZES["action_dim"],
        reward_range=reward_range,
        seed=seed,
    )


def batch_of(seed=0, rows=32, num_demos=8):
    return random_batch(np.random.default_rng(seed), rows, **SIZES, num_demos=num_demos)


def tensors(batch):
    return batch.map(torch.from_numpy)


def weights(network):
    return np.concatenate([p.detach().numpy().ravel() for p in network.parameters()])


def state(agent):
    return [
        weights(network)
        for network in (agent.actor, agent.critics, agent.target_actor, agent.target_critics)
    ]


def test_the_same_seed_gives_the_same_weights_after_the_same_batches():
    agents = [make_agent(seed=4), make_agent(seed=4)]
    for agent in agents:
        for number in range(5):
            agent.observe(batch_of(number))
            agent.update(tensors(batch_of(number)))
    for one, two in zip(*map(state, agents), strict=True):
        np.testing.assert_array_equal(one, two)
    assert not np.array_equal(state(make_agent(seed=4))[0], state(make_agent(seed=5))[0])


def test_torchs_global_generator_plays_no_part():
    torch.manual_seed(1)
    first = state(make_agent())
    torch.manual_seed(2)
    for one, two in zip(first, state(make_agent()), strict=True):
        np.testing.assert_array_equal(one, two)


def test_initial_weights_fill_their_bound():
    agent = make_agent(hidden_sizes=(200, 100))
    weight = agent.actor.weights[1].detach().numpy()
    bound = np.sqrt(6.0 / 300)
    assert np.abs(weight).max() <= bound
    assert weight.std() == pytest.approx(bound / np.sqrt(3.0), rel=0.03)
    assert not weights(agent.actor.biases).any()


def test_critics_are_independent_of_one_another():
    critics = Critics(5, (8, 8), 3, torch.Generator().manual_seed(0), layer_norm=True)
    inputs, action = torch.randn(6, 3), torch.randn(6, 2)
    values = critics(inputs, action)
    assert values.shape == (3, 6)
    assert torch.equal(critics(inputs, action, members=FIRST), values[:1])
    assert torch.equal(critics(inputs, action, members=OTHERS), values[1:])
    assert len({tuple(row.tolist()) for row in values}) == 3
    (gradient,) = torch.autograd.grad(values[1].sum(), [critics.weights[0]])
    assert gradient[1].abs().sum() > 0
    assert gradient[[0, 2]].abs().sum() == 0


@pytest.mark.parametrize(
    ("settings", "changed"),
    [
        ({"target_update": "update"}, [True, True, True, True]),
        ({"target_update": "cycle"}, [True, True, False, False]),
    ],
)
def test_an_update_moves_the_networks(settings, changed):
    agent = make_agent(**settings)
    before = state(agent)
    agent.update(tensors(batch_of()))
    moved = [not np.array_equal(*pair) for pair in zip(before, state(agent), strict=True)]
    assert moved == changed
    assert agent.updates == 1


@pytest.mark.parametrize("target_update", ["update", "cycle"])
def test_target_networks_follow_by_tau_once_per_update_or_cycle(target_update):
    agent = make_agent(tau=0.25, target_update=target_update)
    before = state(agent)
    agent.update(tensors(batch_of()))
    agent.end_cycle()
    actor, critics, target_actor, target_critics = state(agent)
    np.testing.assert_allclose(target_actor, 0.75 * before[2] + 0.25 * actor, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(
        target_critics, 0.75 * before[3] + 0.25 * critics, rtol=1e-5, atol=1e-7
    )


def test_critic_updates_leave_the_actor_alone():
    agent = make_agent()
    before = state(agent)
    metrics = agent.update_critics(tensors(batch_of()))
    moved = [not np.array_equal(*pair) for pair in zip(before, state(agent), strict=True)]
    assert moved == [False, True, False, True]
    assert set(metrics) == {"critic_loss"}


def test_cloning_leaves_the_critics_alone():
    agent = make_agent()
    before = state(agent)
    agent.clone(tensors(batch_of()))
    moved = [not np.array_equal(*pair) for pair in zip(before, state(agent), strict=True)]
    assert moved == [True, False, True, False]


def test_neither_kind_of_warm_start_counts_as_an_update():
    agent = make_agent()
    agent.clone(tensors(batch_of()))
    agent.update_critics(tensors(batch_of()))
    assert agent.updates == 0


def test_cloning_learns_the_demonstrated_actions_and_nothing_of_the_other_rows():
    agent = make_agent(hidden_sizes=(64, 64))
    batch = batch_of(rows=64, num_demos=32)
    target = np.tanh(batch.observation @ np.random.default_rng(0).standard_normal((4, 3)))
    target[32:] *= -1.0
    batch = replace(batch, action=target.astype(np.float32))
    loss = [float(agent.clone(tensors(batch))["bc_loss"]) for _ in range(400)]
    assert loss[-1] < 0.02 * loss[0]


@pytest.mark.slow
def test_repeated_updates_fit_the_critics():
    agent = make_agent(discount=0.0, q_weight=0.0)
    losses = [float(agent.update(tensors(batch_of()))["critic_loss"]) for _ in range(300)]
    assert losses[-1] < 0.05 * losses[0]


def test_the_actor_climbs_the_critic():
    agent = make_agent(bc_weight=0.0, action_l2=0.0)
    batch = batch_of()
    columns = tensors(batch).observation, tensors(batch).achieved_goal, tensors(batch).desired_goal
    inputs = agent._inputs(*columns).critic

    def value():
        with torch.no_grad():
            return float(agent.critics(inputs, agent.actor(inputs), members=FIRST).mean())

    before = value()
    critics = [p.detach().clone() for p in agent.critics.parameters()]
    for _ in range(50):
        agent.update(tensors(batch))
        with torch.no_grad():
            for parameter, old in zip(agent.critics.parameters(), critics, strict=True):
                parameter.copy_(old)
    assert value() > before + 0.1


@pytest.mark.parametrize("actor_delay", [1, 2, 3])
def test_the_actor_moves_every_so_many_updates(actor_delay):
    agent = make_agent(actor_delay=actor_delay)
    moved = []
    for _ in range(6):
        before = weights(agent.actor)
        metrics = agent.update(tensors(batch_of()))
        moved.append(not np.array_equal(before, weights(agent.actor)))
        assert ("actor_loss" in metrics) == moved[-1]
    assert moved == [number % actor_delay == 0 for number in range(6)]


def test_the_filter_acts_from_its_update_on():
    agent = make_agent(q_filter_from=3, q_filter_margin=0.0, num_critics=1)
    rates = [float(agent.update(tensors(batch_of()))["q_filter_pass_rate"]) for _ in range(6)]
    assert rates[:3] == [1.0, 1.0, 1.0]
    assert min(rates[3:]) < 1.0


def test_the_filter_leaves_out_what_is_worse_by_more_than_critics_err():
    def rate(margin):
        agent = make_agent(q_filter_margin=margin, num_critics=1)
        # It learns at first that the demonstrated actions are bad.
        batch = batch_of()
        bad = replace(batch, reward=-batch.is_demo, terminated=np.ones_like(batch.reward))
        for _ in range(200):
            metrics = agent.update(tensors(bad))
        return float(metrics["q_filter_pass_rate"])

    assert rate(0.0) <= rate(1.0) < rate(1000.0) == 1.0


def test_own_actions_are_never_cloned():
    with_own, without = make_agent(), make_agent()
    batch = batch_of()
    changed = batch.action.copy()
    changed[8:] = 0.123
    with_own.clone(tensors(batch))
    without.clone(tensors(replace(batch, action=changed)))
    np.testing.assert_array_equal(weights(with_own.actor), weights(without.actor))


def test_a_batch_without_demonstrations_trains_by_plain_ddpg():
    weighted, plain = make_agent(q_weight=0.001), make_agent(bc_weight=0.0)
    batch = tensors(batch_of(num_demos=0))
    metrics = weighted.update(batch)
    plain.update(batch)
    assert "bc_loss" not in metrics
    np.testing.assert_array_equal(weights(weighted.actor), weights(plain.actor))


@pytest.mark.parametrize(
    ("reward_range", "discount", "expected"),
    [
        ((-1.0, 0.0), 0.98, (-50.0, 0.0)),
        ((0.0, 1.0), 0.9, (0.0, 10.0)),
        # A transition that ends its episode is worth its reward alone.
        ((-1.0, -1.0), 0.98, (-50.0, -1.0)),
        ((-1.0, -0.2), 0.9, (-10.0, -0.2)),
        ((1.0, 2.0), 0.9, (1.0, 20.0)),
        ((-2.0, 3.0), 0.9, (-20.0, 30.0)),
        ((0.0, np.inf), 0.9, (0.0, np.inf)),
    ],
)
def test_target_bounds_follow_from_the_reward_range(reward_range, discount, expected):
    agent = make_agent(reward_range=reward_range, discount=discount)
    assert agent.target_bounds == pytest.approx(expected)
    assert make_agent(clip_target=False).target_bounds is None


def test_a_reward_without_a_least_value_bounds_targets_on_one_side_only():
    agent = make_agent(reward_range=(-np.inf, 0.0))
    assert agent.target_bounds == (-np.inf, 0.0)
    loss = agent.update(tensors(replace(batch_of(), reward=np.full(32, -1000.0, np.float32))))
    assert 9e5 < float(loss["critic_loss"]) / 2 < 1.1e6


def test_action_units_change_nothing_inside():
    unit, wide = make_agent(), make_agent(low=-3.0, high=7.0)
    batch = batch_of()
    unit.update(tensors(batch))
    wide.update(tensors(replace(batch, action=2.0 + 5.0 * batch.action)))
    for one, two in zip(state(unit), state(wide), strict=True):
        np.testing.assert_allclose(one, two, rtol=0, atol=1e-5)


def test_inputs_are_standardised_by_what_was_observed():
    agent = make_agent(goal_input="both")
    batch = batch_of(rows=4000)
    batch = replace(batch, observation=100.0 + 7.0 * batch.observation)
    agent.observe(batch)
    rows = tensors(batch)
    inputs = agent._inputs(rows.observation, rows.achieved_goal, rows.desired_goal).critic.numpy()
    assert inputs.shape == (4000, 4 + 2 * 2)
    np.testing.assert_allclose(inputs.mean(axis=0), 0.0, atol=0.01)
    np.testing.assert_allclose(inputs.std(axis=0), 1.0, atol=0.01)


@pytest.mark.parametrize(
    ("goal_input", "expected"),
    [("absolute", [0.0] * 4 + [3.0, 4.0]), ("relative", [0.0] * 4 + [2.0, 6.0])],
)
def test_the_goal_is_seen_as_it_is_or_from_where_one_stands(goal_input, expected):
    agent = make_agent(goal_input=goal_input)
    inputs = agent._inputs(
        torch.zeros(1, 4), torch.tensor([[1.0, -2.0]]), torch.tensor([[3.0, 4.0]])
    )
    np.testing.assert_array_equal(inputs.actor.numpy(), [np.clip(expected, -5.0, 5.0)])


SEEN = InputMap(((0, -1), (3, -1), (7, 5), (1, 2)), 4, 2)
"""Two entries, one of the goal's distances, and a difference that the critics do not see."""


FINE = replace(SEEN, scales=(0.5, 5.0))
"""The same, and the two differences once more on two finer scales."""


def agent_that_sees_less(seen):
    return DDPG(
        DDPGConfig(hidden_sizes=(16, 16), q_filter_from=0),
        observation_dim=4,
        goal_dim=2,
        action_low=[-1.0] * 3,
        action_high=[1.0] * 3,
        reward_range=(-1.0, 0.0),
        seed=0,
        actor_inputs=seen,
    )


@pytest.mark.parametrize("seen", [SEEN, FINE])
def test_an_actor_may_see_less_than_the_critics_and_differences_besides(seen):
    agent, batch = agent_that_sees_less(seen), batch_of()
    agent.observe(batch)
    inputs = agent._inputs_now(tensors(batch))
    states = np.concatenate([batch.observation, batch.achieved_goal, batch.desired_goal], axis=1)
    mean, std = seen(states).mean(axis=0), seen(states).std(axis=0)
    np.testing.assert_allclose(inputs.actor, (seen(states) - mean) / std, atol=1e-5)
    whole = make_agent()
    whole.observe(batch)
    np.testing.assert_array_equal(inputs.critic, whole._inputs_now(tensors(batch)).critic)


@pytest.mark.parametrize("seen", [SEEN, FINE])
def test_what_the_actor_does_not_see_does_not_change_what_it_does(seen):
    agent, batch = agent_that_sees_less(seen), batch_of()
    agent.observe(batch)
    agent.update(tensors(batch))
    agent.clone(tensors(batch))
    policy = policy_from_bytes(agent.policy(deployed=False).to_bytes())
    assert policy.inputs == seen
    state = {"observation": batch.observation, "achieved_goal": batch.achieved_goal,
             "desired_goal": batch.desired_goal}  # fmt: skip
    action = policy(state)
    with torch.no_grad():
        expected = agent.actor(agent._inputs_now(tensors(batch)).actor)
    np.testing.assert_allclose(action, expected, atol=1e-5)
    unseen = batch.desired_goal + np.array([5.0, 0.0], np.float32)
    np.testing.assert_array_equal(policy({**state, "desired_goal": unseen}), action)
    assert not np.array_equal(policy({**state, "observation": -batch.observation}), action)


def test_an_actor_that_sees_what_critics_do_not_is_refused():
    with pytest.raises(ValueError, match="that the critics do not see"):
        DDPG(
            DDPGConfig(goal_input="relative"),
            observation_dim=4,
            goal_dim=2,
            action_low=[-1.0],
            action_high=[1.0],
            reward_range=(-1.0, 0.0),
            seed=0,
            actor_inputs=InputMap(((6, -1),), 4, 2),
        )


def test_an_update_does_not_write_into_its_batch():
    agent, batch = make_agent(), batch_of()
    agent.observe(batch)
    agent.update(tensors(batch))
    for field in fields(batch):
        np.testing.assert_array_equal(getattr(batch, field.name), getattr(batch_of(), field.name))


def test_values_are_those_of_the_first_critic_and_the_deployed_actor():
    batch = tensors(batch_of())
    columns = (batch.observation, batch.achieved_goal, batch.desired_goal)
    values = {}
    for deploy in ("online", "averaged"):
        agent = make_agent(deploy=deploy)
        for _ in range(5):
            agent.update(batch)
        actor = agent.actor if deploy == "online" else agent.target_actor
        with torch.no_grad():
            inputs = agent._inputs(*columns).critic
            expected = agent.critics(inputs, actor(inputs))[0]
        values[deploy] = agent.values(*columns)
        np.testing.assert_allclose(values[deploy], expected, rtol=1e-5, atol=1e-6)
    assert not torch.equal(values["online"], values["averaged"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("discount", 1.0),
        ("discount", -0.1),
        ("discount", float("nan")),
        ("tau", 0.0),
        ("tau", 1.5),
        ("num_critics", 0),
        ("actor_delay", 0),
        ("actor_lr", 0.0),
        ("critic_lr", -1e-3),
        ("critic_lr", float("nan")),
        ("input_clip", 0.0),
        ("output_clip", 0.0),
        ("std_floor", 0.0),
        ("action_l2", -1.0),
        ("q_weight", -0.1),
        ("bc_weight", -0.1),
        ("q_filter_from", -1),
        ("hidden_sizes", ()),
        ("hidden_sizes", (16, 0)),
        ("target_combination", "median"),
        ("target_update", "never"),
        ("goal_input", "sideways"),
        ("deploy", "best"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_by_name_and_value(name, value):
    with pytest.raises(InputError) as caught:
        DDPGConfig(**{name: value})
    message = str(caught.value)
    assert is_one_line(message)
    assert f"agent.{name}" in message
    assert str(value) in message
