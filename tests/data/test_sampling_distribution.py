"""How often everything that can be drawn is drawn.

Seeds are fixed, so these tests always give the same answer; the threshold only says how sure they
are of it: a correct sampler with another stream of numbers fails one assertion in 500,000.
"""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import STATES, SlowReplay, coded_episode, decode

from headstart.data import strategies
from headstart.data.batch import Batch
from headstart.data.hindsight import HindsightSampler
from headstart.data.mixture import MixedSampler
from headstart.data.replay import EpisodeReplay

# Capacity, and the lengths of the episodes in the order in which they are added.
LAYOUTS = {
    "half empty": (60, [1, 9, 4, 2, 3, 1]),
    "full": (20, [3, 9, 1, 3]),
    "wrapped, with gaps": (30, [9, 4, 6, 3, 7, 1, 2]),
    "wrapped twice": (24, [9, 4, 6, 3, 7, 1, 2, 10, 5, 1, 3]),
    "one episode that took all room": (16, [4, 4, 4, 15]),
}
STRATEGIES = {
    "future": strategies.future,
    "final": strategies.final,
    "episode": strategies.episode,
    "random": strategies.random,
}
MILLIONTH = 4.7534
"""A normal number lies above this with a probability of 1e-6, and as often below the negative."""


def chi_square_deviation(squares, freedom):
    """How unlikely a sum of squares is, as the normal number that is as unlikely."""
    # Wilson and Hilferty (1931): the cube root of chi square is nearly normal.
    variance = 2.0 / (9.0 * freedom)
    return (np.cbrt(squares / freedom) - (1.0 - variance)) / np.sqrt(variance)


def assert_shares(counts, shares):
    """Refuse counts that fit the shares less, or better, than independent draws do."""
    mean = counts.sum() * shares
    assert mean.min() > 50.0
    if counts.size > 1:
        squares = np.square(counts - mean) / mean
        assert abs(chi_square_deviation(squares.sum(), counts.size - 1)) < MILLIONTH


def assert_uniform(counts):
    assert_shares(counts, np.full(counts.shape, 1.0 / counts.size))


def assert_binomial(counts, tries, share):
    """Refuse counts that are further from their means, or nearer to them, than coins come."""
    squares = np.square(counts - tries * share) / (tries * share * (1.0 - share))
    assert abs(chi_square_deviation(squares.sum(), counts.size)) < MILLIONTH


def no_reward(achieved_goal, *_):
    return np.zeros(len(achieved_goal), np.float32), np.zeros(len(achieved_goal), np.float32)


def fill_replay(layout, *, is_demo=False):
    capacity, lengths = LAYOUTS[layout]
    replay = EpisodeReplay(capacity, observation_dim=1, goal_dim=1, action_dim=1)
    slow = SlowReplay(capacity)
    for number, steps in enumerate(lengths):
        episode = coded_episode(number, steps, ends="anywhere")
        replay.add(episode.demonstrated() if is_demo else episode)
        slow.add(number, episode)
    return replay, slow


def sampler_of(replay, *, share, strategy=strategies.future, seed=0):
    return HindsightSampler(
        replay,
        no_reward,
        relabel_fraction=share,
        rng=np.random.default_rng(seed),
        strategy=strategy,
    )


def join_batches(batches):
    parts = ([getattr(batch, field.name) for batch in batches] for field in fields(Batch))
    return Batch(*map(np.concatenate, parts))


def is_relabelled(batch):
    """Original goals, and only these, are negative."""
    return batch.desired_goal[:, 0] >= 0.0


def counts_of_transitions(batch, slow):
    """How often each stored transition is in a batch; refuses rows that are none of them."""
    codes = [STATES * number + step for _, number, step in slow.transitions()]
    counts = np.bincount(batch.observation[:, 0].astype(int), minlength=max(codes) + 1)
    assert counts[codes].sum() == len(batch)
    return counts[codes]


def goals_of_transitions(batch, slow):
    """Each stored transition's episode and step, and how often it got which goal."""
    number, step = decode(batch.observation)
    goal = batch.desired_goal[:, 0].astype(int)
    for _, its_number, its_step in slow.transitions():
        its_goals = goal[(number == its_number) & (step == its_step)]
        yield its_number, its_step, np.bincount(its_goals, minlength=goal.max() + 1)


def test_the_judge_refuses_a_loaded_die_and_one_that_counts():
    rng = np.random.default_rng(0)
    fair = rng.integers(0, 30, 30_000)
    loaded = np.where(rng.random(30_000) < 0.02, 0, fair)
    assert_uniform(np.bincount(fair))
    for throws in (loaded, np.arange(30_000) % 30):
        with pytest.raises(AssertionError):
            assert_uniform(np.bincount(throws))
    assert_binomial(rng.binomial(50, 0.3, 1000), 50, 0.3)
    for coins in (rng.binomial(50, 0.33, 1000), np.full(1000, 15)):
        with pytest.raises(AssertionError):
            assert_binomial(coins, 50, 0.3)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_transition_is_drawn_equally_often(layout):
    replay, slow = fill_replay(layout)
    rows = [row for row, _, _ in slow.transitions()]
    count = 40_000 * len(rows)
    drawn = np.bincount(replay.draw(count, np.random.default_rng(1)), minlength=replay.capacity)
    assert drawn[rows].sum() == count
    assert_uniform(drawn[rows])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_draw_does_not_depend_on_the_previous_one(layout):
    replay, slow = fill_replay(layout)
    rows = [row for row, _, _ in slow.transitions()]
    drawn = replay.draw(400 * len(rows) ** 2, np.random.default_rng(2))
    pairs = np.zeros((replay.capacity, replay.capacity), int)
    np.add.at(pairs, (drawn[0::2], drawn[1::2]), 1)
    assert_uniform(pairs[np.ix_(rows, rows)])


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", STRATEGIES)
def test_every_goal_that_a_strategy_allows_is_given_equally_often(name, layout):
    replay, slow = fill_replay(layout)
    sampler = sampler_of(replay, share=1.0, strategy=STRATEGIES[name], seed=3)
    # Small batches: a row's goal must not come from the rows that happen to be drawn with it.
    batch = join_batches([sampler.sample(50) for _ in range(1200)])
    assert_uniform(counts_of_transitions(batch, slow))
    assert is_relabelled(batch).all()
    for number, step, goals in goals_of_transitions(batch, slow):
        allowed = slow.allowed_goals(name, number, step)[:, 0].astype(int)
        assert goals[allowed].sum() == goals.sum()
        assert_uniform(goals[allowed])


def test_a_moved_goal_is_looked_for_as_often_as_asked():
    # A state's goal is a number that grows by 1 with every step.
    share, distance, attempts = 0.6, 2.5, 2
    replay, slow = fill_replay("one episode that took all room")
    strategy = strategies.PreferMoved(
        strategies.future, share=share, distance=distance, attempts=attempts
    )
    batch = sampler_of(replay, share=1.0, strategy=strategy, seed=7).sample(200_000)
    for number, step, goals in goals_of_transitions(batch, slow):
        allowed = slow.allowed_goals("future", number, step)[:, 0].astype(int)
        assert goals[allowed].sum() == goals.sum()
        is_near = np.arange(len(allowed)) + 1 <= distance
        near = is_near.mean()
        # The first goal and every later one must be near for a near one to be kept.
        kept_near = (1.0 - share) * near + share * near ** (1 + attempts)
        shares = np.where(is_near, kept_near / near, (1.0 - kept_near) / max(1.0 - near, 1e-9))
        assert_shares(goals[allowed], shares / len(allowed))


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("name", STRATEGIES)
def test_a_coin_is_thrown_for_every_row(name, share):
    replay, slow = fill_replay("wrapped, with gaps")
    sampler = sampler_of(replay, share=share, strategy=STRATEGIES[name], seed=4)
    relabelled = np.stack([is_relabelled(sampler.sample(40)) for _ in range(1000)])
    assert_binomial(relabelled.sum(), relabelled.size, share)
    assert_binomial(relabelled.sum(axis=0), 1000, share)
    assert_binomial(relabelled.sum(axis=1), 40, share)

    batch = sampler.sample(40_000)
    kept = batch.map(lambda array: array[~is_relabelled(batch)])
    tries = counts_of_transitions(batch, slow)
    assert_uniform(tries)
    assert_binomial(counts_of_transitions(kept, slow), tries, 1.0 - share)


def mix(demo_fraction):
    """A mixed sampler, and the slow references of its own experience and its demonstrations."""
    (replay, slow), (demo_replay, slow_demos) = (
        fill_replay("wrapped, with gaps"),
        fill_replay("full", is_demo=True),
    )
    sampler = MixedSampler(
        online=sampler_of(replay, share=0.8, seed=5),
        demos=sampler_of(demo_replay, share=0.5, seed=6),
        demo_fraction=demo_fraction,
    )
    return sampler, slow, slow_demos


@settings(max_examples=50)
@given(count=st.integers(1, 300), demo_fraction=st.floats(0.0, 1.0, exclude_max=True))
def test_every_batch_holds_the_share_of_demonstrations_to_the_nearest_row(count, demo_fraction):
    sampler, _, _ = mix(demo_fraction)
    for _ in range(3):
        batch = sampler.sample(count)
        assert len(batch) == count
        num_demos = int(batch.is_demo.sum())
        assert abs(num_demos - count * demo_fraction) <= 0.5
        assert batch.is_demo.tolist() == [0.0] * (count - num_demos) + [1.0] * num_demos


def test_both_parts_of_a_mixture_are_uniform_and_keep_their_own_shares():
    sampler, slow, slow_demos = mix(0.25)
    batch = sampler.sample(80_000)
    for part, share, reference in ((0.0, 0.8, slow), (1.0, 0.5, slow_demos)):
        rows = batch.map(lambda array, part=part: array[batch.is_demo == part])
        assert len(rows) == 80_000 * (0.25 if part else 0.75)
        assert_uniform(counts_of_transitions(rows, reference))
        assert_binomial(is_relabelled(rows).sum(), len(rows), share)
