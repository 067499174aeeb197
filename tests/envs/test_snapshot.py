"""Simulator states: what is restored has the future of what was saved, bit for bit."""

from itertools import chain, repeat

import numpy as np
import pytest
from builders import is_one_line

from headstart.envs.make import make_env
from headstart.envs.restoring import check_restores
from headstart.envs.snapshot import require_restorable, restorable
from headstart.errors import InputError
from headstart.rollout.exploration import Exploration
from headstart.rollout.job import Constant, EpisodeJob, run_episode
from headstart.rollout.task_source import EpisodeTask, Start

STEPS = 30
FETCH = ["FetchReach-v4", "FetchPush-v4", "FetchPickAndPlace-v4", "FetchSlide-v4"]
HAND = [
    "HandReach-v3",
    "HandManipulateBlock-v1",
    "HandManipulateBlockRotateZ-v1",
    "HandManipulateBlockRotateParallel-v1",
    "HandManipulateBlockRotateXYZ-v1",
    "HandManipulateBlockFull-v1",
    "HandManipulateEgg-v1",
    "HandManipulateEggRotate-v1",
    "HandManipulatePen-v1",
    "HandManipulatePenRotate-v1",
    "HandManipulateBlock_ContinuousTouchSensors-v1",
    "HandManipulateEgg_BooleanTouchSensors-v1",
]
MAZES = ["PointMaze_UMaze-v3", "AntMaze_UMaze-v5"]
RANDOM = Exploration(random_action=1.0)


def record_episode(env, index=0):
    still = Constant(np.zeros(env.action_space.shape, np.float32))
    return run_episode(env, EpisodeJob(still, 0, "test", index, RANDOM, snapshots=True))


class Replayed:
    """The actions of an episode from a given step on, and then the last of them again."""

    def __init__(self, actions):
        self.actions = chain(actions, repeat(actions[-1]))

    def __call__(self, observation):
        return next(self.actions)


def start_of(episode, step, goal):
    return Start(episode.snapshots[step], episode.observations[step],
                 episode.achieved_goals[step], goal)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("env_id", FETCH + HAND + MAZES)
def test_any_state_restored_and_replayed_gives_the_same_bits(env_id):
    env = make_env(f"{env_id},max_episode_steps={STEPS}")
    episode = record_episode(env)
    other = make_env(f"{env_id},max_episode_steps={STEPS}")
    record_episode(other, index=1)  # It has run something else before.
    for step in (0, 7):
        start = start_of(episode, step, episode.desired_goals[0])
        policy = Replayed(episode.actions[step:])
        again = run_episode(other, EpisodeJob(policy, 1, "test", 5, task=EpisodeTask(start=start)))
        left = STEPS - step
        np.testing.assert_array_equal(again.observations[: left + 1], episode.observations[step:])
        np.testing.assert_array_equal(
            again.achieved_goals[: left + 1], episode.achieved_goals[step:]
        )
        np.testing.assert_array_equal(again.desired_goals[:left], episode.desired_goals[step:])
        np.testing.assert_array_equal(again.is_success[:left], episode.is_success[step:])


@pytest.mark.slow
@pytest.mark.parametrize("env_id", FETCH + HAND + MAZES)
def test_it_is_restored_in_double_precision(env_id):
    env = make_env(env_id)
    env.reset(seed=3)
    env.action_space.seed(0)
    actions = [env.action_space.sample() for _ in range(20)]
    states = restorable(env)
    for action in actions[:8]:
        env.step(action)
    saved = states.save_state()
    first = [env.step(action)[0] for action in actions[8:]]
    env.reset(seed=4)
    states.restore_state(saved)
    for action, expected in zip(actions[8:], first, strict=True):
        observation = env.step(action)[0]
        for key, array in expected.items():
            np.testing.assert_array_equal(observation[key], array)


@pytest.mark.parametrize("env_id", ["FetchPush-v4", "HandReach-v3", "PointMaze_UMaze-v3"])
def test_an_episode_from_a_state_may_have_another_goal(env_id):
    env = make_env(env_id)
    episode = record_episode(env)
    goal = episode.achieved_goals[-1] + np.float32(0.01)
    start = start_of(episode, 3, goal)
    again = run_episode(env, EpisodeJob(Replayed(np.zeros_like(env.action_space.low)[None].repeat(
        len(episode), 0)), 0, "test", 0, task=EpisodeTask(start=start)))  # fmt: skip
    assert (again.desired_goals == goal).all()
    own = env.get_wrapper_attr("compute_reward")
    reached = own(again.achieved_goals[1:], again.desired_goals, {}) == env_best(env_id)
    np.testing.assert_array_equal(again.is_success, reached)


def env_best(env_id):
    return 1.0 if "Maze" in env_id else 0.0


def test_states_of_an_environment_that_saves_its_own():
    env = make_env("PointReach-v0")
    check_restores(env)
    assert restorable(env) is env.unwrapped
    episode = record_episode(env)
    np.testing.assert_array_equal(episode.snapshots[:, :2].astype(np.float32), episode.observations)


def test_an_environment_that_cannot_is_refused_by_name():
    with pytest.raises(InputError, match="the state of BitFlip-v0 cannot be restored") as caught:
        require_restorable(make_env("BitFlip-v0"))
    assert is_one_line(str(caught.value))
    assert "save_state()" in str(caught.value)
    assert record_episode(make_env("BitFlip-v0")).snapshots.shape[1] == 0


def test_a_snapshot_of_another_width_is_refused():
    env = make_env("FetchReach-v4")
    env.reset(seed=0)
    with pytest.raises(InputError, match="holds 7 numbers") as caught:
        restorable(env).restore_state(np.zeros(7))
    assert is_one_line(str(caught.value))
