"""One job is one episode: what the environment did, whatever ran before, or an error."""

import subprocess
import sys
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
from builders import point_expert, point_policy, random_policy

from headstart.demos.experts import expert_for
from headstart.envs.make import make_env
from headstart.envs.toy import PointReach
from headstart.errors import RunError
from headstart.rollout.exploration import GREEDY, Exploration
from headstart.rollout.job import EVALUATION, VALIDATION, EpisodeJob, run_episode

NOISY = Exploration(noise=0.3, random_action=0.2)


def job_of(index=0, *, policy=None, seed=0, stream="rollout", exploration=NOISY):
    return EpisodeJob(policy or point_policy(), seed, stream, index, exploration)


class Recorded(gym.Wrapper):
    """The real environment, with a list of the actions it was sent."""

    def __init__(self, env):
        super().__init__(env)
        self.actions = []

    def step(self, action):
        self.actions.append(np.array(action))
        return self.env.step(action)


class InPlace(PointReach):
    """An env that reuses its arrays and clips the action in place, as simulators do."""

    def __init__(self):
        super().__init__()
        self._buffers = {key: np.zeros(2, np.float32) for key in self.observation_space}

    def step(self, action):
        result = super().step(action)
        action[:] = 0.0
        return result

    def _observe(self):
        for key, value in super()._observe().items():
            self._buffers[key][:] = value
        return self._buffers


def test_an_episode_is_what_the_environment_did():
    env = make_env("PointReach-v0")
    job = job_of(3)
    episode = run_episode(env, job)
    assert len(episode) == 30
    observation, _ = env.reset(seed=job.env_seed)
    for step, action in enumerate(episode.actions):
        np.testing.assert_array_equal(
            episode.observations[step], observation["observation"].astype(np.float32)
        )
        np.testing.assert_array_equal(
            episode.desired_goals[step], observation["desired_goal"].astype(np.float32)
        )
        observation, _, terminated, _, info = env.step(action)
        np.testing.assert_array_equal(
            episode.achieved_goals[step + 1], observation["achieved_goal"].astype(np.float32)
        )
        assert episode.terminated[step] == terminated
        assert episode.is_success[step] == info["is_success"]


def test_the_same_job_gives_the_same_episode_whatever_ran_before():
    env = make_env("PointReach-v0")
    first = run_episode(env, job_of(5))
    for other in (job_of(6), job_of(5, seed=1), job_of(5, stream="demos"), job_of(0)):
        assert run_episode(env, other) != first
    env.step(env.action_space.sample())
    assert run_episode(env, job_of(5)) == first
    assert run_episode(make_env("PointReach-v0"), job_of(5)) == first


@pytest.mark.slow
@pytest.mark.parametrize("env_id", ["FetchReach-v4", "FetchPickAndPlace-v4"])
def test_the_same_job_gives_the_same_fetch_episode_whatever_ran_before(env_id):
    env = make_env(env_id)
    expert = expert_for(env_id)
    first = run_episode(env, job_of(5, policy=expert))
    assert run_episode(env, job_of(6, policy=expert)) != first
    assert run_episode(env, job_of(5, policy=expert)) == first
    assert run_episode(make_env(env_id), job_of(5, policy=expert)) == first


def test_an_env_that_reuses_its_arrays_gives_the_same_episode():
    env = gym.wrappers.TimeLimit(InPlace(), 30)
    expected = run_episode(make_env("PointReach-v0"), job_of(2))
    episode = run_episode(env, job_of(2))
    np.testing.assert_array_equal(episode.actions, expected.actions)
    np.testing.assert_array_equal(episode.desired_goals, expected.desired_goals)
    np.testing.assert_array_equal(episode.observations, expected.observations)


def test_exploration_draws_do_not_depend_on_the_policy():
    env = make_env("PointReach-v0")
    all_random = Exploration(random_action=1.0)
    one = run_episode(env, job_of(policy=point_policy(0), exploration=all_random))
    two = run_episode(env, job_of(policy=point_policy(1), exploration=all_random))
    assert one == two


def test_a_greedy_episode_takes_the_policys_own_actions():
    policy = point_policy()
    episode = run_episode(make_env("PointReach-v0"), job_of(policy=policy, exploration=GREEDY))
    for step, action in enumerate(episode.actions):
        observation = {
            "observation": episode.observations[step],
            "achieved_goal": episode.achieved_goals[step],
            "desired_goal": episode.desired_goals[step],
        }
        np.testing.assert_allclose(action, policy(observation), rtol=0, atol=1e-6)


def test_termination_ends_the_episode_and_is_distinguished_from_the_time_limit():
    env = make_env("BitFlip-v0")

    def solve(observation):
        wrong = observation["observation"] != observation["desired_goal"]
        return wrong.astype(np.float32)

    def wait(observation):
        right = observation["observation"] == observation["desired_goal"]
        return right.astype(np.float32) - (np.arange(8) == 0)

    solved = run_episode(env, job_of(policy=solve, exploration=GREEDY))
    distance = int((solved.observations[0] != solved.desired_goals[0]).sum())
    assert len(solved) == distance
    assert solved.success
    np.testing.assert_array_equal(solved.terminated, np.arange(distance) == distance - 1)
    unsolved = run_episode(env, job_of(policy=wait, exploration=GREEDY))
    assert len(unsolved) == 8
    assert not unsolved.terminated.any()


def test_success_is_recorded_at_the_step_that_reached_the_goal():
    episode = run_episode(make_env("PointReach-v0"), job_of(policy=point_expert))
    distance = np.linalg.norm(episode.achieved_goals[1:] - episode.desired_goals, axis=1)
    np.testing.assert_array_equal(episode.is_success, distance <= PointReach.threshold)


def nan_policy():
    policy = point_policy()
    weight, bias = policy.layers[-1]
    return replace(policy, layers=(*policy.layers[:-1], (weight, bias * np.nan)))


def nan_function(observation):
    return np.full(2, np.nan, np.float32)


def half_nan_function(observation):
    return np.array([np.nan, 0.0], np.float32)


@pytest.mark.parametrize("policy", [nan_policy(), nan_function, half_nan_function])
@pytest.mark.parametrize("exploration", [GREEDY, Exploration(noise=0.1)])
def test_an_action_that_is_not_finite_is_never_executed(policy, exploration):
    env = Recorded(make_env("PointReach-v0"))
    with pytest.raises(RunError, match="not finite"):
        run_episode(env, job_of(policy=policy, exploration=exploration))
    assert env.actions == []


def test_mujoco_would_have_hidden_what_is_refused_here():
    env = Recorded(make_env("FetchReach-v4"))
    job = job_of(policy=lambda _: np.full(4, np.nan, np.float32), exploration=GREEDY)
    with pytest.raises(RunError, match="not finite"):
        run_episode(env, job)
    assert env.actions == []


def test_learning_choosing_and_testing_never_share_an_env_seed():
    drawn = {
        stream: {
            job_of(index, seed=seed, stream=stream).env_seed
            for index in range(500)
            for seed in (0, 1)
        }
        for stream in ("rollout", "demos", "evaluations", VALIDATION, EVALUATION)
    }
    assert [len(seeds) for seeds in drawn.values()] == [1000] * 5
    assert {seed % 4 for seed in drawn.pop(EVALUATION)} == {0}
    assert {seed % 4 for seed in drawn.pop(VALIDATION)} == {2}
    learning = set().union(*drawn.values())
    assert {seed % 2 for seed in learning} == {1}
    assert len(learning) == 3000
    assert 0 <= min(learning) <= max(learning) < 2**32


def test_a_collector_never_imports_torch():
    program = "import headstart.rollout.collector, sys; print('torch' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout == "False\n"


def test_a_policy_for_another_environment_fails_before_the_first_step():
    env = Recorded(make_env("PointReach-v0"))
    misfit = random_policy(np.random.default_rng(0), observation_dim=10, goal_dim=3, action_dim=4)
    with pytest.raises(ValueError, match=r"shape|broadcast|dimension|size"):
        run_episode(env, job_of(policy=misfit))
    assert env.actions == []
