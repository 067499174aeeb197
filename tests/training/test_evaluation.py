import json
from dataclasses import replace

import numpy as np
import pytest
from builders import is_one_line, point_expert, point_policy, random_episode
from small_runs import SMALL

from headstart.data.goals import GoalRegions
from headstart.envs.make import make_env
from headstart.envs.toy import PointReach
from headstart.errors import InputError
from headstart.rollout.job import EVALUATION, EpisodeJob, run_episode
from headstart.runs.train import train
from headstart.training.evaluation import EvalResult, Part, evaluate, summarize, wilson_interval
from headstart.training.metrics import evaluation_metrics

POINT = "PointReach-v0"


@pytest.mark.parametrize(
    ("successes", "trials", "expected"),
    [
        # Computed apart from this library; the 81 of 263 are the example of Newcombe (1998).
        (81, 263, (0.2553, 0.3662)),
        (15, 148, (0.0624, 0.1605)),
        (0, 20, (0.0, 0.1611)),
        (1, 29, (0.0061, 0.1718)),
        (50, 50, (0.9287, 1.0)),
        (0, 1, (0.0, 0.7935)),
        (1, 1, (0.2065, 1.0)),
    ],
)
def test_the_interval_is_wilsons(successes, trials, expected):
    assert wilson_interval(successes, trials) == pytest.approx(expected, abs=5e-5)


def test_the_interval_of_all_or_none_ends_exactly_there():
    for trials in range(1, 600):
        assert wilson_interval(trials, trials)[1] == 1.0
        assert wilson_interval(0, trials)[0] == 0.0


def test_the_interval_covers_the_rate_and_narrows_with_more_episodes():
    for trials in (1, 7, 50):
        for successes in range(trials + 1):
            low, high = wilson_interval(successes, trials)
            assert 0.0 <= low < high <= 1.0
            # At 0 and 100% a bound is the rate itself, up to rounding.
            assert low - 1e-12 <= successes / trials <= high + 1e-12
            low_more, high_more = wilson_interval(100 * successes, 100 * trials)
            assert high_more - low_more < high - low


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    for truth in (0.1, 0.5, 0.9):
        counts = rng.binomial(50, truth, 2000)
        intervals = np.array([wilson_interval(int(count), 50) for count in counts])
        covered = (intervals[:, 0] <= truth) & (truth <= intervals[:, 1])
        assert 0.92 < covered.mean() < 0.98


def episode_with(is_success, goal=(0.0, 0.0)):
    episode = random_episode(np.random.default_rng(0), len(is_success), goal_dim=len(goal))
    goals = np.tile(np.array(goal, np.float32), (len(is_success), 1))
    return replace(episode, is_success=np.array(is_success, bool), desired_goals=goals)


def test_success_counts_at_the_last_step_and_ever_at_any():
    episodes = [
        episode_with([0, 0, 1, 1]),
        episode_with([1, 1, 1, 0]),
        episode_with([0, 0, 0, 0]),
        episode_with([0, 0, 0, 1]),
    ]
    result = summarize(POINT, 7, episodes)
    assert result == EvalResult(
        env_id=POINT,
        seed=7,
        episodes=4,
        success_rate=0.5,
        interval=wilson_interval(2, 4),
        success_ever_rate=0.75,
        steps_to_success=3.0,
        parts={},
    )
    assert summarize(POINT, 0, [episodes[2]]).steps_to_success is None


def test_what_the_environment_says_of_ends_is_counted():
    episodes = [
        replace(episode_with([1]), strict_success=True),
        replace(episode_with([1]), strict_success=False, failure="never mind"),
        replace(episode_with([0]), strict_success=False, failure="dropped"),
        episode_with([0]),
    ]
    result = summarize(POINT, 0, episodes, failed=1)
    assert (result.strict_success_rate, result.endings) == (0.2, {"dropped": 1})
    assert summarize(POINT, 0, [episode_with([1])]).strict_success_rate is None
    assert evaluation_metrics(result, 0.0)["eval/strict_success_rate"] == 0.2


def test_goals_in_the_air_and_on_the_table_are_counted_apart():
    regions = GoalRegions(coordinate=2, threshold=0.4257, above="air", below="table")
    table, air = (1.3, 0.7, 0.4249), (1.3, 0.7, 0.6)
    episodes = [
        episode_with([1], table),
        episode_with([0], table),
        episode_with([0], table),
        episode_with([1], air),
    ]
    parts = summarize(POINT, 0, episodes, regions=regions).parts
    assert parts == {"air": Part(1.0, 1), "table": Part(pytest.approx(1 / 3), 3)}
    assert summarize(POINT, 0, episodes[:2], regions=regions).parts == {"table": Part(0.5, 2)}


def test_an_evaluation_is_what_its_episodes_came_to():
    seen = []
    result = evaluate(point_expert, POINT, episodes=10, seed=3, on_episode=seen.append)
    env = make_env(POINT)
    jobs = [EpisodeJob(point_expert, 3, EVALUATION, index) for index in range(10)]
    assert seen == [run_episode(env, job) for job in jobs]
    assert all(job.env_seed % 2 == 0 for job in jobs)
    assert result == summarize(POINT, 3, seen)
    assert result.success_rate == 1.0


@pytest.mark.usefixtures("forked_collectors")
def test_the_result_does_not_depend_on_collectors():
    policy = point_policy()
    here = evaluate(policy, POINT, episodes=15, seed=1)
    for collectors in (1, 3):
        assert evaluate(policy, POINT, episodes=15, seed=1, collectors=collectors) == here


def test_an_evaluation_is_greedy():
    policy, seen = point_policy(), []
    evaluate(policy, POINT, episodes=2, on_episode=seen.append)
    for episode in seen:
        actions = policy(
            {
                "observation": episode.observations[:-1],
                "achieved_goal": episode.achieved_goals[:-1],
                "desired_goal": episode.desired_goals,
            }
        )
        np.testing.assert_allclose(episode.actions, actions, rtol=0, atol=1e-5)


def test_a_result_becomes_plain_json():
    result = evaluate(point_expert, POINT, episodes=4)
    parsed = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert {"success_rate", "interval", "episodes"} <= parsed.keys()
    assert parsed["interval"] == list(result.interval)


@pytest.mark.parametrize("episodes", [0, -1])
def test_an_evaluation_needs_episodes(episodes):
    with pytest.raises(ValueError, match=f"episodes.*{episodes}"):
        evaluate(point_policy(), POINT, episodes=episodes)


@pytest.mark.slow
def test_regions_declared_to_train_are_those_of_a_later_evaluation(tmp_path):
    config = SMALL.with_({"env_steps": 60, "task.goal_regions.coordinate": 0})
    result = train(POINT, config, out=tmp_path / "run")
    for policy in (result, result.policy, tmp_path / "run"):
        assert {*evaluate(policy).parts} == {"above", "below"}
    elsewhere = evaluate(result.policy, PointReach, env_kwargs={"max_episode_steps": 5})
    assert elsewhere.parts == {}
    hostile = {"config": {"task": {"goal_regions": {"coordinate": [2]}}}}
    metadata = {**result.policy.metadata, **hostile}
    with pytest.raises(InputError, match=r"goal_regions\.coordinate must be an integer") as caught:
        evaluate(replace(result.policy, metadata=metadata))
    assert is_one_line(str(caught.value))
