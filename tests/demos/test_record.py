import numpy as np
import pytest
from builders import is_one_line, point_expert, point_policy

from headstart.demos.experts import expert_for
from headstart.demos.record import collect_demos
from headstart.envs.goal_env import GoalSpec
from headstart.envs.make import make_env
from headstart.errors import InputError
from headstart.rollout.job import EpisodeJob, run_episode

POINT = "PointReach-v0"


def half_hearted(observation):
    """Reach goals on the right, and stand still when the goal is on the left."""
    return point_expert(observation) * np.float32(observation["desired_goal"][0] > 0.0)


def stand_still(observation):
    return np.zeros(2, np.float32)


def test_as_many_demonstrations_as_asked_and_all_successful():
    demos = collect_demos(POINT, half_hearted, episodes=12)
    assert demos.env_id == POINT
    assert len(demos.episodes) == 12
    assert demos.success_rate == 1.0
    assert all(episode.desired_goals[0, 0] > 0.0 for episode in demos.episodes)


def test_each_demonstration_can_be_run_again_from_its_number():
    demos = collect_demos(POINT, half_hearted, episodes=6, seed=4)
    indices = demos.header["episode_indices"]
    assert len(indices) == 6
    assert indices == sorted(set(indices))
    assert indices != list(range(6))
    env = make_env(POINT)
    for index, episode in zip(indices, demos.episodes, strict=True):
        job = EpisodeJob(half_hearted, demos.header["seed"], "demos", index)
        assert run_episode(env, job) == episode


def test_failures_are_kept_when_asked():
    demos = collect_demos(POINT, half_hearted, episodes=30, keep_failures=True)
    assert demos.header["episode_indices"] == list(range(30))
    assert 0.2 < demos.success_rate < 0.9


def test_seeds_decide_and_nothing_else():
    first = collect_demos(POINT, point_expert, episodes=3, seed=1)
    assert collect_demos(POINT, point_expert, episodes=3, seed=1) == first
    assert collect_demos(POINT, point_expert, episodes=3, seed=2).episodes != first.episodes
    longer = collect_demos(POINT, point_expert, episodes=5, seed=1)
    assert longer.episodes[:3] == first.episodes


def test_the_result_does_not_depend_on_collectors():
    policy = point_policy()
    here = collect_demos(POINT, policy, episodes=7, seed=3, keep_failures=True)
    for collectors in (1, 2):
        there = collect_demos(
            POINT, policy, episodes=7, seed=3, keep_failures=True, collectors=collectors
        )
        assert there == here


@pytest.mark.mujoco
def test_fetch_demonstrations_do_not_depend_on_collectors():
    expert = expert_for("FetchReach-v4")
    here = collect_demos("FetchReach-v4", expert, episodes=3)
    assert collect_demos("FetchReach-v4", expert, episodes=3, collectors=2) == here
    assert here.success_rate == 1.0
    assert here.header["expert"] == "fetch_reach"


def test_every_kept_episode_is_announced():
    announced = []
    demos = collect_demos(POINT, half_hearted, episodes=5, on_episode=announced.append)
    assert tuple(announced) == demos.episodes


def test_an_expert_that_never_succeeds_is_told_instead_of_running_for_ever():
    with pytest.raises(InputError, match="only 0 of 20 episodes on PointReach-v0") as caught:
        collect_demos(POINT, stand_still, episodes=5, seed=11)
    assert is_one_line(str(caught.value))
    assert "--keep-failures" in str(caught.value)


@pytest.mark.parametrize("episodes", [0, -3])
def test_asking_for_no_episode_is_refused(episodes):
    with pytest.raises(InputError, match=f"episodes must be at least 1, got {episodes}"):
        collect_demos(POINT, point_expert, episodes=episodes)


def test_demonstrations_fit_the_environment_they_were_recorded_on_by_any_of_its_names():
    # The part before the colon says where the environment is registered, not which it is.
    for env_id in (POINT, f"headstart.envs.make:{POINT}"):
        demos = collect_demos(env_id, point_expert, episodes=1)
        demos.check_fits(GoalSpec.from_env(make_env(env_id)))
