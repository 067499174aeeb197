import numpy as np
import pytest
import torch

from headstart import HindsightExperienceReplay

# Word for word, the import aside, which its users change.
PUBLISHED = """\
# Define a goal sampling strategy
def goal_sampling_strategy(goals):
    noise = torch.randn_like(goals) * 0.1
    return goals + noise

# Define the dimensions of the state and action spaces, the buffer size, and the batch size
state_dim = 10
action_dim = 2
buffer_size = 10000
batch_size = 64

# Create an instance of the HindsightExperienceReplay class
her = HindsightExperienceReplay(state_dim, action_dim, buffer_size, batch_size, goal_sampling_strategy)

# Store a transition
state = np.random.rand(state_dim)
action = np.random.rand(action_dim)
reward = np.random.rand()
next_state = np.random.rand(state_dim)
done = False
goal = np.random.rand(state_dim)
her.store_transition(state, action, reward, next_state, done, goal)

# Sample a mini-batch of transitions
sampled_transitions = her.sample()
if sampled_transitions is not None:
    states, actions, rewards, next_states, dones, goals = sampled_transitions
"""  # noqa: E501


def test_the_published_usage_example_runs_word_for_word():
    names = {"torch": torch, "np": np, "HindsightExperienceReplay": HindsightExperienceReplay}
    exec(PUBLISHED, names)
    # One transition and its copy are fewer than a batch.
    assert names["sampled_transitions"] is None
    assert len(names["her"]) == 2
    again = PUBLISHED[PUBLISHED.index("# Store a transition") :]
    for _ in range(31):
        exec(again, names)
    shapes = [(64, 10), (64, 2), (64, 1), (64, 10), (64, 1), (64, 10)]
    columns = ("states", "actions", "rewards", "next_states", "dones", "goals")
    assert [tuple(names[name].shape) for name in columns] == shapes
    assert all(names[name].dtype == torch.float32 for name in columns)


def keep(goals):
    return goals


def distance_reward(achieved, goals):
    return -(np.linalg.norm(achieved - goals, axis=-1) > 0.5).astype(np.float32)


def fill_buffer(count, **options) -> HindsightExperienceReplay:
    her = HindsightExperienceReplay(2, 1, 1000, 8, keep, seed=0, **options)
    for number in range(count):
        her.store_transition([number, 0], [0.5], -1.0, [number, 1], number % 5 == 4, [-9, -9])
    return her


def test_every_transition_is_stored_with_its_goal_and_with_what_it_achieved():
    her = fill_buffer(3)
    assert len(her) == 6
    assert her.sample() is None
    her = fill_buffer(20)
    _, _, rewards, next_states, _, goals = her.sample()
    is_hindsight = (goals == next_states).all(dim=1)
    assert ((goals == -9).all(dim=1) | is_hindsight).all()
    assert 0 < is_hindsight.sum() < 8
    # Without compute_reward a hindsight copy keeps the reward of the original goal.
    assert (rewards == -1.0).all()


def test_with_compute_reward_a_reached_goal_is_rewarded():
    her = fill_buffer(50, compute_reward=distance_reward)
    _, _, rewards, next_states, _, goals = her.sample()
    is_hindsight = (goals == next_states).all(dim=1)
    assert torch.equal(rewards[:, 0], torch.where(is_hindsight, 0.0, -1.0))


def test_goals_changed_by_the_strategy_get_their_own_rewards():
    her = fill_buffer(50, compute_reward=distance_reward)
    her.goal_sampling_strategy = lambda goals: goals + 100.0
    assert (her.sample()[2] == -1.0).all()


def test_goals_may_be_a_part_of_the_state():
    her = HindsightExperienceReplay(
        3, 1, 100, 4, keep, goal_dim=1, achieved_goal=lambda state: state[:1], seed=1
    )
    for number in range(10):
        her.store_transition([number, 1, 2], [0], -1, [number + 1, 1, 2], False, [50])
    _, _, _, next_states, _, goals = her.sample()
    assert goals.shape == (4, 1)
    assert ((goals == 50) | (goals == next_states[:, :1])).all()


def test_the_oldest_transitions_go_first_and_the_size_is_never_exceeded():
    her = HindsightExperienceReplay(1, 1, 10, 10, keep, seed=2)
    for number in range(100):
        her.store_transition([number], [0], 0, [number], False, [number])
        assert len(her) == min(2 * (number + 1), 10)
    states = torch.cat([her.sample()[0] for _ in range(30)])
    assert set(states.flatten().tolist()) == {95, 96, 97, 98, 99}


def test_a_strategy_cannot_change_what_is_stored():
    def spoil(goals):
        return goals.zero_()

    her = fill_buffer(20)
    her.goal_sampling_strategy = spoil
    her.sample()
    her.goal_sampling_strategy = keep
    assert (her.sample()[5] != 0).any()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"state": [1, 2, 3]}, "state has shape \\(3,\\), expected \\(2,\\)"),
        ({"action": [1, 2]}, "action has shape"),
        ({"goal": [np.nan, 0]}, "goal holds NaN"),
        ({"reward": np.inf}, "reward holds NaN or infinity"),
        ({"next_state": [[1, 2]]}, "next_state has shape"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_stored(change, expected):
    her = fill_buffer(5)
    good = {"state": [0, 0], "action": [0], "reward": 0, "next_state": [0, 0], "goal": [0, 0]}
    with pytest.raises(ValueError, match=expected):
        her.store_transition(**{**good, **change}, done=False)
    assert len(her) == 10


def test_a_strategy_or_reward_of_the_wrong_shape_is_refused():
    her = fill_buffer(20)
    her.goal_sampling_strategy = lambda goals: goals[:3]
    with pytest.raises(ValueError, match="returned shape \\(3, 2\\)"):
        her.sample()
    her = fill_buffer(0, compute_reward=lambda achieved, goals: np.zeros(7))
    with pytest.raises(ValueError, match="returned 7 rewards for 1 rows"):
        her.store_transition([0, 0], [0], 0, [0, 0], False, [0, 0])
    assert len(her) == 0


@pytest.mark.parametrize("name", ["state_dim", "action_dim", "buffer_size", "batch_size"])
def test_sizes_must_be_positive(name):
    sizes = {"state_dim": 1, "action_dim": 1, "buffer_size": 1, "batch_size": 1, name: 0}
    with pytest.raises(ValueError, match=f"{name} must be at least 1, got 0"):
        HindsightExperienceReplay(**sizes, goal_sampling_strategy=keep)


def small_buffer(**options):
    return HindsightExperienceReplay(
        2, 1, 4, 2, options.pop("strategy", lambda goals: goals), **options
    )


def columns_of(buffer):
    return {name: value.copy() for name, value in vars(buffer).items() if hasattr(value, "copy")}


def test_a_transition_that_is_refused_leaves_nothing_behind():
    buffer = small_buffer(compute_reward=lambda achieved, goals: np.full(len(goals), rewards[0]))
    rewards = [-1.0]
    for _ in range(3):
        buffer.store_transition([0, 1], [0.5], -1.0, [1, 1], False, [2, 2])
    before = columns_of(buffer)
    with pytest.raises(ValueError, match="ambiguous"):
        buffer.store_transition([9, 9], [9], 9.0, [9, 9], np.array([True, False]), [9, 9])
    rewards[0] = np.nan
    with pytest.raises(ValueError, match="compute_reward returned NaN"):
        buffer.store_transition([9, 9], [9], 9.0, [9, 9], True, [9, 9])
    for name, value in columns_of(buffer).items():
        np.testing.assert_array_equal(value, before[name])


def test_a_strategy_may_answer_in_numpy_and_not_with_nan():
    buffer = small_buffer(strategy=lambda goals: goals.numpy() + 1.0)
    buffer.store_transition([0, 1], [0.5], -1.0, [1, 1], False, [2, 2])
    assert buffer.sample()[5].min() >= 2.0
    buffer.goal_sampling_strategy = lambda goals: goals * torch.nan
    with pytest.raises(ValueError, match="not finite"):
        buffer.sample()
