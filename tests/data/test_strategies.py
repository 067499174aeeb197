"""Hindsight strategies, on episodes whose numbers say where they belong."""

import numpy as np
import pytest
from builders import counted_episode
from hypothesis import given
from hypothesis import strategies as st

from headstart.data import strategies
from headstart.data.hindsight import HindsightSampler
from headstart.data.replay import EpisodeReplay

LENGTHS = (1, 2, 7, 30)


def no_reward(achieved_goal, desired_goal, reward_info):
    return np.zeros(len(achieved_goal), np.float32), np.zeros(len(achieved_goal), np.float32)


def sample_goals(strategy, count=4000, lengths=LENGTHS, fraction=1.0):
    """Episode and state of the transition, and of the goal that it was given."""
    episodes = [counted_episode(number, steps) for number, steps in enumerate(lengths)]
    replay = EpisodeReplay.from_episodes(episodes)
    sampler = HindsightSampler(
        replay,
        no_reward,
        relabel_fraction=fraction,
        rng=np.random.default_rng(0),
        strategy=strategy,
    )
    batch = sampler.sample(count)
    episode, step = batch.observation.astype(int).T
    goal_episode, goal_state = batch.desired_goal.T
    return episode, step, goal_episode.astype(int), (goal_state - 0.25).astype(int)


def test_future_goals_come_later_in_the_same_episode():
    episode, step, goal_episode, goal_state = sample_goals(strategies.future)
    length = np.array(LENGTHS)[episode]
    assert (goal_episode == episode).all()
    assert ((goal_state > step) & (goal_state <= length)).all()


def test_final_goals_are_the_last_state_of_the_same_episode():
    episode, _, goal_episode, goal_state = sample_goals(strategies.final)
    assert (goal_episode == episode).all()
    assert (goal_state == np.array(LENGTHS)[episode]).all()


def test_episode_goals_are_uniform_over_the_states_that_a_step_led_to():
    episode, _, goal_episode, goal_state = sample_goals(strategies.episode, count=60_000)
    assert (goal_episode == episode).all()
    of_longest = goal_state[episode == 3]
    counts = np.bincount(of_longest, minlength=31)
    assert counts[0] == 0
    expected = len(of_longest) / 30
    assert ((counts[1:] - expected) ** 2 / expected).sum() < 58.3  # chi-square, 29, p = 0.001


def test_random_goals_come_from_every_episode_by_its_length():
    episode, _, goal_episode, goal_state = sample_goals(strategies.random, count=40_000)
    shares = np.bincount(goal_episode, minlength=4) / len(goal_episode)
    assert np.allclose(shares, np.array(LENGTHS) / sum(LENGTHS), atol=0.01)
    assert (goal_state >= 1).all()
    assert abs(np.corrcoef(episode, goal_episode)[0, 1]) < 0.03


@given(
    steps_taken=st.integers(0, 40),
    steps_left=st.integers(1, 40),
    row=st.integers(100, 200),
    seed=st.integers(0, 2**32 - 1),
)
def test_index_functions_stay_inside_the_episode(steps_taken, steps_left, row, seed):
    rng = np.random.default_rng(seed)
    rows, taken, left = np.array([row]), np.array([steps_taken]), np.array([steps_left])
    first, last = row - steps_taken, row + steps_left
    assert row < strategies.sample_future(rows, left, rng)[0] <= last
    assert strategies.sample_final(rows, left)[0] == last
    assert first < strategies.sample_episode(rows, taken, left, rng)[0] <= last


def test_a_strategy_of_ones_own_sees_the_rows_and_decides_their_goals():
    seen = []

    def own(rows, rng):
        seen.append(rows)
        return rows.achieved_at(rows.row - rows.steps_taken)

    episode, _, goal_episode, goal_state = sample_goals(own, count=500)
    assert (goal_episode == episode).all()
    assert (goal_state == 0).all()
    (rows,) = seen
    assert (rows.steps_taken + rows.steps_left == np.array(LENGTHS)[episode]).all()
    assert (rows.desired_goals[:, 0] == episode).all()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (lambda rows, rng: rows.achieved_goals[:-1], "returned shape"),
        (lambda rows, rng: rows.achieved_goals[:, :1], "returned shape"),
        (lambda rows, rng: rows.achieved_goals * np.nan, "NaN or infinity"),
    ],
)
def test_a_strategy_that_answers_wrongly_is_refused(answer, expected):
    with pytest.raises(ValueError, match=expected):
        sample_goals(answer, count=10)


def test_what_a_strategy_does_to_its_goals_leaves_the_replay_as_it_was():
    replay = EpisodeReplay.from_episodes([counted_episode(0, 5)])
    before = replay.achieved_goals.copy(), replay.desired_goals.copy()

    def spoil(rows, rng):
        goals = rows.achieved_goals
        goals += 100.0
        rows.desired_goals[:] = 7.0
        return goals

    HindsightSampler(
        replay, no_reward, relabel_fraction=1.0, rng=np.random.default_rng(0), strategy=spoil
    ).sample(20)
    assert np.array_equal(replay.achieved_goals, before[0])
    assert np.array_equal(replay.desired_goals, before[1])


def resting_then_moving(number):
    """An object that stays where it is for 20 of 30 steps, then moves by 1 a step."""
    episode = counted_episode(number, 30)
    episode.achieved_goals[:, 1] = np.maximum(np.arange(31) - 20, 0)
    return episode


def moved_share(share, attempts=8):
    replay = EpisodeReplay.from_episodes([resting_then_moving(0)])
    strategy = strategies.PreferMoved(
        strategies.future, share=share, distance=0.5, attempts=attempts
    )
    sampler = HindsightSampler(
        replay,
        no_reward,
        relabel_fraction=1.0,
        rng=np.random.default_rng(0),
        strategy=strategy,
    )
    batch = sampler.sample(20_000)
    assert (batch.desired_goal[:, 0] == 0).all()
    before = replay.observations[:, 1]
    assert np.isin(batch.observation[:, 1], before).all()
    return (np.abs(batch.desired_goal - batch.achieved_goal)[:, 1] > 0.5).mean()


def test_moved_goals_are_preferred_by_the_share_that_is_asked_for():
    never, sometimes, always = (moved_share(share) for share in (0.0, 0.5, 1.0))
    # Drawn once, a later state is a moved one in 1 - (number of later resting states) / (later
    # states) of the draws, on average over the steps of the episode.
    steps = np.arange(30)
    resting = np.maximum(20 - steps, 0)
    chance = 1.0 - resting / (30 - steps)
    assert abs(never - chance.mean()) < 0.015
    assert abs(always - (1.0 - (1.0 - chance) ** 9).mean()) < 0.015
    assert abs(sometimes - (never + always) / 2) < 0.015


def test_goals_that_never_moved_are_kept_and_end_the_search():
    still = counted_episode(0, 5)
    still.achieved_goals[:] = 1.25
    calls = []

    def counting(rows, rng):
        calls.append(len(rows.row))
        return strategies.future(rows, rng)

    strategy = strategies.PreferMoved(counting, share=1.0, distance=0.1, attempts=3)
    replay = EpisodeReplay.from_episodes([still])
    rows = strategies.ChosenRows(replay, np.arange(5))
    assert (strategy(rows, np.random.default_rng(0)) == 1.25).all()
    assert calls == [5, 5, 5, 5]


@pytest.mark.parametrize(
    "wrong", [{"share": 1.5}, {"distance": 0.0}, {"distance": np.nan}, {"attempts": 0}]
)
def test_a_preference_out_of_range_is_refused(wrong):
    options = {"share": 0.5, "distance": 0.1, "attempts": 3} | wrong
    with pytest.raises(ValueError, match="PreferMoved needs"):
        strategies.PreferMoved(strategies.future, **options)


def test_a_strategy_cannot_write_into_the_replay():
    def vandal(rows, rng):
        rows.replay.achieved_goals[:] = 0.0
        return rows.achieved_goals

    with pytest.raises(ValueError, match="read-only"):
        sample_goals(vandal, count=10)
