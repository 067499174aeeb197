import numpy as np
import pytest
from builders import is_one_line, point_expert, point_policy

from headstart.demos.experts import expert_for
from headstart.demos.record import CollectingInterrupted, collect_demos
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
        job = EpisodeJob(half_hearted, demos.header["seed"], "demos", index, snapshots=True)
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


@pytest.mark.usefixtures("forked_collectors")
def test_the_result_does_not_depend_on_collectors():
    policy = point_policy()
    here = collect_demos(POINT, policy, episodes=7, seed=3, keep_failures=True)
    for collectors in (1, 2):
        there = collect_demos(
            POINT, policy, episodes=7, seed=3, keep_failures=True, collectors=collectors
        )
        assert there == here


@pytest.mark.usefixtures("forked_collectors")
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


def test_an_expert_that_never_succeeds_is_reported_instead_of_running_for_ever():
    with pytest.raises(InputError, match="only 0 of 20 episodes on PointReach-v0") as caught:
        collect_demos(POINT, stand_still, episodes=5, seed=11)
    assert is_one_line(str(caught.value))
    assert "--keep-failures" in str(caught.value)


@pytest.mark.parametrize("episodes", [0, -3])
def test_asking_for_no_episode_is_refused(episodes):
    with pytest.raises(InputError, match=f"episodes must be at least 1, got {episodes}"):
        collect_demos(POINT, point_expert, episodes=episodes)


def test_a_negative_seed_is_refused():
    with pytest.raises(InputError, match="seed must not be negative, got -1"):
        collect_demos(POINT, point_expert, episodes=1, seed=-1)


def test_demonstrations_fit_the_environment_they_were_recorded_on_by_any_of_its_names():
    # The part before the colon says where the environment is registered, not which it is.
    for env_id in (POINT, f"headstart.envs.make:{POINT}"):
        demos = collect_demos(env_id, point_expert, episodes=1)
        demos.check_fits(GoalSpec.from_env(make_env(env_id)))


def test_with_noise_the_demonstrations_keep_what_the_expert_wanted():
    demos = collect_demos(POINT, point_expert, episodes=4, noise=0.5, keep_failures=True)
    assert demos.header["noise"] == 0.5
    for episode in demos.episodes:
        wanted = [
            point_expert({"achieved_goal": here, "desired_goal": goal})
            for here, goal in zip(episode.achieved_goals, episode.desired_goals, strict=False)
        ]
        np.testing.assert_allclose(episode.actions, wanted, atol=1e-5)


def test_noise_has_the_size_asked_for():
    demos = collect_demos(POINT, stand_still, episodes=40, noise=0.3, keep_failures=True)
    moved = np.concatenate([np.diff(ep.observations, axis=0) for ep in demos.episodes])
    inside = np.abs(np.concatenate([ep.observations[1:] for ep in demos.episodes])) < 0.999
    # A step moves by a tenth of the action.
    assert np.std(moved[inside] / 0.1) == pytest.approx(0.3, rel=0.1)


def test_snapshots_may_be_left_out():
    kept, bare = (
        collect_demos(POINT, point_expert, episodes=1, snapshots=s) for s in (True, False)
    )
    assert kept.episodes[0].snapshots.shape == (31, 4)
    assert bare.episodes[0].snapshots.shape == (31, 0)


def test_a_policy_demonstrates_too():
    policy = point_policy()
    demos = collect_demos(POINT, policy, episodes=2, keep_failures=True)
    first = demos.episodes[0]
    state = {"observation": first.observations[0], "achieved_goal": first.achieved_goals[0]}
    action = policy({**state, "desired_goal": first.desired_goals[0]})
    np.testing.assert_allclose(first.actions[0], action, atol=1e-6)


def test_what_is_finished_survives_an_interrupt():
    seen = []

    def interrupt(episode):
        seen.append(episode)
        if len(seen) == 4:
            raise KeyboardInterrupt

    with pytest.raises(CollectingInterrupted) as caught:
        collect_demos(POINT, half_hearted, episodes=9, seed=2, on_episode=interrupt)
    assert caught.value.demos == collect_demos(POINT, half_hearted, episodes=4, seed=2)


def test_an_interrupt_before_the_first_demonstration_stays_a_plain_one():
    def interrupt(observation):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        collect_demos(POINT, interrupt, episodes=2)
    assert not isinstance(caught.value, CollectingInterrupted)
