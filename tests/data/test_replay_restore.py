"""A replay put back from parts is the replay that it was."""

import numpy as np
import pytest
from builders import random_episode
from hypothesis import given
from hypothesis import strategies as st

from headstart.data.replay import EpisodeReplay, ReplayPosition, StoredEpisodes

WIDTHS = {"observation_dim": 3, "goal_dim": 2, "action_dim": 2}


def state_of(replay):
    rows = np.arange(replay.capacity)
    columns = [replay.observations, replay.achieved_goals, replay.desired_goals, replay.actions]
    stored = np.flatnonzero(replay._steps)
    return (
        replay.position,
        replay.num_transitions,
        replay._steps.tobytes(),
        replay.steps_left(rows).tobytes(),
        *(column[stored].tobytes() for column in columns),
        replay.terminated[stored].tobytes(),
        replay.draw(50, np.random.default_rng(0)).tobytes(),
    )


@pytest.mark.slow
@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=40),
    cuts=st.sets(st.integers(1, 40)),
    capacity=st.integers(10, 60),
)
def test_a_replay_comes_back_from_the_parts_that_were_saved_on_the_way(lengths, cuts, capacity):
    rng, replay = np.random.default_rng(0), EpisodeReplay(capacity, **WIDTHS)
    parts, saved = [], 0
    for number, steps in enumerate(lengths, 1):
        replay.add(random_episode(rng, steps))
        if number in cuts or number == len(lengths):
            new = min(replay.num_added - saved, replay.num_episodes)
            parts.append(replay.newest(new))
            saved = replay.num_added
    restored = EpisodeReplay(capacity, **WIDTHS)
    restored.restore(replay.position, parts)
    assert state_of(restored) == state_of(replay)
    for steps in (3, 7, 2, 5):
        episode = random_episode(rng, steps)
        replay.add(episode)
        restored.add(episode)
        assert state_of(restored) == state_of(replay)


def test_the_rows_of_a_final_state_hold_nothing_of_an_earlier_episode():
    rng, replay = np.random.default_rng(0), EpisodeReplay(6, **WIDTHS)
    for steps in (5, 2):
        replay.add(random_episode(rng, steps))
    assert not replay.actions[2].any()
    assert not replay.newest(1).rows[2, replay.columns["actions"]].any()


def state_of_empty(replay):
    return replay.position, replay.num_transitions, replay._steps.tobytes()


def part(first=0, starts=(0, 4), steps=(3, 2), **changes):
    starts, steps = np.array(starts, np.int64), np.array(steps, np.int64)
    rows = np.zeros((int(sum(steps + 1)), 11), np.float32)
    return StoredEpisodes(
        **{"first": first, "starts": starts, "steps": steps, "rows": rows} | changes
    )


WHOLE = ReplayPosition(num_added=2, num_episodes=2, next_row=7, used_rows=7)


def restore(position, *parts):
    replay = EpisodeReplay(20, **WIDTHS)
    replay.restore(position, parts)
    return replay


def test_what_the_refusals_start_from_is_accepted():
    assert restore(WHOLE, part()).num_transitions == 5


@pytest.mark.parametrize(
    ("position", "stored", "expected"),
    [
        (WHOLE, part(rows=np.zeros((8, 11), np.float32)), "do not fit"),
        (WHOLE, part(rows=np.zeros((7, 9), np.float32)), "do not fit"),
        (WHOLE, part(starts=(0, 3)), "lies upon another"),
        (WHOLE, part(starts=(-1, 4)), "outside"),
        (WHOLE, part(starts=(0, 18)), "outside"),
        (WHOLE, part(first=1), "are missing"),
        (WHOLE, part(steps=(3, 0)), "a length"),
        (WHOLE, part(steps=(3, 20)), "a length"),
        (ReplayPosition(2, 2, 7, 6), part(), "do not lead to"),
        (ReplayPosition(2, 2, 21, 7), part(), "do not lead to"),
        (ReplayPosition(2, 2, 7, 21), part(), "do not lead to"),
        (ReplayPosition(3, 3, 7, 7), part(), "do not lead to"),
        (ReplayPosition(1, 1, 7, 7), part(), "do not lead to"),
    ],
)
def test_parts_that_do_not_belong_to_the_replay_are_refused(position, stored, expected):
    replay = EpisodeReplay(20, **WIDTHS)
    before = state_of_empty(replay)
    with pytest.raises(ValueError, match=expected):
        replay.restore(position, [stored])
    assert state_of_empty(replay) == before
    replay.restore(WHOLE, [part()])
    assert replay.num_transitions == 5


def test_lengths_whose_sum_overflows_are_refused():
    huge = StoredEpisodes(
        0, np.zeros(2, np.int64), np.array([2**62, -(2**62) + 5]), np.zeros((7, 11), np.float32)
    )
    with pytest.raises(ValueError, match="a length"):
        restore(WHOLE, huge)


@pytest.mark.parametrize(("added", "stored"), [(1, 2), (1, -1), (-1, 0)])
def test_a_position_that_cannot_be_is_refused(added, stored):
    with pytest.raises(ValueError, match=f"{stored} episodes stored of {added} added"):
        ReplayPosition(added, stored, 0, 0)


def test_only_an_empty_replay_is_restored():
    replay = restore(WHOLE, part())
    with pytest.raises(ValueError, match="empty"):
        replay.restore(WHOLE, [part()])
