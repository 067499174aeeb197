import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from builders import point_expert, random_episode
from changed_demos import all_of, bound_actions, failing

from headstart.demos.inspect import inspect_demos
from headstart.demos.record import collect_demos
from headstart.demos.storage import DemoSet

STEPS = 30


def hesitant(observation):
    """Go to the goal at less than full speed, on the right half of the square only."""
    away = observation["desired_goal"][0] < 0.0
    return point_expert(observation) * np.float32(0.0 if away else 0.7)


@pytest.fixture(scope="module")
def demos() -> DemoSet:
    """Real episodes, some of which fail, and some of which lose their goal again."""
    return collect_demos(
        "PointReach-v0", hesitant, episodes=24, seed=3, noise=0.3, keep_failures=True
    )


@pytest.fixture(scope="module")
def good() -> DemoSet:
    return collect_demos("PointReach-v0", point_expert, episodes=20)


def spread(values):
    ordered = sorted(values)
    count = len(ordered)
    middle = (ordered[(count - 1) // 2] + ordered[count // 2]) / 2
    return {"min": ordered[0], "median": middle, "max": ordered[-1]}


def close(values):
    return pytest.approx(values, rel=1e-4, abs=1e-6)


def test_the_report_is_plain_json(demos):
    report = inspect_demos(demos)
    assert json.loads(json.dumps(report, allow_nan=False)) == report


def test_origin_is_what_the_header_says(demos):
    report = inspect_demos(demos)
    assert report["env_id"] == "PointReach-v0"
    assert (report["expert"], report["noise"]) == ("hesitant", 0.3)
    assert report["imported_from"] is report["format"] is None
    assert report["snapshots"] is True
    header = {"imported_from": "old.npz", "format": "baselines", "remarks": ["Cut 3 episodes."]}
    bare = all_of(replace(demos, header=header), snapshots=lambda ep: ep.snapshots[:, :0])
    report = inspect_demos(bare)
    assert (report["imported_from"], report["format"]) == ("old.npz", "baselines")
    assert report["remarks"] == ["Cut 3 episodes."]
    assert report["expert"] is report["noise"] is None
    assert report["snapshots"] is False


def test_success_and_lengths_are_counted(demos):
    report = inspect_demos(demos)
    at_goal = [
        [
            float(np.hypot(*(state - episode.desired_goals[0]))) <= 0.05
            for state in episode.achieved_goals[1:]
        ]
        for episode in demos.episodes
    ]
    first = [steps.index(True) + 1 for steps in at_goal if any(steps)]
    lost = [any(one and not other for one, other in pairwise(steps)) for steps in at_goal]
    failed = sum(not steps[-1] for steps in at_goal)
    assert 0 < failed < 24
    assert 0 < sum(lost) < 24
    assert failed > 24 - len(first) > 0, "no episode loses its goal for good"
    assert report["episodes"] == 24
    assert report["transitions"] == 24 * STEPS
    assert report["shortest"] == report["longest"] == STEPS
    assert report["failed_episodes"] == failed
    assert report["success_rate"] == close(1 - failed / 24)
    assert report["success_ever_rate"] == close(len(first) / 24)
    assert report["success_lost_episodes"] == sum(lost)
    assert report["success_at_once_episodes"] == first.count(1)
    assert report["steps_to_success"] == spread(first)
    assert report["median_steps_to_success"] == spread(first)["median"]


def test_lengths_are_the_shortest_and_the_longest():
    rng = np.random.default_rng(0)
    episodes = tuple(random_episode(rng, steps) for steps in (4, 1, 7))
    report = inspect_demos(DemoSet("PointReach-v0", episodes))
    assert (report["shortest"], report["longest"], report["transitions"]) == (1, 7, 12)


def test_without_a_success_there_is_no_time_to_it(good):
    report = inspect_demos(failing(good, 20))
    assert report["steps_to_success"] is report["median_steps_to_success"] is None
    assert report["success_ever_rate"] == 0.0


def test_coverage_is_that_of_goals_and_starts(demos):
    report = inspect_demos(demos)
    goals = [episode.desired_goals[0].tolist() for episode in demos.episodes]
    starts = [episode.achieved_goals[0].tolist() for episode in demos.episodes]
    ends = [episode.achieved_goals[-1].tolist() for episode in demos.episodes]

    def distance(one, other):
        return ((one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2) ** 0.5

    gaps = [min(distance(one, two) for two in goals if two != one) for one in goals]
    assert report["goal_gap"] == close(spread(gaps))
    away = [distance(*pair) for pair in zip(starts, goals, strict=True)]
    assert report["start_distance"] == close(spread(away))
    left = [distance(*pair) for pair in zip(ends, goals, strict=True)]
    assert report["final_distance"] == close(spread(left))
    for name, places in (("goal", goals), ("start", starts)):
        assert report[f"{name}_low"] == close([min(column) for column in zip(*places, strict=True)])
        assert report[f"{name}_high"] == close(
            [max(column) for column in zip(*places, strict=True)]
        )


def test_a_start_is_where_the_goal_space_is_entered_too(good):
    """The observation of an ant in a maze does not show where it is."""
    blind = all_of(good, observations=lambda ep: np.zeros_like(ep.observations))
    report = inspect_demos(blind)
    assert report["distinct_starts"] == len(good.episodes)
    same_way = all_of(
        blind,
        desired_goals=lambda ep: np.zeros_like(ep.desired_goals),
        actions=lambda ep: np.zeros_like(ep.actions),
    )
    assert inspect_demos(same_way)["duplicate_episodes"] == 0


@pytest.mark.filterwarnings("error")
def test_numbers_at_the_ends_of_float32_are_reported_without_a_warning(good):
    ends = np.float32([3e38, -3e38])
    wild = all_of(good, observations=lambda ep: np.resize(ends, ep.observations.shape[::-1]).T)
    assert inspect_demos(wild)["dead_observation_dimensions"] == 0


def test_gaps_are_between_goals_that_differ(good):
    doubled = replace(good, episodes=good.episodes + good.episodes)
    assert inspect_demos(doubled)["goal_gap"] == inspect_demos(good)["goal_gap"]
    assert inspect_demos(good.first(1))["goal_gap"] is None


def test_of_many_goals_some_are_measured_against_all():
    steps = np.arange(4001, dtype=np.float32)
    places = np.stack([steps + (steps > 3000), 0 * steps], axis=1)
    rng = np.random.default_rng(0)
    start = random_episode(rng, 1)
    episodes = tuple(replace(start, desired_goals=place[None]) for place in places)
    report = inspect_demos(DemoSet("PointReach-v0", episodes))
    assert report["distinct_goals"] == 4001
    assert report["goal_gap"] == {"min": 1.0, "median": 1.0, "max": 1.0}


def test_actions_are_measured_dimension_by_dimension(demos):
    report = inspect_demos(bound_actions(demos, None))
    columns = list(zip(*[row for ep in demos.episodes for row in ep.actions.tolist()], strict=True))
    shares = []
    for dimension, column in enumerate(columns):
        low, high = min(column), max(column)
        mean = sum(column) / len(column)
        std = (sum((value - mean) ** 2 for value in column) / len(column)) ** 0.5
        edge = 0.01 * (high - low)
        at_edge = sum(value <= low + edge or value >= high - edge for value in column)
        shares.append(at_edge / len(column))
        assert report["action_low"][dimension] == close(low)
        assert report["action_high"][dimension] == close(high)
        assert report["action_std"][dimension] == close(std)
    assert 0.0 < shares[0] < 1.0
    assert shares[0] != shares[1]
    assert report["action_saturated_share"] == close(shares)
    assert report["saturated_share"] == pytest.approx(sum(shares) / 2, abs=1e-4)
    assert report["dead_action_dimensions"] == []
    assert report["action_bound_low"] is report["action_bound_high"] is None
    assert report["actions_beyond_bounds"] == 0


def test_saturation_is_that_of_the_environment_where_its_bounds_are_known(demos):
    actions = np.concatenate([episode.actions for episode in demos.episodes])
    wide = inspect_demos(bound_actions(demos, [[-9.0, -9.0], [9.0, 9.0]]))
    assert wide["saturated_share"] == 0.0
    assert (wide["action_bound_low"], wide["action_bound_high"]) == ([-9.0] * 2, [9.0] * 2)
    assert wide["actions_beyond_bounds"] == 0
    # At the bounds, within a hundredth of the range, and beyond.
    low, high = float(np.float32(0.1)), 0.5
    narrow = inspect_demos(bound_actions(demos, [[low, -9.0], [high, 9.0]]))
    edge = 0.01 * (high - low)
    saturated = [value <= low + edge or value >= high - edge for value in actions[:, 0].tolist()]
    assert 0.0 < np.mean(saturated) < 1.0
    assert narrow["action_saturated_share"] == close([np.mean(saturated), 0.0])
    beyond = sum(value < low or value > high for value in actions[:, 0].tolist())
    assert narrow["actions_beyond_bounds"] == beyond > 0
    assert narrow["action_high"] == wide["action_high"]


def test_saturation_does_not_depend_on_units(demos):
    scaled = all_of(demos, actions=lambda ep: ep.actions * np.array([1.0, 50.0], np.float32))
    before, after = (inspect_demos(bound_actions(some, None)) for some in (demos, scaled))
    assert before["action_saturated_share"] == after["action_saturated_share"]


def test_observations_that_never_change_are_counted(good):
    assert inspect_demos(good)["dead_observation_dimensions"] == 0
    still = all_of(good, observations=lambda ep: ep.observations * np.array([0, 1], np.float32))
    report = inspect_demos(still)
    assert (report["observation_dim"], report["dead_observation_dimensions"]) == (2, 1)


def test_parts_of_the_goal_space_are_distinguished():
    rng = np.random.default_rng(0)
    episodes = [random_episode(rng, 5, goal_dim=3) for _ in range(12)]
    heights = [episode.desired_goals[0, 2] for episode in episodes]
    ends = np.array([episode.success for episode in episodes])
    in_air = np.array([height > 0.4257 for height in heights])
    report = inspect_demos(DemoSet("FetchPickAndPlace-v4", tuple(episodes)))
    assert report["parts"] == {
        "air": {"episodes": in_air.sum(), "success_rate": close(ends[in_air].mean())},
        "table": {"episodes": (~in_air).sum(), "success_rate": close(ends[~in_air].mean())},
    }
    assert inspect_demos(DemoSet("FetchPush-v4", tuple(episodes)))["parts"] == {}


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ({"coordinate": 0, "above": "up\x1b[2J", "below": "down"}, {"up?[2J", "down"}),
        ({"coordinate": 3}, set()),
        ({"coordinate": True}, set()),
        ({"coordinate": 10**400}, set()),
        ({"coordinate": 0, "threshold": "0"}, set()),
        ({"entry": 0}, set()),
        ([0], set()),
    ],
)
def test_regions_are_those_that_the_file_says_as_far_as_they_are_some(written, parts):
    episodes = (random_episode(np.random.default_rng(0), 5, goal_dim=3),)
    demos = DemoSet("FetchPickAndPlace-v4", episodes, {"goal_regions": written})
    assert {*inspect_demos(demos)["parts"]} == parts


@pytest.mark.parametrize("noise", [float("nan"), float("inf"), -1.0, True, "0.3", [0.3], 10**400])
def test_a_noise_that_is_none_is_not_reported(good, noise):
    assert inspect_demos(replace(good, header={"noise": noise}))["noise"] is None


def test_text_of_a_file_cannot_steer_a_terminal(good):
    header = {"expert": "\x1b[31mred", "remarks": ["two\nlines", 3], "imported_from": {"a": 1}}
    header["joined"] = [3, {"file": "a\nb"}, {"file": 4}, {}]
    report = inspect_demos(replace(good, env_id="Point\rReach", header=header))
    assert report["expert"] == "?[31mred"
    assert report["remarks"] == ["two lines", "3"]
    assert report["imported_from"] is None
    assert report["joined_from"] == ["a b"]
    assert report["env_id"] == "Point Reach"
    assert inspect_demos(replace(good, header={"remarks": 5}))["remarks"] == []


@pytest.mark.parametrize("goal_dim", [0, 1, 20])
@pytest.mark.parametrize("action_dim", [0, 1, 20])
@pytest.mark.parametrize("lengths", [[1], [3, 1, 8]])
@pytest.mark.filterwarnings("error")
def test_every_width_and_length_has_a_report(goal_dim, action_dim, lengths):
    rng = np.random.default_rng(0)
    episodes = tuple(
        random_episode(rng, steps, goal_dim=goal_dim, action_dim=action_dim) for steps in lengths
    )
    # A name with parts distinguishes them by a dimension that other files may not have.
    report = inspect_demos(DemoSet("FetchPickAndPlace-v4", episodes))
    assert len(report["goal_low"]) == goal_dim
    assert len(report["action_std"]) == action_dim
    json.dumps(report, allow_nan=False)
