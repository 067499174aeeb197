"""Exploration: random actions, noise and greedy actions stay within the range of actions."""

import numpy as np
import pytest

from headstart.rollout.exploration import GREEDY, Exploration


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_random_actions_come_as_often_as_asked_and_fill_the_range(share):
    low, high = np.array([-1.0, 2.0], np.float32), np.array([1.0, 6.0], np.float32)
    explore, rng = Exploration(random_action=share), np.random.default_rng(0)
    center = np.array([0.0, 4.0], np.float32)
    actions = np.stack([explore(center, low, high, rng) for _ in range(4000)])
    is_random = (actions != center).any(axis=1)
    assert abs(is_random.mean() - share) <= 4 * np.sqrt(share * (1 - share) / 4000)
    if share == 1.0:
        np.testing.assert_allclose(actions.min(axis=0), low, atol=0.02)
        np.testing.assert_allclose(actions.max(axis=0), high, atol=0.02)
        np.testing.assert_allclose(actions.mean(axis=0), center, atol=0.1)


def test_noise_is_a_share_of_half_the_range_and_stays_inside():
    low, high = np.array([-1.0, 0.0], np.float32), np.array([1.0, 20.0], np.float32)
    explore, rng = Exploration(noise=0.2), np.random.default_rng(0)
    center = np.array([0.0, 10.0], np.float32)
    actions = np.stack([explore(center, low, high, rng) for _ in range(10_000)])
    np.testing.assert_allclose(actions.std(axis=0), [0.2, 2.0], rtol=0.03)
    at_edge = np.stack([explore(high, low, high, rng) for _ in range(100)])
    assert (at_edge <= high).all()
    assert actions.dtype == np.float32


def test_greedy_actions_are_clipped_to_the_action_range():
    low, high = np.full(2, -1.0, np.float32), np.full(2, 1.0, np.float32)
    action = GREEDY(np.array([3.0, -0.5]), low, high, np.random.default_rng(0))
    np.testing.assert_array_equal(action, [1.0, -0.5])


@pytest.mark.parametrize("share", [None, 0.0, 0.5, 1.0])
def test_a_share_of_the_episodes_is_greedy(share):
    explore, rng = Exploration(noise=0.1, greedy_episodes=share), np.random.default_rng(0)
    episodes = [explore.for_episode(rng) for _ in range(1000)]
    assert {*episodes} <= {explore, GREEDY}
    assert abs(episodes.count(GREEDY) / 1000 - (share or 0.0)) < 0.06
