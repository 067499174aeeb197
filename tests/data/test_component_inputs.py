"""What is seen of the current component of a goal, and what is around it."""

from dataclasses import replace

import numpy as np
import pytest

from headstart.data.component_inputs import ComponentInputs
from headstart.data.goals import GoalComponent
from headstart.data.layout import ComponentLayout, StateLayout, see_components


def observe_blocks(count, *, velocities=(), distances=(0.1, 0.3)):
    """Of a hand 0:3, a finger 3, a velocity 4, and per block its place 0:3 and its weight 3."""
    firsts = tuple(range(5, 5 + 4 * count, 4))
    layout = StateLayout(
        velocities=(4, *velocities), positions=(0, *firsts), hand=0, shift_axes=(0, 1)
    )
    parts = ComponentLayout(firsts=firsts, width=4, distances=distances)
    goals = [GoalComponent(str(it), 3 * it, 3 * it + 3) for it in range(count)]
    return see_components(layout, parts, goals, (5 + 4 * count, 3 * count), (2.0,))


def state(hand, places, goals):
    """A joined state; blocks weigh as much as their numbers say."""
    blocks = [[*place, number] for number, place in enumerate(places)]
    parts = [[*hand, 0.7, 9.0], *blocks, *places, *goals]
    return np.concatenate([np.asarray(part, np.float32) for part in parts])


HAND = (1.0, 2.0, 3.0)
PLACES = [(0.0, 0.0, 0.0), (5.0, 0.0, 1.0), (1.0, 2.0, 2.0), (5.0, 1.0, 0.5)]
FAR = [(9.0, 9.0, 4.0)] * 4


def plain_and_offsets(inputs):
    """The inputs by name, those of finer scales left out."""
    names = ("finger", "weight", "over", "above")
    offsets = inputs[len(names) : len(names) + 12].reshape(4, 3)
    by_name = dict(zip(names, inputs.tolist(), strict=False))
    return by_name | dict(zip(("way", "neighbour", "offset", "near hand"), offsets, strict=True))


def test_the_first_component_that_is_not_at_its_goal_is_seen_from_hand_and_goal():
    goals = [PLACES[0], *FAR[1:]]
    found = plain_and_offsets(observe_blocks(4)(state(HAND, PLACES, goals)))
    np.testing.assert_allclose(found["way"], [4.0, 9.0, 3.0])
    np.testing.assert_allclose(found["offset"], [4.0, -2.0, -2.0])
    np.testing.assert_allclose(found["neighbour"], [0.0, 1.0, -0.5])
    np.testing.assert_allclose(found["near hand"], [0.0, 0.0, -1.0])
    plain = {"finger": 0.7, "weight": 1.0, "over": 0.0, "above": -1.0}
    for name, value in plain.items():
        assert found[name] == pytest.approx(value), name


def test_offsets_are_seen_once_more_on_finer_scales():
    inputs = observe_blocks(4)(state(HAND, PLACES, FAR))
    np.testing.assert_allclose(inputs[-12:], np.tanh(2.0 * inputs[-24:-12]), rtol=1e-6)
    assert len(inputs) == len(observe_blocks(4))


@pytest.mark.parametrize(
    ("away", "current"),
    [
        ((0.0, 0.0, 0.0), None),
        ((0.2, 0.0, 0.0), None),
        ((0.2, 0.2, 0.2), 2),
        ((0.4, 0.0, 0.0), 0),
        ((0.2, 0.0, 0.4), 2),
        ((0.2, 0.4, 0.4), 0),
        ((0.0, 0.0, 0.2), 2),
    ],
)
def test_one_that_a_later_one_may_rest_on_is_left_where_it_is(away, current):
    goals = [(x + far, y, z) for (x, y, z), far in zip(PLACES, away, strict=False)]
    found = plain_and_offsets(observe_blocks(3)(state(HAND, PLACES[:3], goals)))
    assert found["over"] == (current is None)
    assert found["weight"] == (2 if current is None else current)


def test_many_states_are_seen_as_each_alone_and_left_as_they_are():
    rng = np.random.default_rng(0)
    states = 0.2 * rng.standard_normal((2, 30, 21 + 24)).astype(np.float32)
    before, inputs = states.copy(), observe_blocks(4)
    whole = inputs(states)
    assert whole.shape == (2, 30, len(inputs))
    assert whole.dtype == np.float32
    assert np.isfinite(whole).all()
    for place in np.ndindex(2, 30):
        np.testing.assert_array_equal(whole[place], inputs(states[place]))
    np.testing.assert_array_equal(states, before)


def test_what_is_nearest_and_highest_is_that_of_any_number():
    goals = [*FAR[:2], *PLACES[2:]]
    two = observe_blocks(2)(state(HAND, PLACES[:2], goals[:2]))
    far_away = [(99.0, 99.0, -1.0)] * 2
    four = observe_blocks(4)(state(HAND, [*PLACES[:2], *far_away], [*FAR[:2], *far_away]))
    np.testing.assert_array_equal(two, four)
    fitted = replace(observe_blocks(2), scales=(7.0,)).of(observe_blocks(4))
    assert fitted == replace(observe_blocks(4), scales=(7.0,))
    with pytest.raises(ValueError, match="do not fit"):
        observe_blocks(2).of(observe_blocks(4, velocities=(8,)))


def test_without_a_hand_offsets_from_it_are_left_out():
    inputs = replace(observe_blocks(3), hand=None)
    assert len(inputs) == len(inputs(state(HAND, PLACES[:3], FAR[:3])))


@pytest.mark.parametrize(
    "changes",
    [
        {"goals": (0,), "firsts": (5,)},
        {"goals": (0, 4)},
        {"firsts": (5, -1)},
        {"own": (9,)},
        {"shared": (13,)},
        {"hand": 11},
        {"heights": (3,)},
        {"dim": 0},
        {"distances": (0.3, 0.1)},
        {"distances": (0.0, 0.1)},
        {"scales": (0.0,)},
    ],
)
def test_what_does_not_exist_is_refused(changes):
    with pytest.raises(ValueError, match=r"component|scales|do not"):
        ComponentInputs(**{**vars(observe_blocks(2)), **changes})
