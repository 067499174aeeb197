from collections import OrderedDict
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from builders import unpaid
from legacy_files import (
    SPEC,
    equal,
    object_array,
    parts_of,
    ragged,
    some_episodes,
    write_numpy1,
    write_protocol5,
    write_python2,
    write_today,
)

from headstart.demos.experts import expert_for
from headstart.demos.foreign.legacy import load_legacy_demos
from headstart.demos.storage import load_demos, save_demos
from headstart.envs.goal_env import GoalReward, GoalSpec
from headstart.envs.make import make_env
from headstart.rollout.job import EpisodeJob, run_episode

WRITERS = {
    "numpy of today": write_today,
    "numpy 1, protocol 2": partial(write_numpy1, protocol=2),
    "numpy 1, protocol 3": partial(write_numpy1, protocol=3),
    "protocol 5": write_protocol5,
    "Python 2": write_python2,
    "Python 2 on Windows": partial(write_python2, long_shapes=True),
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data_fetch_random_100.npz"


def remarks_of(path, spec=SPEC, reward=None):
    return load_legacy_demos(path, spec, reward).header["remarks"]


@pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS)
@pytest.mark.parametrize(
    ("form", "lengths"), [(equal, [4, 4, 4]), (ragged, [50, 51, 52, 1]), (ragged, [3, 3])]
)
def test_every_kind_of_file_reads_as_what_was_written(path, writer, form, lengths):
    spec = replace(SPEC, max_episode_steps=52)
    episodes = some_episodes(lengths, spec)
    writer(path, form(parts_of(episodes)))
    demos = load_legacy_demos(path, spec)
    assert list(demos.episodes) == episodes
    assert demos.env_id == spec.env_id
    solved = sum(episode.success for episode in episodes)
    remarks = demos.header.pop("remarks")
    assert remarks[0] == f"{solved} of {len(episodes)} episodes succeed at their last step."
    assert len(remarks) == 1 + (solved == 0)
    assert demos.header == {
        "imported_from": "data_fetch_random_100.npz",
        "format": "baselines",
        "reward_info_keys": [],
        "action_bounds": [[-1.0] * 4, [1.0] * 4],
    }


@pytest.mark.parametrize("writer", [write_python2, partial(write_numpy1, protocol=2)])
@pytest.mark.filterwarnings("ignore:Reading")
def test_the_files_that_are_written_by_hand_are_what_numpy_would_read(path, writer):
    acs, obs, info = ragged(parts_of(some_episodes([3, 4])))
    writer(path, (acs, obs, info))
    with np.load(path, allow_pickle=True, encoding="latin1") as file:
        assert file["acs"].tolist() == acs.tolist()
        assert file["info"].tolist() == info.tolist()
        for found, written in zip(file["obs"], obs, strict=True):
            np.testing.assert_equal(found, written)


def test_an_experts_episodes_come_back_through_a_baselines_file(path):
    env = make_env("FetchReach-v4")
    spec = GoalSpec.from_env(env)
    expert = expert_for(spec.env_id)
    jobs = [EpisodeJob(expert, 0, "demos", index) for index in range(3)]
    episodes = [unpaid(run_episode(env, job)) for job in jobs]
    write_python2(path, equal(parts_of(episodes)))
    demos = load_legacy_demos(path, spec)
    assert list(demos.episodes) == episodes
    demos.check_fits(spec)
    silent = [[{}] * len(episode) for episode in episodes]
    write_today(path, equal((*parts_of(episodes)[:2], silent)))
    judged = load_legacy_demos(path, spec, GoalReward(env, spec))
    assert list(judged.episodes) == episodes
    assert judged.episodes[0].success


def test_an_imported_set_can_be_saved_and_loaded(path, tmp_path):
    write_today(path, ragged(parts_of(some_episodes([3, 4]))))
    demos = load_legacy_demos(path, SPEC)
    save_demos(tmp_path / "demos.npz", demos)
    again = load_demos(tmp_path / "demos.npz")
    assert again.episodes == demos.episodes
    assert again.header["remarks"] == demos.header["remarks"]


def test_the_file_of_a_single_episode_is_read(path):
    episodes = some_episodes([6])
    acs, obs, info = (part[0] for part in parts_of(episodes))
    arrays = np.array(acs), object_array(obs, 1), object_array(info, 1)
    write_today(path, arrays, keys=("epacs", "epobs", "epinfo"))
    assert list(load_legacy_demos(path, SPEC).episodes) == episodes
    write_today(path, arrays)
    assert list(load_legacy_demos(path, SPEC).episodes) == episodes


def test_actions_may_be_arrays_of_any_number_type_in_any_order(path):
    episodes = some_episodes([4, 4])
    acs, obs, info = equal(parts_of(episodes))
    write_today(path, (np.asfortranarray(acs.astype(">f4")), obs, info))
    assert list(load_legacy_demos(path, SPEC).episodes) == episodes
    rows = [[np.array(action) for action in episode] for episode in acs]
    write_today(path, (object_array(rows, 1), obs, info))
    assert list(load_legacy_demos(path, SPEC).episodes) == episodes
    write_today(path, (acs.astype(object), obs, info))
    assert list(load_legacy_demos(path, SPEC).episodes) == episodes


def test_actions_beyond_the_bounds_are_clipped_and_counted(path):
    episodes = some_episodes([4, 6])
    acs, obs, info = parts_of(episodes)
    acs[0][1][2] = 2.68
    acs[1][5][0] = -1.5
    write_today(path, ragged((acs, obs, info)))
    demos = load_legacy_demos(path, SPEC)
    assert demos.episodes[0].actions[1, 2] == 1.0
    assert demos.episodes[1].actions[5, 0] == -1.0
    assert (
        "5.00% of the action numbers were beyond the bounds and are clipped."
        in (demos.header["remarks"])
    )


def test_without_the_last_observation_the_last_action_is_left_out(path):
    episodes = some_episodes([4, 6])
    acs, obs, info = parts_of(episodes)
    obs[1].pop()
    write_today(path, ragged((acs, obs, info)))
    first, second = load_legacy_demos(path, SPEC).episodes
    assert first == episodes[0]
    assert len(second) == 5
    assert np.array_equal(second.observations, episodes[1].observations[:6])
    assert np.array_equal(second.actions, episodes[1].actions[:5])
    assert np.array_equal(second.is_success, episodes[1].is_success[:5])
    assert "1 of 2 episodes lack the state after their last action, which is left out." in (
        remarks_of(path)
    )


def test_episodes_longer_than_the_time_limit_are_cut(path):
    episodes = some_episodes([50, 52])
    write_today(path, ragged(parts_of(episodes)))
    demos = load_legacy_demos(path, SPEC)
    assert [len(episode) for episode in demos.episodes] == [50, 50]
    assert np.array_equal(demos.episodes[1].achieved_goals, episodes[1].achieved_goals[:51])
    assert "1 of 2 episodes were longer than 50 steps and are cut." in demos.header["remarks"]


def test_a_file_without_a_success_is_remarked_on(path):
    episodes = [replace(episode, is_success=np.zeros(4, bool)) for episode in some_episodes([4, 4])]
    write_today(path, equal(parts_of(episodes)))
    assert remarks_of(path) == [
        "0 of 2 episodes succeed at their last step.",
        "Without a success, check that the file is of FetchPickAndPlace-v4.",
    ]


@pytest.mark.parametrize("value", [True, 1, 1.0, np.float32(1), np.bool_(True), np.array([1.0])])
@pytest.mark.parametrize("key", ["is_success", "success"])
def test_success_may_be_shown_in_several_ways(path, key, value):
    acs, obs, info = parts_of(some_episodes([3]))
    info[0] = [{key: value * 0}, {key: value}, {key: value}]
    write_today(path, ragged((acs, obs, info)))
    assert load_legacy_demos(path, SPEC).episodes[0].is_success.tolist() == [False, True, True]


def point_reach():
    env = make_env("PointReach-v0")
    spec = GoalSpec.from_env(env)
    return spec, GoalReward(env, spec)


def test_success_that_is_missing_comes_from_the_reward(path):
    spec, reward = point_reach()
    episodes = some_episodes([5], spec)
    acs, obs, info = parts_of(episodes)
    at_goal = [False, True, False, True, False]
    for state, reached in zip(obs[0][1:], at_goal, strict=True):
        state["achieved_goal"] = state["desired_goal"] + (0.0 if reached else 3.0)
    info[0] = [{}, {}, {"is_success": 1.0}, {"is_success": 0.0}, {}]
    write_today(path, ragged((acs, obs, info)))
    printed = load_legacy_demos(path, spec)
    assert printed.episodes[0].is_success.tolist() == [False, False, True, False, False]
    unknown = "3 of 5 steps do not say whether they succeed and are"
    assert f"{unknown} counted as failures." in printed.header["remarks"]
    judged = load_legacy_demos(path, spec, reward)
    assert judged.episodes[0].is_success.tolist() == [False, True, True, False, False]
    assert f"{unknown} judged by the reward." in judged.header["remarks"]


def test_success_ends_an_episode_only_where_the_environment_ends_it(path):
    episodes = some_episodes([3, 3])
    for episode, last in zip(episodes, [True, False], strict=True):
        episode.is_success[:] = [False, False, last]
    write_today(path, equal(parts_of(episodes)))
    ends = [ep.terminated.tolist() for ep in load_legacy_demos(path, SPEC).episodes]
    assert ends == [[False] * 3, [False] * 3]
    ending = replace(SPEC, terminates=True)
    ends = [ep.terminated.tolist() for ep in load_legacy_demos(path, ending).episodes]
    assert ends == [[False, False, True], [False] * 3]


def test_other_things_in_info_do_no_harm(path):
    acs, obs, info = parts_of(some_episodes([3]))
    info[0][1] |= {
        "note": "näh 🤖",
        "nested": {"a": [1, 2**70, None, (b"x", -1)]},
        "n": np.int64(3),
    }
    info[0][2]["cyclic"] = info[0]
    for protocol in (2, 3):
        write_numpy1(path, ragged((acs, obs, info)), protocol)
        assert list(load_legacy_demos(path, SPEC).episodes) == some_episodes([3])


@pytest.mark.parametrize("writer", [write_today, write_python2])
def test_observations_may_be_ordered_dicts(path, writer):
    acs, obs, info = parts_of(some_episodes([3]))
    ordered = [[OrderedDict(state) for state in episode] for episode in obs]
    writer(path, ragged((acs, ordered, info)))
    assert list(load_legacy_demos(path, SPEC).episodes) == some_episodes([3])
