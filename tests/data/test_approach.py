"""Steps before anything has moved, and other goals for them."""

from dataclasses import replace

import numpy as np
import pytest
from builders import random_episode

from headstart.data.approach import OtherGoals, approach, approach_steps
from headstart.data.hindsight import HindsightSampler
from headstart.data.replay import EpisodeReplay


def episode(still, moving, number=0):
    """An episode whose achieved goal rests for some states, and then moves."""
    steps = still + moving
    made = random_episode(np.random.default_rng(number), steps)
    places = np.concatenate([np.zeros(still + 1), np.arange(1, moving + 1)])
    achieved = np.stack([places, np.full(steps + 1, number)], axis=1)
    goals = np.full((steps, 2), [100.0 + number, 200.0 + number])
    return replace(
        made,
        achieved_goals=achieved,
        desired_goals=goals,
        terminated=np.zeros(steps, bool),
        rewards=np.arange(steps, dtype=np.float32),
    )


@pytest.mark.parametrize(("still", "moving"), [(4, 3), (2, 5), (7, 1)])
def test_it_ends_where_the_achieved_goal_moves(still, moving):
    # The step that moves it starts where it has not moved.
    assert approach_steps(episode(still, moving)) == still + 1


@pytest.mark.parametrize("still", [0, 1])
def test_what_moves_at_once_is_not_approached(still):
    assert approach_steps(episode(still, 5)) == 0
    assert approach(episode(still, 5)) is None


def test_it_is_not_ended_by_what_a_simulator_trembles():
    trembling = episode(5, 5)
    noise = 0.01 * np.random.default_rng(0).standard_normal(trembling.achieved_goals.shape)
    assert approach_steps(replace(trembling, achieved_goals=trembling.achieved_goals + noise)) == 6


def test_where_nothing_ever_moves_there_is_none():
    resting = episode(6, 0)
    assert approach_steps(resting) == 0
    assert approach(resting) is None


def test_an_approach_is_the_beginning_of_its_episode():
    whole = episode(4, 6)
    part = approach(whole)
    assert len(part) == 5
    np.testing.assert_array_equal(part.observations, whole.observations[:6])
    np.testing.assert_array_equal(part.actions, whole.actions[:5])
    np.testing.assert_array_equal(part.rewards, whole.rewards[:5])


def same_reward(achieved_goal, _desired_goal, _reward_info):
    return np.zeros((2, len(achieved_goal)), np.float32)


def sample_rows(demos, count, *, share, added=()):
    replay = EpisodeReplay.from_episodes(demos, grows=True)
    for each in added:
        replay.add(each)
    sampler = HindsightSampler(
        replay,
        same_reward,
        relabel_fraction=0.0,
        rng=np.random.default_rng(0),
        other_goals=OtherGoals.of(demos, share),
    )
    return sampler.sample(count)


def own_goals(batch):
    """Whether each row still has the goal of its own episode."""
    number = batch.achieved_goal[:, 1]
    return (batch.desired_goal == np.stack([100.0 + number, 200.0 + number], axis=1)).all(axis=1)


def test_steps_after_something_has_moved_keep_their_goals():
    batch = sample_rows([episode(4, 6, number) for number in range(5)], 4000, share=1.0)
    moved = batch.achieved_goal[:, 0] > 0.0
    assert own_goals(batch)[moved].all()
    # One of 5 x 5 combinations is the own goal.
    assert own_goals(batch)[~moved].mean() == pytest.approx(1 / 25, abs=0.02)


def test_a_share_of_the_steps_before_gets_goals_of_all_coordinates():
    batch = sample_rows([episode(4, 6, number) for number in range(5)], 4000, share=0.5)
    still = batch.achieved_goal[:, 0] == 0.0
    assert own_goals(batch)[still].mean() == pytest.approx(0.5 + 0.5 / 25, abs=0.04)
    assert len(np.unique(batch.desired_goal[still], axis=0)) == 25


def test_episodes_that_come_later_keep_their_goals():
    demos = [episode(4, 6, number) for number in range(2)]
    batch = sample_rows(demos, 2000, share=1.0, added=[episode(4, 6, number) for number in (7, 8)])
    assert own_goals(batch)[batch.achieved_goal[:, 1] >= 7].all()
