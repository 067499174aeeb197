from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from builders import counted_episode
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.data.batch import Batch
from headstart.data.episode import CORRECTED, DEMONSTRATED, OWN
from headstart.data.hindsight import HindsightSampler
from headstart.data.replay import EpisodeReplay
from headstart.data.strategies import future, sample_future
from headstart.envs.goal_env import GoalReward
from headstart.envs.make import make_env
from headstart.errors import InputError
from headstart.rollout.exploration import Exploration
from headstart.rollout.job import EpisodeJob, run_episode

RANDOM = Exploration(random_action=1.0)


def same_goal(achieved_goal, desired_goal, reward_info):
    """Reward 0 and the end where the goals agree, -1 elsewhere."""
    agree = (achieved_goal == desired_goal).all(axis=-1).astype(np.float32)
    return agree - 1.0, agree


def far_away(rows, rng):
    return np.full_like(rows.achieved_goals, 99.0)


def counted_sampler(lengths, *, relabel_fraction, seed=0, strategy=future, episodes=()):
    counted = [counted_episode(number, steps) for number, steps in enumerate(lengths)]
    episodes = [*counted, *episodes]
    return HindsightSampler(
        EpisodeReplay.from_episodes(episodes),
        same_goal,
        relabel_fraction=relabel_fraction,
        rng=np.random.default_rng(seed),
        strategy=strategy,
    )


def is_relabelled(batch):
    """``counted_episode`` gives original goals, and only these, a negative second entry."""
    return batch.desired_goal[:, 1] >= 0.0


def random_episodes(env_id, count):
    env = make_env(env_id)
    zero = np.zeros(env.action_space.shape, np.float32)
    jobs = [EpisodeJob(lambda _: zero, 0, "test", index, RANDOM) for index in range(count)]
    return env, [run_episode(env, job) for job in jobs]


@settings(max_examples=50)
@given(
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=6),
    relabel_fraction=st.floats(0.0, 1.0),
    seed=st.integers(0, 2**31),
)
def test_a_relabelled_goal_was_achieved_later_in_the_same_episode(lengths, relabel_fraction, seed):
    sampler = counted_sampler(lengths, relabel_fraction=relabel_fraction, seed=seed)
    batch = sampler.sample(64)
    number, step = batch.observation.T
    goal_number, goal_time = batch.desired_goal.T
    assert (goal_number == number).all()
    relabelled = is_relabelled(batch)
    state = goal_time - 0.25
    assert (state >= step + 1)[relabelled].all()
    assert (state <= np.array(lengths)[number.astype(int)])[relabelled].all()
    assert (goal_time == -1000.0)[~relabelled].all()


@settings(max_examples=50)
@given(lengths=st.lists(st.integers(1, 12), min_size=1, max_size=6), seed=st.integers(0, 2**31))
def test_everything_but_the_goal_is_one_stored_transition(lengths, seed):
    batch = counted_sampler(lengths, relabel_fraction=0.8, seed=seed).sample(64)
    number, step = batch.observation.T
    np.testing.assert_array_equal(batch.achieved_goal, np.stack([number, step + 0.25], axis=1))
    np.testing.assert_array_equal(batch.action, np.stack([number, step + 0.5], axis=1))
    np.testing.assert_array_equal(batch.next_observation, np.stack([number, step + 1], axis=1))
    np.testing.assert_array_equal(batch.next_achieved_goal, np.stack([number, step + 1.25], axis=1))


@pytest.mark.parametrize("relabel_fraction", [0.0, 0.3, 0.8, 1.0])
def test_the_fraction_is_met(relabel_fraction):
    batch = counted_sampler([50, 20, 1], relabel_fraction=relabel_fraction).sample(20_000)
    deviation = np.sqrt(relabel_fraction * (1.0 - relabel_fraction) / 20_000)
    assert abs(is_relabelled(batch).mean() - relabel_fraction) <= 4.0 * deviation


def test_a_later_state_is_drawn_uniformly_from_the_next_one_to_the_last():
    row = np.full(60_000, 7)
    later = sample_future(row, np.full(60_000, 6), np.random.default_rng(0))
    counts = np.bincount(later, minlength=20)
    assert set(np.flatnonzero(counts)) == {8, 9, 10, 11, 12, 13}
    chi_square = np.square(counts[8:14] - 10_000.0).sum() / 10_000.0
    # The 99.9% quantile of chi square with 5 degrees of freedom.
    assert chi_square < 20.5


def test_each_step_of_a_sampled_batch_looks_uniformly_ahead():
    batch = counted_sampler([4], relabel_fraction=1.0).sample(40_000)
    step, state = batch.observation[:, 1], batch.desired_goal[:, 1] - 0.25
    for start in range(4):
        ahead = state[step == start]
        share = np.bincount(ahead.astype(int), minlength=5) / len(ahead)
        expected = np.where(np.arange(5) > start, 1.0 / (4 - start), 0.0)
        np.testing.assert_allclose(share, expected, atol=0.02)


@pytest.mark.parametrize("env_id", ["PointReach-v0", "BitFlip-v0"])
def test_reward_and_end_are_the_envs_own_for_every_row(env_id):
    env, episodes = random_episodes(env_id, 20)
    sampler = HindsightSampler(
        EpisodeReplay.from_episodes(episodes),
        GoalReward(env),
        relabel_fraction=0.8,
        rng=np.random.default_rng(0),
    )
    batch = sampler.sample(500)
    goals = list(zip(batch.next_achieved_goal, batch.desired_goal, strict=True))
    reward = [env.unwrapped.compute_reward(achieved, desired, {}) for achieved, desired in goals]
    np.testing.assert_array_equal(batch.reward, reward)
    assert set(batch.reward) == {-1.0, 0.0}
    if env_id == "PointReach-v0":
        assert not batch.terminated.any()
    else:
        ends = [env.unwrapped.compute_terminated(*pair, {}) for pair in goals]
        np.testing.assert_array_equal(batch.terminated, ends)
        assert 0 < batch.terminated.sum() < 500


def test_rows_that_keep_their_goal_keep_the_end_that_the_env_reported():
    # The env ended these episodes for a reason of its own: at the last step, far from the goal.
    batch = counted_sampler([3, 5], relabel_fraction=0.0).sample(2000)
    number, step = batch.observation.T
    is_last = step == np.array([3, 5])[number.astype(int)] - 1
    np.testing.assert_array_equal(batch.terminated, is_last)


def test_a_fall_ends_an_episode_whatever_its_goal():
    # Episode 0 falls at its last step; no goal of another episode is reached by that.
    batch = counted_sampler([3], relabel_fraction=1.0, strategy=far_away).sample(200)
    np.testing.assert_array_equal(batch.reward, np.full(200, -1.0))
    np.testing.assert_array_equal(batch.terminated, batch.observation[:, 1] == 2)


def test_an_end_at_the_goal_is_not_an_end_for_another_goal():
    episode = counted_episode(0, 3)
    reached = np.repeat(episode.achieved_goals[-1:], 3, axis=0)
    at_goal = replace(episode, desired_goals=reached)
    sampler = counted_sampler([], relabel_fraction=1.0, strategy=far_away, episodes=[at_goal])
    assert not sampler.sample(200).terminated.any()
    sampler.relabel_fraction = 0.0
    batch = sampler.sample(200)
    np.testing.assert_array_equal(batch.terminated, batch.observation[:, 1] == 2)


def test_sampling_changes_nothing_that_is_stored():
    sampler = counted_sampler([5, 9, 2], relabel_fraction=0.8)
    arrays = {k: v for k, v in vars(sampler.replay).items() if isinstance(v, np.ndarray)}
    before = {name: value.copy() for name, value in arrays.items()}
    assert "_rows" in before
    batch = sampler.sample(100)
    for field in fields(batch):
        getattr(batch, field.name)[:] = 123.0
    for name, value in before.items():
        np.testing.assert_array_equal(getattr(sampler.replay, name), value)


def test_the_same_stream_gives_the_same_batches():
    first, second = (counted_sampler([9, 4], relabel_fraction=0.8, seed=3) for _ in range(2))
    for _ in range(3):
        one, two = first.sample(32), second.sample(32)
        for field in fields(Batch):
            np.testing.assert_array_equal(getattr(one, field.name), getattr(two, field.name))


@pytest.mark.parametrize("is_demo", [False, True])
def test_being_a_demonstration_is_a_column(is_demo):
    episode = counted_episode(0, 3)
    sampler = HindsightSampler(
        EpisodeReplay.from_episodes([episode.demonstrated() if is_demo else episode]),
        same_goal,
        relabel_fraction=0.0,
        rng=np.random.default_rng(0),
    )
    np.testing.assert_array_equal(sampler.sample(5).is_demo, np.full(5, float(is_demo)))


def test_whose_a_step_is_is_kept_step_by_step():
    episode = counted_episode(0, 6)
    sources = np.array([OWN, OWN, CORRECTED, CORRECTED, OWN, DEMONSTRATED], np.uint8)
    sampler = HindsightSampler(
        EpisodeReplay.from_episodes([replace(episode, sources=sources)]),
        same_goal,
        relabel_fraction=0.5,
        rng=np.random.default_rng(0),
    )
    batch = sampler.sample(100)
    steps = (episode.observations[:-1, None] == batch.observation[None]).all(axis=2).argmax(axis=0)
    np.testing.assert_array_equal(batch.source, sources[steps])
    np.testing.assert_array_equal(batch.is_demo, sources[steps] > OWN)
    np.testing.assert_array_equal(batch.map(torch.from_numpy).is_demo.numpy(), batch.is_demo)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_outside_0_to_1_is_refused(share):
    with pytest.raises(ValueError, match=rf"relabel_fraction must lie in \[0, 1\], got {share}"):
        counted_sampler([3], relabel_fraction=share)


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        (lambda rows: (np.zeros((rows, 1)), np.zeros(rows)), r"reward of shape \(\d+, 1\)"),
        (lambda rows: (np.zeros(rows), np.zeros(())), r"terminated of shape \(\)"),
        (lambda rows: (np.full(rows, np.nan), np.zeros(rows)), "not finite"),
    ],
)
def test_a_reward_function_that_answers_wrongly_is_refused(answer, named):
    sampler = counted_sampler([5], relabel_fraction=0.8)
    sampler.reward = lambda achieved, desired, info: answer(len(achieved))
    with pytest.raises(InputError, match=named):
        sampler.sample(20)


def test_a_strategy_is_not_asked_about_no_rows():
    def never(rows, rng):
        raise AssertionError("asked")

    sampler = counted_sampler([5], relabel_fraction=0.0, strategy=never)
    assert len(sampler.sample(20)) == 20
