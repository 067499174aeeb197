"""Episodes of ``envs.defective``: what is kept of them, and which are refused."""

from dataclasses import replace

import numpy as np
import pytest
from builders import is_one_line, point_policy

from headstart.data.replay import EpisodeReplay
from headstart.envs.make import make_env
from headstart.errors import InputError
from headstart.rollout.executors import make_executor
from headstart.rollout.exploration import GREEDY, Exploration
from headstart.rollout.job import Constant, EpisodeJob, run_episode

NOISY = Exploration(noise=0.3, random_action=0.2)


def defective_job(index=0, *, keys=(), policy=None, exploration=NOISY):
    policy = policy or Constant(np.array([0.3, -0.2], np.float32))
    return EpisodeJob(policy, 0, "rollout", index, exploration, keys)


@pytest.fixture(params=[0, 1], ids=["here", "in a collector"])
def run_in(request):
    """Run a job on an environment of ``envs.defective``, in this process or in a collector."""

    if request.param:
        request.getfixturevalue("forked_collectors")

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


@pytest.mark.slow
def test_nothing_is_kept_of_info_that_no_reward_reads(run_in):
    assert run_in("Force", defective_job()).reward_infos.shape == (30, 0)


REFUSED = [
    ("GoalJumps", "the goal changes within the episode, at step 5: hindsight needs one goal"),
    ("NotANumber", "holds NaN or infinity"),
    ("NotAGoal", "holds NaN or infinity"),
    ("WideGoal", "desired_goal has shape (3,) instead of (2,)"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "expected"), REFUSED)
def test_an_episode_that_cannot_be_learned_from_is_refused_with_its_seed(run_in, name, expected):
    job = defective_job()
    with pytest.raises(InputError) as caught:
        run_in(name, job)
    assert str(caught.value).startswith(f"{name}-v0, episode with seed {job.env_seed}: ")
    assert expected in str(caught.value)
    assert is_one_line(str(caught.value))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["NotANumber", "NotAGoal"])
def test_nan_that_a_policy_sees_is_blamed_on_the_environment(run_in, name):
    with pytest.raises(InputError, match=f"^{name}-v0, episode with seed .*NaN"):
        run_in(name, defective_job(policy=point_policy()))


@pytest.mark.slow
def test_what_the_reward_reads_and_step_leaves_out_is_named(run_in):
    with pytest.raises(InputError, match=r"^ForceAtTimes-v0, episode with seed .*'force'"):
        run_in("ForceAtTimes", defective_job(keys=("force",)))


@pytest.mark.slow
@pytest.mark.usefixtures("forked_collectors")
def test_a_collector_runs_on_after_an_episode_that_was_refused():
    with make_executor("envs.defective:GoalJumpsLeft-v0", 1) as executor:
        outcomes = []
        for pending in executor.submit([defective_job(index) for index in range(12)]):
            try:
                outcomes.append(len(pending.result()))
            except InputError as error:
                outcomes.append(str(error))
    refused = [outcome for outcome in outcomes if isinstance(outcome, str)]
    assert 0 < len(refused) < 12
    assert all("the goal changes within the episode" in message for message in refused)
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


@pytest.mark.slow
def test_an_episode_that_ends_early_is_shorter_and_its_last_step_is_terminated(run_in):
    lengths = set()
    for index in range(4):
        episode = run_in("CliffReach", defective_job(index, exploration=GREEDY))
        lengths.add(len(episode))
        ended = bool(episode.terminated[-1])
        assert ended == (len(episode) < 30)
        assert not episode.terminated[:-1].any()
    assert len(lengths) > 1


ACTIONS = [
    (np.zeros(3, np.float32), "ndarray of shape (3,) and dtype float32"),
    (np.zeros((1, 2)), "ndarray of shape (1, 2) and dtype float64"),
    ([0.1, 0.2, 0.3], "list of shape (3,) and dtype float64"),
    (0.5, "float of shape () and dtype float64"),
    (None, "NoneType of shape () and dtype object"),
    ("left", "str of shape () and dtype <U4"),
    (["left", "right"], "list of shape (2,) and dtype <U5"),
    ({"move": 0.1}, "dict of shape () and dtype object"),
]


@pytest.mark.parametrize(("action", "expected"), ACTIONS)
@pytest.mark.parametrize("exploration", [GREEDY, NOISY])
def test_what_a_policy_returns_in_place_of_an_action_is_reported(action, expected, exploration):
    job = defective_job(policy=lambda _: action, exploration=exploration)
    with pytest.raises(InputError) as caught:
        run_episode(make_env("envs.defective:Reach-v0"), job)
    assert str(caught.value) == (
        f"Reach-v0, episode with seed {job.env_seed}: the policy returned {expected}; "
        f"an action must be numbers of shape (2,)"
    )


def test_numbers_in_a_list_are_an_action():
    job = defective_job(policy=lambda _: [0.3, 0])
    assert len(run_episode(make_env("envs.defective:Reach-v0"), job)) == 30


@pytest.mark.slow
def test_saved_states_of_changing_width_are_reported_with_both_widths(run_in):
    job = replace(defective_job(), snapshots=True)
    with pytest.raises(InputError) as caught:
        run_in("Growing", job)
    assert str(caught.value) == (
        f"Growing-v0, episode with seed {job.env_seed}: save_state() returned shape (4,) at the "
        f"start and (5,) after step 4; it must return a vector of the same width in every state"
    )
