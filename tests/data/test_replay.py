import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
from builders import counted_episode, stored_rows

from headstart.data.replay import EpisodeReplay


def empty_replay(capacity):
    return EpisodeReplay(capacity, observation_dim=2, goal_dim=2, action_dim=2)


def transitions_of(episode):
    """Every transition with the final state it can look ahead to, as plain numbers."""
    return {
        (
            *episode.observations[step],
            *episode.achieved_goals[step],
            *episode.desired_goals[step],
            *episode.actions[step],
            float(episode.terminated[step]),
            *episode.observations[step + 1],
            *episode.achieved_goals[step + 1],
            *episode.achieved_goals[-1],
        )
        for step in range(len(episode))
    }


def transitions_at(replay, rows):
    return {
        (
            *replay.observations[row],
            *replay.achieved_goals[row],
            *replay.desired_goals[row],
            *replay.actions[row],
            float(replay.terminated[row]),
            *replay.observations[row + 1],
            *replay.achieved_goals[row + 1],
            *replay.achieved_goals[row + replay.steps_left(row)],
        )
        for row in rows
    }


@pytest.mark.parametrize("steps", [1, 3, 9])
def test_a_full_ring_holds_exactly_its_capacity(steps):
    num_episodes = 4
    replay = empty_replay(num_episodes * (steps + 1))
    for number in range(3 * num_episodes):
        replay.add(counted_episode(number, steps))
    assert replay.num_episodes == num_episodes
    assert replay.num_transitions == num_episodes * steps
    kept = set(replay.observations[stored_rows(replay), 0])
    assert kept == set(range(2 * num_episodes, 3 * num_episodes))


def test_every_stored_transition_is_drawn_equally_often():
    # Lengths that differ, a ring that has wrapped, and a gap at its end.
    replay = empty_replay(50)
    for number, steps in enumerate([20, 11, 15, 3, 1, 9, 12, 5]):
        replay.add(counted_episode(number, steps))
    rows = stored_rows(replay)
    num_draws = 1000 * len(rows)
    drawn = np.bincount(replay.draw(num_draws, np.random.default_rng(7)), minlength=50)
    assert drawn.sum() == drawn[rows].sum() == num_draws
    chi_square = np.square(drawn[rows] - 1000.0).sum() / 1000.0
    freedom = len(rows) - 1
    # Mean and deviation of chi square are ``freedom`` and ``sqrt(2 * freedom)``.
    assert abs(chi_square - freedom) < 4.0 * np.sqrt(2.0 * freedom)


def test_a_final_state_is_never_drawn():
    replay = empty_replay(40)
    for number in range(20):
        replay.add(counted_episode(number, 1))
    rows = replay.draw(5000, np.random.default_rng(0))
    assert set(replay.observations[rows, 1]) == {0.0}


def test_an_empty_replay_says_what_to_do():
    with pytest.raises(ValueError, match="empty replay: add an episode first"):
        empty_replay(10).draw(1, np.random.default_rng(0))


@pytest.mark.parametrize("capacity", [-1, 0, 1])
def test_a_capacity_without_room_for_a_step_is_refused(capacity):
    with pytest.raises(ValueError, match=f"at least 2 states, got {capacity}"):
        empty_replay(capacity)


def test_an_episode_of_other_widths_is_refused_and_nothing_is_forgotten():
    replay = EpisodeReplay(6, observation_dim=2, goal_dim=3, action_dim=2)
    with pytest.raises(ValueError, match=r"episode\.achieved_goals has width 2, .* holds 3"):
        replay.add(counted_episode(0, 3))
    assert replay.num_transitions == replay.num_episodes == 0


def test_stored_numbers_do_not_follow_the_episode_they_came_from():
    episode = counted_episode(0, 4)
    replay = EpisodeReplay.from_episodes([episode])
    episode.actions[:] = 77.0
    assert not (replay.actions == 77.0).any()


def test_from_episodes_holds_exactly_these():
    episodes = [counted_episode(number, steps) for number, steps in enumerate([3, 1, 7])]
    replay = EpisodeReplay.from_episodes(episodes)
    assert replay.capacity == 4 + 2 + 8
    rows = stored_rows(replay)
    expected = set().union(*(transitions_of(episode) for episode in episodes))
    assert transitions_at(replay, rows) == expected
    with pytest.raises(ValueError, match="no episodes"):
        EpisodeReplay.from_episodes([])


def test_a_replay_that_grows_forgets_nothing_and_draws_what_comes():
    episodes = [counted_episode(number, 4) for number in range(20)]
    replay = EpisodeReplay.from_episodes(episodes[:2], grows=True)
    for number in range(2, 20):
        replay.add(episodes[number])
        assert replay.num_episodes == number + 1
    expected = set().union(*(transitions_of(episode) for episode in episodes))
    assert transitions_at(replay, stored_rows(replay)) == expected
    drawn = replay.draw(2000, np.random.default_rng(0))
    assert set(replay.observations[drawn, 0]) == set(range(20))


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
def test_a_copy_is_a_replay_of_its_own(clone):
    original = EpisodeReplay.from_episodes([counted_episode(0, 4)])
    twin = clone(original)
    twin.add(counted_episode(1, 4))
    assert (twin.achieved_goals[:, 0] == 1).all()
    assert (twin.steps_left(np.arange(5)) == [4, 3, 2, 1, 0]).all()
    assert (original.achieved_goals[:, 0] == 0).all()


def test_an_episode_that_is_refused_forgets_nothing():
    replay = empty_replay(20)
    for number in range(2):
        replay.add(counted_episode(number, 9))
    before = replay.num_transitions, replay.observations.copy()
    with pytest.raises(ValueError, match=r"episode\.terminated must hold one bool a row"):
        replay.add(replace(counted_episode(2, 5), terminated=np.zeros((5, 1), bool)))
    assert replay.num_transitions == before[0]
    assert (replay.observations == before[1]).all()


def test_drawing_stays_cheap_after_a_long_episode_is_gone():
    replay = empty_replay(100_001)
    replay.add(counted_episode(0, 100_000))
    replay.add(counted_episode(1, 5))
    assert replay.num_episodes == 1
    rng = np.random.default_rng(0)
    replay.draw(1000, rng)
    # One draw a row and some more for the final state, where the whole ring would take 20,000.
    draws = rng.bit_generator.state["state"]["state"]
    other = np.random.default_rng(0)
    other.random(1000)
    extra = 0
    while extra < 500 and other.bit_generator.state["state"]["state"] != draws:
        other.random()
        extra += 1
    assert extra < 500
