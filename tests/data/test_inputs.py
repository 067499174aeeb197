import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.data.inputs import NOTHING, InputMap
from headstart.data.layout import StateLayout, choose_inputs
from headstart.data.layout_detection import find_frame, find_velocities, free_axes
from headstart.envs.known import KNOWN

FETCH = KNOWN["FetchPickAndPlace"].layout
EVERYTHING = InputMap.of(25, 3, "both")


def choose_terms(layout=FETCH, everything=EVERYTHING, *, velocities=False, absolute=False):
    return choose_inputs(layout, everything, velocities=velocities, absolute=absolute).terms


@given(
    states=st.lists(st.lists(st.floats(-9, 9, width=32), min_size=8, max_size=8), min_size=1),
    goal_input=st.sampled_from(["absolute", "relative", "both"]),
)
def test_the_whole_map_is_observation_and_goal(states, goal_input):
    states = np.array(states, np.float32)
    observation, achieved, desired = np.split(states, [4, 6], axis=1)
    parts = {
        "absolute": [observation, desired],
        "relative": [observation, desired - achieved],
        "both": [observation, desired, desired - achieved],
    }
    inputs = InputMap.of(4, 2, goal_input)(states)
    np.testing.assert_array_equal(inputs, np.concatenate(parts[goal_input], axis=1))
    np.testing.assert_array_equal(InputMap.of(4, 2, goal_input)(states[0]), inputs[0])


@pytest.mark.parametrize("terms", [(), ((8, NOTHING),), ((-1, NOTHING),), ((0, 8),), ((0, -2),)])
def test_a_map_of_entries_that_do_not_exist_is_refused(terms):
    with pytest.raises(ValueError, match=r"must see something|no term of 8 entries"):
        InputMap(terms, 4, 2)


def test_nothing_is_left_out_unless_asked_for():
    assert choose_terms(velocities=True, absolute=True) == EVERYTHING.terms
    assert choose_terms(StateLayout()) == EVERYTHING.terms


def test_without_velocities_and_absolute_positions_heights_and_offsets_remain():
    heights, fingers, goal_height = [(2, -1), (5, -1)], [(9, -1), (10, -1)], [(30, -1)]
    offsets, distances = [(6, -1), (7, -1), (8, -1)], [(28, 25), (29, 26), (30, 27)]
    assert set(choose_terms()) == {*heights, *fingers, *goal_height, *offsets, *distances}


def test_moving_the_whole_scene_changes_nothing_that_is_seen():
    rng = np.random.default_rng(0)
    state = rng.normal(size=31).astype(np.float32)
    state[6:9] = state[3:6] - state[0:3]
    moved = state.copy()
    for first in (0, 3, 25, 28):
        moved[first : first + 2] += np.array([2.0, -1.0], np.float32)
    inputs = InputMap(choose_terms(velocities=True), 25, 3)
    np.testing.assert_allclose(inputs(moved), inputs(state), atol=1e-6)
    lifted = state.copy()
    lifted[5] += 1.0
    assert not np.allclose(inputs(lifted), inputs(state))


def test_offsets_that_the_observation_lacks_are_added():
    layout = StateLayout(positions=(0, 2), goal_positions=(0,), hand=0, shift_axes=(0, 1), dim=2)
    terms = choose_terms(layout, InputMap.of(4, 2, "absolute"))
    assert set(terms) == {(2, 0), (3, 1), (6, 4), (7, 5)}


def test_without_axes_along_which_the_scene_may_move_positions_stay():
    maze = StateLayout(velocities=(2, 3), positions=(0,), goal_positions=(0,), dim=2)
    everything = InputMap.of(4, 2, "both")
    left_out = set(everything.terms) - set(choose_terms(maze, everything))
    assert left_out == {(2, NOTHING), (3, NOTHING)}


def moving_points(steps=40, noise=0.0):
    """States (x, y, u, v, y - x) of two points with velocities u and v, and what they lead to."""
    rng = np.random.default_rng(0)
    velocity = rng.normal(size=(steps, 2))
    place = np.cumsum(0.1 * velocity, axis=0)
    states = np.column_stack([place, velocity, place[:, 1] - place[:, 0]])
    return states[:-1], states[1:] + noise * rng.normal(size=(steps - 1, 5))


def test_velocities_show_in_how_other_entries_change():
    assert find_velocities(*moving_points(), 5) == (2, 3)
    assert find_velocities(*moving_points(noise=0.01), 5) == (2, 3)


def test_neither_a_position_nor_few_or_still_states_show_a_velocity():
    before, after = moving_points()
    assert find_velocities(before[:, :2], after[:, :2], 2) == ()
    assert find_velocities(before[:5], after[:5], 5) == ()
    assert find_velocities(before, before, 5) == ()


def test_the_same_number_again_is_not_a_velocity():
    # Seen twice, and growing as it moves: x explains its own change, and that of its copy.
    place = np.exp(np.linspace(0.0, 1.0, 20))[:, None]
    states = np.hstack([place, place])
    assert find_velocities(states[:-1], states[1:], 1) == ()


def test_what_stays_the_same_in_an_episode_is_not_a_velocity():
    # A clock runs by the same step in every episode, as a constant would have it.
    clock = np.tile(np.arange(11.0), 3)[:, None]
    gain = np.repeat([1.0, 1.1, 0.9], 11)[:, None]
    states = np.hstack([gain, clock])
    keep = np.arange(32)[np.arange(32) % 11 != 10]
    assert find_velocities(states[keep], states[keep + 1], 2) == ()


def scenes(steps=30, *, noise=0.0):
    """Observations (hand, fingers, object - hand, object) and the object as what is achieved."""
    rng = np.random.default_rng(0)
    hand, thing, fingers = (rng.normal(size=(steps, width)) for width in (3, 3, 2))
    offset = thing - hand + noise * rng.normal(size=(steps, 3))
    return np.hstack([hand, fingers, offset, thing, thing])


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_frame_shows_in_offsets_from_the_hand(sign):
    states = scenes()
    states[:, 5:8] *= sign
    frame = find_frame(states, 11, ())
    assert frame == StateLayout(positions=(0, 8), goal_positions=(0,), hand=0, offsets=(8,))


def test_several_objects_are_in_one_frame():
    first, second = scenes(), scenes()[::-1]
    second[:, 0:3] = first[:, 0:3]
    second[:, 5:8] = second[:, 8:11] - second[:, 0:3]
    states = np.hstack([first[:, :11], second[:, 5:11], first[:, 11:], second[:, 11:]])
    frame = find_frame(states, 17, ())
    assert (frame.hand, frame.positions, frame.goal_positions) == (0, (0, 8, 14), (0, 3))


def test_a_lone_point_is_its_own_frame():
    rng = np.random.default_rng(0)
    place, velocity = rng.normal(size=(20, 2)), rng.normal(size=(20, 2))
    states = np.hstack([place, velocity, place])
    assert find_frame(states, 4, (2, 3)) == StateLayout(positions=(0,), goal_positions=(0,), dim=2)
    # What else moves may be in the frame or not; without it, positions must not be hidden.
    assert find_frame(states, 4, ()) is None


@pytest.mark.parametrize(
    "states",
    [
        scenes(noise=0.01),
        scenes()[:, [*range(8), *range(11, 14)]],
        np.random.default_rng(0).normal(size=(20, 9)),
    ],
    ids=["noise", "the observation lacks what is achieved", "nothing belongs together"],
)
def test_what_cannot_be_found_is_left_alone(states):
    assert find_frame(states, states.shape[1] - 3, ()) is None


def test_a_scene_may_be_shifted_along_the_axes_on_which_it_starts_anywhere():
    starts = np.array([[0.1, 0.9, 0.42], [0.6, 0.2, 0.42], [0.3, 0.4, 0.43]])
    assert free_axes(starts, 3) == (0, 1)
    assert free_axes(np.hstack([starts, starts[:, ::-1]]), 3) == (0, 1, 2)
    assert free_axes(starts[:1].repeat(3, axis=0), 3) == ()


def test_fine_scales_distinguish_small_differences():
    layout = StateLayout(positions=(0, 2), goal_positions=(0,), hand=0, shift_axes=(0, 1), dim=2)
    everything = InputMap.of(4, 2, "both")
    fine = choose_inputs(
        layout, everything, velocities=True, absolute=False, fine_scales=(10.0, 50.0)
    )
    plain = choose_inputs(layout, everything, velocities=True, absolute=False)
    state = np.random.default_rng(0).normal(size=(3, 8)).astype(np.float32)
    offset, distance = state[:, 2:4] - state[:, 0:2], state[:, 6:8] - state[:, 4:6]
    coarse = np.hstack([distance, offset])
    expected = [plain(state), np.tanh(10.0 * coarse), np.tanh(50.0 * coarse)]
    np.testing.assert_allclose(fine(state), np.hstack(expected), rtol=1e-6)
    assert len(fine) == fine(state).shape[1]


@pytest.mark.parametrize("scales", [(0.0,), (-1.0,), (float("inf"),), (float("nan"),)])
def test_scales_must_be_positive(scales):
    with pytest.raises(ValueError, match="not all positive"):
        InputMap(((0, NOTHING),), 4, 2, scales)
