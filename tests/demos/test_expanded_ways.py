"""The ways of a hand in demonstrations that are made of others."""

from dataclasses import replace

import numpy as np
from carrying import Carrying, Demonstrator
from expanding import STEPS, demonstrate, expand

from headstart.demos.expansion.flight import APPROACH, flown
from headstart.demos.expansion.route import Route
from headstart.demos.expansion.skill import read_skill
from headstart.demos.expansion.workspace import Workspace
from headstart.envs.goal_env import GoalSpec
from headstart.envs.make import make_env


def test_a_command_in_the_middle_keeps_the_fingers_as_they_are():
    options = {"blocks": 2, "stacked": True, "max_episode_steps": 150}
    workspace = Workspace.of(GoalSpec.from_env(make_env(Carrying, **options)))
    (episode,) = demonstrate(**options).episodes
    changes = np.flatnonzero(np.diff(episode.actions[:, 3])) + 1
    kept = np.zeros(len(episode))
    for first in (0, *changes):
        kept[first : first + 2] = episode.actions[first, 3]
    actions = np.column_stack([episode.actions[:, :3], kept])
    told, full = (read_skill(it, workspace) for it in (replace(episode, actions=actions), episode))
    assert told.moves == full.moves
    np.testing.assert_array_equal(np.sign(told.others[:, 3]), np.sign(full.others[:, 3]))


def test_letting_go_of_what_falls_is_not_taken_for_grasping_it():
    demos = demonstrate(Demonstrator(drop=0.08))
    workspace = Workspace.of(GoalSpec.from_env(make_env(Carrying, **STEPS)))
    (episode,) = demos.episodes
    (move,) = read_skill(episode, workspace).moves
    closes, opens = np.flatnonzero(np.diff(episode.actions[:, 3])) + 1
    assert (move.grab, move.place) == (closes, opens)
    assert expand(demos).success_rate == 1.0


def test_a_hand_leaves_upwards_and_not_to_where_the_next_block_was():
    options = {"blocks": 2, "stacked": True, "max_episode_steps": 150}
    demos = expand(demonstrate(**options), env_kwargs=options, episodes=6)
    for episode in demos.episodes:
        hand, (first, second) = episode.observations[:, :3], (slice(0, 3), slice(3, 6))
        placed = np.linalg.norm(
            (episode.achieved_goals - episode.desired_goals[0])[:, first], axis=1
        )
        let_go = np.flatnonzero(placed < 0.01)[0]
        low = hand[let_go:, 2] < hand[let_go, 2] + 0.04
        away = np.linalg.norm(hand[let_go:, :2] - hand[let_go, :2], axis=1)
        assert away[: np.argmin(low)].max(initial=0.0) < 0.02
        assert np.ptp(episode.achieved_goals[:, second], axis=0).max() > 0.1


def straight_route(start, end, count=20):
    """Return a flight of a hand alone between two points."""
    hand = np.linspace(start, end, count)
    return Route(
        hand=hand,
        object=hand,
        others=np.zeros((count, 4)),
        is_careful=np.zeros(count, bool),
        is_held=np.zeros(count, bool),
        follows=np.zeros(count),
        dwell=np.zeros(count, np.int64),
        flight=np.full(count, APPROACH),
        turns=np.zeros(count),
    )


def test_a_hand_flies_over_what_is_in_its_way():
    route = straight_route([0.0, 0.0, 0.0], [1.0, 0.0, 0.0]).dense(0.05)
    flight = flown(route, np.array([[0.5, 0.03, 0.1], [0.5, 3.0, 1.0]]), 2, stride=0.05)
    over = np.abs(flight.hand[:, 0] - 0.5) < 0.1
    assert flight.hand[over, 2].min() > 0.1 + 0.05
    assert flight.hand[[0, -1], 2].tolist() == [0.0, 0.0]
    assert np.all(np.diff(flight.hand[:, 0]) >= 0.0)
    assert not flight.turns.any()


def test_beside_another_object_a_hand_comes_straight_down():
    route = straight_route([0.0, 0.0, 0.0], [1.0, 0.0, 0.0]).dense(0.05)
    flight = flown(route, np.array([[1.06, 0.0, 0.1]]), 2, stride=0.05)
    low = flight.hand[:, 2] < 0.1 + 0.05
    near = flight.hand[:, 0] > 0.9
    np.testing.assert_allclose(flight.hand[low & near, 0], 1.0, atol=0.02)
    (corner,) = np.flatnonzero(flight.turns)
    assert flight.hand[corner, 2] > 0.1 + 0.05
    assert flight.is_careful[near].all()


def test_with_noise_what_was_wanted_is_kept():
    demos = expand(demonstrate(), episodes=4, noise=0.1)
    assert demos.header["noise"] == 0.1
    (episode, *_) = demos.episodes
    moved = np.diff(episode.observations[:, :3], axis=0) / 0.05
    off = (moved - episode.actions[:, :3])[np.abs(episode.actions[:, :3]).max(axis=1) < 0.7]
    assert 0.05 < off.std() < 0.15
