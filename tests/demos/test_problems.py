"""Each problem and remark, provoked in real demonstrations."""

from dataclasses import replace

import numpy as np
import pytest
from builders import point_expert, random_episode
from changed_demos import all_of, bound_actions, change_episode, failing

from headstart.demos.experts import expert_for
from headstart.demos.inspect import inspect_demos
from headstart.demos.record import collect_demos
from headstart.demos.storage import DemoSet

STEPS = 30


@pytest.fixture(scope="module")
def good() -> DemoSet:
    return collect_demos("PointReach-v0", point_expert, episodes=20)


def test_good_demonstrations_have_no_problem(good):
    report = inspect_demos(good)
    assert report["problems"] == report["remarks"] == []
    assert report["duplicate_episodes"] == 0
    assert report["distinct_tasks"] == report["distinct_starts"] == report["distinct_goals"] == 20


@pytest.mark.parametrize("count", [1, 7])
def test_failures_are_a_problem_with_numbers(good, count):
    (problem,) = inspect_demos(failing(good, count))["problems"]
    assert problem.startswith(f"{count} of 20 episodes do not end in success: the Q-filter")
    assert "--keep-failures" in problem
    imported = replace(failing(good, count), header={"imported_from": "old.npz"})
    (problem,) = inspect_demos(imported)["problems"]
    assert "--keep-failures" not in problem


def test_failures_after_success_are_distinguished(good):
    lost = np.ones(STEPS, bool)
    lost[-2:] = False
    report = inspect_demos(change_episode(failing(good, 2), 5, is_success=lost))
    assert report["success_lost_episodes"] == 1
    printed = "3 of 20 episodes do not end in success (1 of them reach their goal and lose it)"
    assert report["problems"][0].startswith(printed)


def test_without_any_success_the_environment_is_doubted(good):
    (problem,) = inspect_demos(failing(good, 20))["problems"]
    assert problem.startswith("none of 20 episodes ends in success")
    assert "PointReach-v0" in problem


def test_copies_are_a_problem_and_other_ways_to_a_goal_are_none(good):
    first = good.episodes[0]
    copied = replace(good, episodes=(*good.episodes, first, first))
    report = inspect_demos(copied)
    assert report["duplicate_episodes"] == 2
    assert report["distinct_tasks"] == 20
    (problem,) = report["problems"]
    assert problem.startswith("2 of 22 episodes are copies")
    other = replace(first, actions=-first.actions)
    report = inspect_demos(replace(good, episodes=(*good.episodes, other)))
    assert report["duplicate_episodes"] == 0
    assert report["distinct_tasks"] == 20 < report["episodes"]
    assert report["problems"] == []


def test_many_successes_at_once_are_a_problem_and_a_few_are_none(good):
    def at_once(count):
        demos = all_of(good, is_success=lambda ep: np.arange(STEPS) > 5)
        for index in range(count):
            demos = change_episode(demos, index, is_success=np.ones(STEPS, bool))
        return inspect_demos(demos)

    assert at_once(7)["success_at_once_episodes"] == 7
    assert at_once(7)["problems"] == []
    (problem,) = at_once(8)["problems"]
    assert problem.startswith("8 of 20 episodes succeed at the first step")


def test_an_action_that_never_changes_is_a_remark_where_the_task_succeeds(good):
    still = all_of(good, actions=lambda ep: ep.actions * [0, 1] + [0.25, 0])
    report = inspect_demos(still)
    assert report["dead_action_dimensions"] == [0]
    assert report["action_saturated_share"][0] == report["action_std"][0] == 0.0
    assert report["problems"] == []
    assert report["remarks"] == ["Action 0 is always 0.25: right if the task does not need it."]


def test_an_action_that_never_changes_is_a_problem_where_most_episodes_fail(good):
    still = all_of(good, actions=lambda ep: ep.actions * [1, 0])
    assert len(inspect_demos(failing(still, 10))["remarks"]) == 1
    report = inspect_demos(failing(still, 11))
    assert report["remarks"] == []
    assert any(
        text.startswith("action dimensions [1] never change, with 11 failed episodes: ")
        for text in report["problems"]
    )


def test_actions_beyond_the_bounds_are_a_problem(good):
    narrow = bound_actions(good, [[-1.0, -1.0], [1.0, 0.999]])
    beyond = sum(episode.actions[:, 1].tolist().count(1.0) for episode in good.episodes)
    (problem,) = inspect_demos(narrow)["problems"]
    assert problem.startswith(f"{beyond} of 600 actions are beyond the bounds")
    assert inspect_demos(bound_actions(good, [[-1.0, -1.0], [1.0, 1.0]]))["problems"] == []
    assert inspect_demos(bound_actions(good, None))["problems"] == []


def test_a_single_failure_is_not_a_plural(good):
    still = failing(all_of(good, actions=lambda ep: ep.actions * [1, 0]).first(1), 1)
    problems = inspect_demos(still)["problems"]
    assert any("never change, with 1 failed episode:" in problem for problem in problems)


def test_a_single_goal_is_a_remark(good):
    goal = good.episodes[0].desired_goals
    report = inspect_demos(all_of(good, desired_goals=lambda ep: goal))
    assert report["distinct_goals"] == 1
    assert report["goal_gap"] is None
    assert report["remarks"] == ["All episodes have the same goal: right if the task has only one."]
    assert inspect_demos(good.first(1))["remarks"] == []


def test_a_part_without_a_goal_is_a_problem_of_large_files():
    rng = np.random.default_rng(0)
    episodes = tuple(random_episode(rng, 5, goal_dim=3) for _ in range(12))
    demos = DemoSet("FetchPickAndPlace-v4", episodes)
    on_table = all_of(demos, desired_goals=lambda ep: np.full((5, 3), 0.42, np.float32))
    report = inspect_demos(on_table)
    assert report["parts"]["air"] == {"episodes": 0, "success_rate": None}
    printed = "no goal of 12 episodes lies in the part called air"
    assert any(printed in problem for problem in report["problems"])
    assert not any("part called" in text for text in inspect_demos(on_table.first(9))["problems"])


@pytest.mark.slow
@pytest.mark.parametrize("env_id", ["FetchReach-v4", "FetchPickAndPlace-v4"])
def test_the_demonstrations_of_the_experts_have_no_problem(env_id):
    demos = collect_demos(env_id, expert_for(env_id), episodes=12)
    assert inspect_demos(demos)["problems"] == []
