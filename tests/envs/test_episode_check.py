"""What finished episodes show of their environment, and what of them is refused."""

import logging
from dataclasses import replace

import numpy as np
import pytest
from builders import is_one_line, point_expert, unpaid
from named import build_named, spec_of

from headstart.data.hindsight import HindsightSampler
from headstart.data.replay import EpisodeReplay
from headstart.envs.episode_check import EpisodeCheck
from headstart.envs.goal_env import GoalReward, GoalSpec
from headstart.envs.task import TaskConfig
from headstart.errors import InputError
from headstart.rollout.exploration import Exploration
from headstart.rollout.job import EpisodeJob, run_episode

SOME = Exploration(random_action=0.5)


def episodes_of(name, count, exploration=SOME, policy=point_expert):
    env, keys = build_named(name), spec_of(name).reward_info_keys
    jobs = [EpisodeJob(policy, 0, "test", index, exploration, keys) for index in range(count)]
    return [run_episode(env, job) for job in jobs]


def to_the_corner(observation):
    return np.clip(10.0 * (-0.8 - observation["achieved_goal"]), -1.0, 1.0)


def check_of(name, **task):
    config = TaskConfig(**task)
    env = build_named(name)
    reward = GoalReward(env, GoalSpec.from_env(env, config))
    return EpisodeCheck(reward, config.unexplained_reward)


def batch_of(check, episodes, relabel_fraction=0.8, count=2000):
    return HindsightSampler(
        EpisodeReplay.from_episodes(episodes),
        check.reward,
        relabel_fraction=relabel_fraction,
        rng=np.random.default_rng(0),
    ).sample(count)


def at_goal(batch, threshold=0.5):
    return np.linalg.norm(batch.next_achieved_goal - batch.desired_goal, axis=1) <= threshold


def test_the_first_episode_that_ends_at_its_goal_shows_that_goals_end_episodes():
    check, episodes = check_of("StopsSilently"), episodes_of("StopsSilently", 20)
    assert check.reward.terminates is None
    stored = [check(episode) for episode in episodes]
    assert check.reward.terminates
    batch = batch_of(check, stored)
    # One target for each state, action and goal, whether the goal is the episode's own or not.
    np.testing.assert_array_equal(batch.terminated > 0, at_goal(batch))
    assert 100 < batch.terminated.sum() < 1900


def test_the_first_episode_that_continues_at_its_goal_shows_that_goals_end_nothing():
    check = check_of("Reach")
    for episode in episodes_of("Reach", 3):
        assert check(episode) is episode
    assert check.reward.terminates is False


def test_a_demonstration_that_continues_shows_nothing_of_the_environment():
    check, (episode, *_) = check_of("StopsSilently"), episodes_of("Reach", 3)
    assert episode.is_success[:-1].any()
    check(episode, is_demo=True)
    assert check.reward.terminates is None


def test_an_end_that_the_reward_does_not_show_is_learned_from_as_if_it_continued(caplog):
    env = build_named("DenseEnding")
    reward = GoalReward(env, replace(spec_of("DenseEnding"), terminates=None))
    check = EpisodeCheck(reward)
    stored = [check(episode) for episode in episodes_of("DenseEnding", 10)]
    assert reward.terminates is False
    assert not np.concatenate([episode.terminated for episode in stored]).any()
    assert not batch_of(check, stored).terminated.any()
    (said,) = caplog.messages
    assert said.endswith("add compute_terminated(achieved_goal, desired_goal, info)")


def test_an_end_some_steps_after_the_goal_is_named_so(caplog):
    check = check_of("StopsLate")
    ended = [
        episode
        for episode in episodes_of("StopsLate", 10)
        if episode.success and episode.terminated[-1]
    ]
    assert ended
    for episode in ended:
        check(episode)
    assert check.reward.terminates is False
    (said,) = caplog.messages
    assert is_one_line(said)
    assert "ended only some steps after it had reached its goal" in said
    assert "best" not in said


def test_an_end_that_is_declared_and_does_not_come_is_reported_once(caplog):
    check = check_of("GoesOn")
    for episode in episodes_of("GoesOn", 3):
        assert episode.is_success[:-1].any()
        check(episode)
    assert check.reward.terminates
    (said,) = caplog.messages
    assert is_one_line(said)
    assert "an episode continued at its goal, where" in said
    assert "--task.success-terminates False" in said


@pytest.mark.parametrize("ended_first", [True, False])
def test_ends_at_some_goals_only_are_learned_from_as_if_all_continued(caplog, ended_first):
    check = check_of("StopsSilently")
    ended, continued = episodes_of("StopsSilently", 4), episodes_of("Reach", 4)
    assert all(episode.terminated[-1] and episode.success for episode in ended)
    assert continued[-1].is_success[:-1].any()
    episodes = [*ended, *continued] if ended_first else [*continued, *ended]
    with caplog.at_level(logging.WARNING):
        stored = [check(episode) for episode in [*episodes, *episodes]]
    assert check.reward.terminates is False
    # The rows that were stored before the contradiction too.
    assert not batch_of(check, stored).terminated.any()
    (said,) = caplog.messages
    assert is_one_line(said)
    assert said == (
        "StopsSilently-v0: some episodes end at their goal and others continue: values are "
        "learned as if all continued; if goals end episodes, add "
        "compute_terminated(achieved_goal, desired_goal, info), or declare "
        "--task.success-terminates True"
    )


def test_what_ends_an_episode_can_be_declared_from_outside():
    spec = GoalSpec.from_env(build_named("StopsSilently"), TaskConfig(success_terminates=True))
    assert spec.terminates
    assert not spec.asks_terminated
    spec = GoalSpec.from_env(build_named("SaysItEnds"), TaskConfig(success_terminates=False))
    assert spec.terminates is False


def test_falls_stay_ends_and_an_end_at_the_time_limit_is_none():
    check = check_of("Falling")
    left = episodes_of("Falling", 6, policy=lambda _: np.array([-1.0, 0.0]), exploration=SOME)
    fell = [episode for episode in left if episode.terminated[-1]]
    assert fell
    for episode in fell:
        assert check(episode).terminated[-1] == (len(episode) < 30)
    late = unpaid(episodes_of("Reach", 1)[0])
    ended = replace(late, terminated=np.arange(30) == 29, is_success=np.zeros(30, bool))
    assert not check(ended).terminated.any()


def test_one_target_also_where_step_continues_at_what_compute_terminated_calls_an_end():
    check = check_of("SaysItEnds")
    batch = batch_of(check, [check(episode) for episode in episodes_of("SaysItEnds", 10)])
    np.testing.assert_array_equal(batch.terminated > 0, at_goal(batch))


def test_what_step_alone_pays_is_refused_in_the_first_episode_that_shows_it():
    check, episodes = check_of("Bumpy"), episodes_of("Bumpy", 20)
    bumps = [bool((episode.rewards < -1.0).any()) for episode in episodes]
    assert 0 < sum(bumps) < 20
    for episode, bump in zip(episodes, bumps, strict=True):
        if not bump:
            check(episode)
    with pytest.raises(InputError, match=r"step paid -[56] where compute_reward says") as caught:
        check(episodes[bumps.index(True)])
    assert is_one_line(str(caught.value))


def test_what_step_alone_pays_can_be_added_to_every_goal_or_left_out():
    episodes = episodes_of("Bumpy", 20)
    bumps = np.concatenate([episode.rewards for episode in episodes]) < -1.0
    add, ignore = (check_of("Bumpy", unexplained_reward=how) for how in ("add", "ignore"))
    added = batch_of(add, [add(episode) for episode in episodes])
    lost = -5.0 * (np.linalg.norm(added.next_achieved_goal - 0.5, axis=1) < 0.2)
    np.testing.assert_allclose(added.reward, at_goal(added) - 1.0 + lost)
    assert (lost < 0).any()
    assert bumps.any()
    assert add.reward.reward_range == (-6.0, 0.0)
    left_out = batch_of(ignore, [ignore(episode) for episode in episodes])
    assert set(left_out.reward.tolist()) == {-1.0, 0.0}


def test_a_penalty_of_step_alone_at_the_goal_leaves_it_the_goal_that_ends_the_episode():
    check, episodes = check_of("StopsSilently", unexplained_reward="add"), []
    for episode in episodes_of("StopsSilently", 5):
        charged = episode.rewards - np.float32(0.5) * episode.is_success
        episodes.append(check(replace(episode, rewards=charged)))
    assert check.reward.terminates
    batch = batch_of(check, episodes)
    np.testing.assert_array_equal(batch.terminated > 0, at_goal(batch))


def test_an_episode_whose_rewards_are_not_known_passes():
    check = check_of("Bumpy")
    for episode in episodes_of("Bumpy", 20):
        check(unpaid(episode))


def test_a_declared_range_that_is_false_is_refused_by_the_first_reward_outside():
    check = check_of("Reach", reward_range=(0.0, 1.0))
    with pytest.raises(InputError, match=r"reward of -1 lies outside of the declared reward_range"):
        check(episodes_of("Reach", 1)[0])


def test_a_range_that_was_detected_is_widened_and_reported_once(caplog):
    check = check_of("Swamp")
    assert check.reward.reward_range == (-1.0, 0.0)
    with caplog.at_level(logging.WARNING):
        for episode in episodes_of("Swamp", 5, policy=to_the_corner):
            check(episode)
    assert check.reward.reward_range == (-8.0, 0.0)
    (record,) = caplog.records
    assert "a reward of -8 lies outside" in record.message


def test_a_reward_on_the_border_in_float32_is_not_a_contradiction():
    check = check_of("Reach")
    episode = episodes_of("Reach", 1, policy=lambda _: np.zeros(2), exploration=Exploration())[0]
    goal = episode.achieved_goals[0] + np.array([0.5, 0.0], np.float32)
    paid = check.reward(episode.achieved_goals[1:], np.repeat(goal[None], 30, axis=0))[0]
    for rewards in (paid, -1.0 - paid):
        on_border = replace(
            episode, desired_goals=np.repeat(goal[None], 30, axis=0), rewards=rewards
        )
        check(on_border)
    away = replace(on_border, desired_goals=on_border.desired_goals + np.float32(0.01))
    with pytest.raises(InputError, match="step paid"):
        check(replace(away, rewards=np.zeros(30)))


def test_an_end_that_is_declared_and_that_a_dense_reward_does_not_show_is_reported(caplog):
    check = check_of("DenseEnding")
    for episode in episodes_of("DenseEnding", 10):
        check(episode)
    (said,) = caplog.messages
    assert is_one_line(said)
    assert "below the best reward" in said
    assert said.endswith("add compute_terminated(achieved_goal, desired_goal, info)")
