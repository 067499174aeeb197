"""Gymnasium-Robotics, sampled for real: relabelled rewards and ends are the environments' own."""

import re
from functools import cache
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from headstart.data.hindsight import HindsightSampler
from headstart.data.replay import EpisodeReplay
from headstart.envs.check import check_env
from headstart.envs.goal_env import GoalReward, GoalSpec
from headstart.envs.make import make_env
from headstart.rollout.exploration import GREEDY, Exploration
from headstart.rollout.job import Constant, EpisodeJob, run_episode

PAGE = Path(__file__).parents[2] / "docs" / "environments.md"
RANDOM = Exploration(random_action=1.0)
SPARSE = [
    "FetchReach-v4",
    "FetchPush-v4",
    "FetchPickAndPlace-v4",
    "FetchSlide-v4",
    "HandReach-v3",
    "HandManipulateBlock-v1",
    "PointMaze_UMaze-v3",
    "PointMaze_UMaze-v3,continuing_task=false",
    "PointMaze_Medium-v3",
    "PointMaze_Medium-v3,continuing_task=false",
    "AntMaze_UMaze-v5",
]
DENSE = [
    "FetchReachDense-v4",
    "FetchPushDense-v4",
    "FetchPickAndPlaceDense-v4",
    "FetchSlideDense-v4",
]
MAZES = ["PointMaze_UMaze-v3", "PointMaze_Medium-v3"]
MAZE_RADIUS = 0.45  # of a goal


def read_table():
    """The rows of the table of environments in the documentation, by environment."""
    rows = re.findall(r"^\| `([A-Z]\w+-v\d[^`]*)` \|(.*)\|$", PAGE.read_text(), flags=re.M)
    return {env_id: [cell.strip() for cell in cells.split("|")] for env_id, cells in rows}


@cache
def spec_of(env_id):
    return GoalSpec.from_env(make_env(env_id))


def random_episodes(env_id, count):
    env = make_env(env_id)
    still = Constant(np.zeros(env.action_space.shape, np.float32))
    jobs = [EpisodeJob(still, 0, "test", index, RANDOM) for index in range(count)]
    return [run_episode(env, job) for job in jobs]


def batch_of(env_id, episodes, relabel_fraction):
    """512 rows; the same ones for every fraction."""
    sampler = HindsightSampler(
        EpisodeReplay.from_episodes(episodes),
        GoalReward(make_env(env_id), spec_of(env_id)),
        relabel_fraction=relabel_fraction,
        rng=np.random.default_rng(0),
    )
    return sampler.sample(512)


def own_reward_and_end(env_id, batch):
    """What the environment itself says of each row on its own."""
    env = make_env(env_id).unwrapped
    rows = list(zip(batch.next_achieved_goal, batch.desired_goal, strict=True))
    reward = [float(env.compute_reward(*row, {})) for row in rows]
    return np.array(reward), np.array([float(env.compute_terminated(*row, {})) for row in rows])


@pytest.mark.slow
@pytest.mark.parametrize("env_id", SPARSE + DENSE)
def test_relabelled_rows_earn_what_the_environment_says(env_id):
    episodes = random_episodes(env_id, 3)
    batch = batch_of(env_id, episodes, 0.8)
    reward, terminated = own_reward_and_end(env_id, batch)
    np.testing.assert_allclose(batch.reward, reward, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(batch.terminated, terminated)
    as_it_was = batch_of(env_id, episodes, 0.0)
    np.testing.assert_array_equal(as_it_was.action, batch.action)
    changed = np.mean(batch.reward != as_it_was.reward)
    if env_id in DENSE:
        assert changed > 0.6
        assert len(np.unique(batch.reward)) > 50
    else:
        # A row whose goal is the state right after it is always rewarded again.
        assert changed > 0.01
        assert set(batch.reward.tolist()) == set(spec_of(env_id).reward_range)
    low, high = spec_of(env_id).reward_range
    assert low <= batch.reward.min() <= batch.reward.max() <= high


@pytest.mark.parametrize("env_id", SPARSE + DENSE)
def test_what_is_detected_is_what_the_documentation_says(env_id):
    spec = spec_of(env_id)
    low, high = (f"{bound:g}" if np.isfinite(bound) else "no bound" for bound in spec.reward_range)
    assert read_table()[env_id] == [
        str(spec.observation_dim),
        str(spec.goal_dim),
        str(spec.action_dim),
        str(spec.max_episode_steps),
        f"{low} to {high}",
        "yes" if spec.terminates else "no",
    ]
    assert set(spec.action_low) == {-1.0}
    assert set(spec.action_high) == {1.0}
    assert spec.vectorized
    assert spec.reward_info_keys == ()


def test_every_documented_environment_is_tested():
    assert set(read_table()) == {*SPARSE, *DENSE}


@pytest.mark.slow
@pytest.mark.parametrize("env_id", ["FetchReach-v4", "HandReach-v3", "AntMaze_UMaze-v5"])
def test_nothing_is_said_against_them(env_id):
    found = check_env(env_id)
    assert (found.problems, found.advice) == ((), ())


class NextDoor(gym.Wrapper):
    """A maze whose goal lies in the cell beside the start."""

    def reset(self, *, seed=None, options=None):
        cells = {"reset_cell": np.array([1, 1]), "goal_cell": np.array([1, 2])}
        return self.env.reset(seed=seed, options=cells)


def straight_on(observation):
    """Push the ball towards the goal, and brake."""
    way = observation["desired_goal"] - observation["achieved_goal"]
    velocity = observation["observation"][2:]
    return np.clip(5.0 * way - 2.0 * velocity, -1.0, 1.0).astype(np.float32)


def solved_episodes(env_id, count):
    env = NextDoor(make_env(env_id))
    jobs = [EpisodeJob(straight_on, 0, "test", index, GREEDY) for index in range(count)]
    return [run_episode(env, job) for job in jobs]


@pytest.mark.parametrize("maze", MAZES)
def test_an_episodic_maze_ends_at_its_goal(maze):
    env_id = f"{maze},continuing_task=false"
    assert spec_of(env_id).terminates
    episodes = solved_episodes(env_id, 6)
    lengths = [len(episode) for episode in episodes]
    assert max(lengths) < 100 < spec_of(env_id).max_episode_steps
    assert len(set(lengths)) > 1
    for episode in episodes:
        away = np.linalg.norm(episode.achieved_goals[1:] - episode.desired_goals, axis=1)
        np.testing.assert_array_equal(episode.terminated, away <= MAZE_RADIUS)
        np.testing.assert_array_equal(episode.is_success, episode.terminated)
        assert episode.success


@pytest.mark.slow
@pytest.mark.parametrize("maze", MAZES)
def test_episodes_of_different_lengths_share_a_replay(maze):
    env_id = f"{maze},continuing_task=false"
    episodes = [*solved_episodes(env_id, 6), *random_episodes(env_id, 1)]
    replay = EpisodeReplay(2000, observation_dim=4, goal_dim=2, action_dim=2)
    for episode in episodes:
        replay.add(episode)
    assert replay.num_transitions == sum(len(episode) for episode in episodes)
    starts = np.cumsum([0, *(len(episode) + 1 for episode in episodes)])[:-1]
    for start, episode in zip(starts, episodes, strict=True):
        rows = np.arange(start, start + len(episode))
        np.testing.assert_array_equal(replay.steps_left(rows), np.arange(len(episode), 0, -1))
        np.testing.assert_array_equal(replay.observations[rows], episode.observations[:-1])
        np.testing.assert_array_equal(replay.terminated[rows], episode.terminated)
    batch = batch_of(env_id, episodes, 0.8)
    reward, terminated = own_reward_and_end(env_id, batch)
    np.testing.assert_array_equal(batch.reward, reward)
    np.testing.assert_array_equal(batch.terminated, terminated)
    # Row by row the end is where the reward is; the maze's own answer to a batch is one number.
    np.testing.assert_array_equal(batch.terminated, batch.reward)
    assert 0.05 < batch.terminated.mean() < 0.95


@pytest.mark.parametrize("maze", MAZES)
def test_a_continuing_maze_continues_at_its_goal(maze):
    assert not spec_of(maze).terminates
    (episode,) = solved_episodes(maze, 1)
    assert len(episode) == spec_of(maze).max_episode_steps
    assert not episode.terminated.any()
    assert episode.is_success.mean() > 0.5
    assert not batch_of(maze, [episode], 0.8).terminated.any()
