import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.data.rewards import RewardScale

NO = np.zeros(2, np.float32)
ENDS = np.ones(2, np.float32)


def scale_rewards(scale, rewards, at_goal=NO, fell=NO):
    return scale(np.array(rewards, np.float32), at_goal, fell).tolist()


@pytest.mark.parametrize(
    ("elsewhere", "at_goal"), [(-1.0, 0.0), (0.0, 1.0), (1.0, 2.0), (-0.1, 100.0), (-1.0, -0.2)]
)
def test_two_rewards_are_minus_one_and_zero_whatever_they_are(elsewhere, at_goal):
    scale = RewardScale(at_goal, at_goal - elsewhere, 0.98)
    np.testing.assert_allclose(scale_rewards(scale, [elsewhere, at_goal]), [-1.0, 0.0], atol=1e-6)
    assert scale.range((elsewhere, at_goal)) == pytest.approx((-1.0, 0.0))


def test_rewards_that_are_so_already_keep_their_bits():
    rewards = np.array([-1.0, 0.0], np.float32)
    assert scale_rewards(RewardScale(0.0, 1.0, 0.98), rewards) == rewards.tolist()


@given(
    factor=st.floats(1e-3, 1e3),
    shift=st.floats(-100.0, 100.0),
    rewards=st.lists(st.floats(-3.0, 0.0), min_size=2, max_size=2),
)
def test_neither_a_factor_nor_a_shift_changes_what_is_learned(factor, shift, rewards):
    plain = RewardScale(0.0, 1.5, 0.98)
    other = RewardScale(shift, 1.5 * factor, 0.98)
    found = scale_rewards(other, [factor * reward + shift for reward in rewards])
    rounding = 1e-6 * (1.0 + (abs(shift) + factor) / factor)
    np.testing.assert_allclose(found, scale_rewards(plain, rewards), atol=4 * rounding)


def test_an_end_at_the_goal_is_worth_its_reward_and_a_fall_what_never_reaching_it_is():
    scale = RewardScale(1.0, 1.0, 0.98)
    assert scale_rewards(scale, [1.0, 1.0], at_goal=ENDS) == [0.0, 0.0]
    np.testing.assert_allclose(scale_rewards(scale, [0.0, 1.0], fell=ENDS), -50.0, rtol=1e-6)


def test_a_fall_that_costs_more_keeps_its_cost():
    scale = RewardScale(0.0, 1.0, 0.5)
    assert scale_rewards(scale, [-1.0, -7.0], fell=ENDS) == [-2.0, -7.0]


@pytest.mark.parametrize("always", [-1.0, 0.0, 1.0])
def test_where_all_rewards_are_alike_the_end_at_the_goal_is_the_reward(always):
    scale = RewardScale(always, 1.0, 0.98, tells_goal=False)
    at_goal = np.array([1.0, 0.0], np.float32)
    assert scale_rewards(scale, [always, always], at_goal=at_goal) == [0.0, -1.0]
    assert scale.range((always, always)) == (-1.0, 0.0)


def test_rewards_without_bounds_stay_without():
    assert RewardScale(0.0, 2.0, 0.98).range((-np.inf, np.inf)) == (-np.inf, np.inf)
    assert RewardScale(0.0, 2.0, 0.98).range((-8.0, 0.0)) == (-4.0, 0.0)
    # A fall is worth -1 a step at least, however little rewards below the best one differ.
    assert RewardScale(0.0, 2.0, 0.98).range((-1.0, 0.0)) == (-1.0, 0.0)
