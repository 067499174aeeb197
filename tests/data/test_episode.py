from dataclasses import FrozenInstanceError, fields, replace

import numpy as np
import pytest
from builders import counted_episode, random_episode

from headstart.data.episode import Episode

STATES = ("observations", "achieved_goals", "snapshots")
ARRAYS = [it.name for it in fields(Episode) if it.compare and it.name != "discarded_steps"]


@pytest.fixture
def episode():
    episode = random_episode(np.random.default_rng(0), 5, info_dim=1, state_dim=7)
    return replace(episode, rewards=np.arange(5.0))


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_of_another_length_is_refused(episode, name):
    shorter = getattr(episode, name)[:-1]
    with pytest.raises(ValueError, match="inconsistent episode lengths"):
        replace(episode, **{name: shorter})


def test_an_episode_without_steps_is_refused(episode):
    states = {name: getattr(episode, name)[:1] for name in STATES}
    names = set(ARRAYS) - states.keys()
    steps = {name: getattr(episode, name)[:0] for name in names}
    with pytest.raises(ValueError, match="at least one step"):
        Episode(**states, **steps)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(
    "name", ["observations", "achieved_goals", "desired_goals", "actions", "rewards", "snapshots"]
)
def test_a_number_that_is_not_finite_is_refused_by_name(episode, name, bad):
    array = getattr(episode, name).copy()
    array[-1:, ...] = bad
    with pytest.raises(ValueError, match=rf"episode\.{name} holds NaN or infinity"):
        replace(episode, **{name: array})


def test_a_number_too_large_for_float32_is_refused(episode):
    large = np.full(episode.observations.shape, 1e300)
    with pytest.raises(ValueError, match=r"episode\.observations holds NaN or infinity"):
        replace(episode, observations=large)


def test_float64_is_kept_as_float32(episode):
    wide = replace(episode, actions=episode.actions.astype(np.float64))
    assert wide.actions.dtype == np.float32
    assert wide == episode


def test_a_goal_that_changes_on_the_way_is_refused_and_the_step_named(episode):
    goals = episode.desired_goals.copy()
    goals[3:] += 1.0
    with pytest.raises(ValueError, match="goal changes within the episode, at step 3"):
        replace(episode, desired_goals=goals)


def test_snapshots_keep_every_digit(episode):
    assert episode.snapshots.dtype == np.float64
    one_digit_more = replace(episode, snapshots=np.nextafter(episode.snapshots, np.inf))
    assert one_digit_more != episode


def test_rewards_what_they_read_and_snapshots_may_be_left_out(episode):
    names = set(ARRAYS) - {"reward_infos", "rewards", "snapshots"}
    without = Episode(**{name: getattr(episode, name) for name in names})
    assert without.reward_infos.shape == (5, 0)
    assert without.snapshots.shape == (6, 0)
    assert without.rewards.shape == (0,)


def test_success_means_success_at_the_last_step(episode):
    lost_again = np.array([False, True, True, True, False])
    assert not replace(episode, is_success=lost_again).success
    assert replace(episode, is_success=~lost_again).success


@pytest.mark.parametrize("name", ARRAYS)
def test_episodes_are_equal_when_every_array_is(episode, name):
    assert episode == replace(episode)
    array = getattr(episode, name).copy()
    array[:] = ~array if array.dtype == bool else array + 1
    assert episode != replace(episode, **{name: array})


def test_its_length_is_its_number_of_steps(episode):
    assert len(episode) == 5


def test_fields_cannot_be_assigned(episode):
    with pytest.raises(FrozenInstanceError):
        episode.actions = episode.actions


@pytest.mark.parametrize("name", ["terminated", "is_success"])
def test_what_is_true_or_false_is_a_bit(episode, name):
    with pytest.raises(ValueError, match=rf"episode\.{name} must hold one bool a row, got float64"):
        replace(episode, **{name: np.array([0.0, 7.0, 0.0, 1.0, np.nan])})


@pytest.mark.parametrize("sources", [[0, 1, 2], (0, 1, 1), np.array([2, 0, 0])])
def test_whose_steps_are_may_be_any_integers(sources):
    made = replace(counted_episode(0, 3), sources=sources)
    assert made.sources.dtype == np.uint8
    assert made.sources.tolist() == list(sources)


@pytest.mark.parametrize("sources", [None, 1, "demonstrated", [0, 1, 3], [0.5, 0, 0], [0, 1]])
def test_sources_that_are_none_are_refused(sources):
    with pytest.raises(ValueError, match=r"episode\.sources|inconsistent"):
        replace(counted_episode(0, 3), sources=sources)
