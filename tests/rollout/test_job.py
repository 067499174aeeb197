import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from builders import is_one_line, point_expert, point_policy, random_policy

from headstart.data.replay import EpisodeReplay
from headstart.demos.experts import expert_for
from headstart.envs.make import make_env
from headstart.envs.toy import PointReach
from headstart.errors import InputError
from headstart.rollout.executors import make_executor
from headstart.rollout.exploration import GREEDY, Exploration
from headstart.rollout.job import EVALUATION, Constant, EpisodeJob, run_episode

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


@pytest.mark.mujoco
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


def test_termination_ends_the_episode_and_is_told_apart_from_the_time_limit():
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
    with pytest.raises(FloatingPointError, match="not finite"):
        run_episode(env, job_of(policy=policy, exploration=exploration))
    assert env.actions == []


@pytest.mark.mujoco
def test_mujoco_would_have_hidden_what_is_refused_here():
    env = Recorded(make_env("FetchReach-v4"))
    job = job_of(policy=lambda _: np.full(4, np.nan, np.float32), exploration=GREEDY)
    with pytest.raises(FloatingPointError, match="not finite"):
        run_episode(env, job)
    assert env.actions == []


def test_evaluation_and_training_never_share_an_env_seed():
    training = {
        job_of(index, seed=seed, stream=stream).env_seed
        for index in range(500)
        for seed in (0, 1)
        for stream in ("rollout", "demos", "evaluations")
    }
    evaluation = {
        job_of(index, seed=seed, stream=EVALUATION).env_seed
        for index in range(500)
        for seed in (0, 1)
    }
    assert {seed % 2 for seed in training} == {1}
    assert {seed % 2 for seed in evaluation} == {0}
    assert len(training) == 3000
    assert len(evaluation) == 1000
    assert min(training | evaluation) >= 0
    gym.utils.seeding.np_random(max(training | evaluation))


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_random_actions_come_as_often_as_asked_and_fill_the_range(share):
    low, high = np.array([-1.0, 2.0], np.float32), np.array([1.0, 6.0], np.float32)
    explore, rng = Exploration(random_action=share), np.random.default_rng(0)
    center = np.array([0.0, 4.0], np.float32)
    actions = np.stack([explore(center, low, high, rng) for _ in range(4000)])
    is_random = (actions != center).any(axis=1)
    assert abs(is_random.mean() - share) <= 4 * np.sqrt(share * (1 - share) / 4000)
    if share == 1.0:
        np.testing.assert_allclose(actions.min(axis=0), low, atol=0.02)
        np.testing.assert_allclose(actions.max(axis=0), high, atol=0.02)
        np.testing.assert_allclose(actions.mean(axis=0), center, atol=0.1)


def test_noise_is_a_share_of_half_the_range_and_stays_inside():
    low, high = np.array([-1.0, 0.0], np.float32), np.array([1.0, 20.0], np.float32)
    explore, rng = Exploration(noise=0.2), np.random.default_rng(0)
    center = np.array([0.0, 10.0], np.float32)
    actions = np.stack([explore(center, low, high, rng) for _ in range(10_000)])
    np.testing.assert_allclose(actions.std(axis=0), [0.2, 2.0], rtol=0.03)
    at_edge = np.stack([explore(high, low, high, rng) for _ in range(100)])
    assert (at_edge <= high).all()
    assert actions.dtype == np.float32


def test_greedy_actions_are_clipped_to_the_action_range():
    low, high = np.full(2, -1.0, np.float32), np.full(2, 1.0, np.float32)
    action = GREEDY(np.array([3.0, -0.5]), low, high, np.random.default_rng(0))
    np.testing.assert_array_equal(action, [1.0, -0.5])


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


def defective_job(index=0, *, keys=(), policy=None, exploration=NOISY):
    policy = policy or Constant(np.array([0.3, -0.2], np.float32))
    return EpisodeJob(policy, 0, "rollout", index, exploration, keys)


@pytest.fixture(params=[0, 1], ids=["here", "in a collector"])
def run_in(request, monkeypatch):
    """Run a job on an environment of ``envs.defective``, in this process or in a collector."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))

    def run(name, job):
        with make_executor(f"envs.defective:{name}-v0", request.param) as executor:
            (pending,) = executor.submit([job])
            return pending.result()

    return run


def test_what_the_reward_reads_of_info_is_kept(run_in):
    episode = run_in("Force", defective_job(keys=("force", "is_success")))
    assert episode.reward_infos.shape == (30, 2)
    assert episode.reward_infos.dtype == np.float32
    force, is_success = episode.reward_infos.T
    np.testing.assert_allclose(force, np.linalg.norm(episode.actions, axis=1), rtol=1e-6)
    np.testing.assert_array_equal(is_success, episode.is_success.astype(np.float32))


def test_nothing_is_kept_of_info_that_no_reward_reads(run_in):
    assert run_in("Force", defective_job()).reward_infos.shape == (30, 0)


REFUSED = [
    ("GoalJumps", "the goal changes within the episode, at step 5: hindsight needs one goal"),
    ("NotANumber", "holds NaN or infinity"),
    ("NotAGoal", "holds NaN or infinity"),
    ("WideGoal", "episode.desired_goals and episode.achieved_goals differ in width"),
]


@pytest.mark.parametrize(("name", "told"), REFUSED)
def test_an_episode_that_cannot_be_learned_from_is_refused_with_its_seed(run_in, name, told):
    job = defective_job()
    with pytest.raises(InputError) as caught:
        run_in(name, job)
    assert str(caught.value).startswith(f"{name}-v0, episode with seed {job.env_seed}: ")
    assert told in str(caught.value)
    assert is_one_line(str(caught.value))


@pytest.mark.parametrize("name", ["NotANumber", "NotAGoal"])
def test_nan_that_a_policy_sees_is_blamed_on_the_environment(run_in, name):
    with pytest.raises(InputError, match=f"^{name}-v0, episode with seed .*NaN"):
        run_in(name, defective_job(policy=point_policy()))


def test_what_the_reward_reads_and_step_leaves_out_is_named(run_in):
    with pytest.raises(InputError, match=r"^ForceAtTimes-v0, episode with seed .*'force'"):
        run_in("ForceAtTimes", defective_job(keys=("force",)))


def test_a_collector_runs_on_after_an_episode_that_was_refused(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))

    with make_executor("envs.defective:GoalJumpsLeft-v0", 1) as executor:
        outcomes = []
        for pending in executor.submit([defective_job(index) for index in range(12)]):
            try:
                outcomes.append(len(pending.result()))
            except InputError as error:
                outcomes.append(str(error))
    refused = [outcome for outcome in outcomes if isinstance(outcome, str)]
    assert 0 < len(refused) < 12
    assert all("the goal changes within the episode" in told for told in refused)
    assert {outcome for outcome in outcomes if isinstance(outcome, int)} == {30}


def test_replay_is_unharmed_by_an_episode_that_is_refused():
    env = make_env("envs.defective:GoalJumpsLeft-v0")
    replay = EpisodeReplay(400, observation_dim=2, goal_dim=2, action_dim=2)
    stored = []
    for index in range(12):
        before = replay.num_transitions
        try:
            episode = run_episode(env, defective_job(index))
        except InputError:
            assert replay.num_transitions == before
            continue
        replay.add(episode)
        stored.append(episode)
    assert 0 < len(stored) < 12
    expected = EpisodeReplay.from_episodes(stored)
    rows = slice(0, expected.capacity)
    for name in ("observations", "achieved_goals", "desired_goals", "actions", "terminated"):
        np.testing.assert_array_equal(getattr(replay, name)[rows], getattr(expected, name))


def test_an_episode_that_ends_early_is_shorter_and_its_last_step_is_terminated(run_in):
    lengths = set()
    for index in range(4):
        episode = run_in("CliffReach", defective_job(index, exploration=GREEDY))
        lengths.add(len(episode))
        ended = bool(episode.terminated[-1])
        assert ended == (len(episode) < 30)
        assert not episode.terminated[:-1].any()
    assert len(lengths) > 1
