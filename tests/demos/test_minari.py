from dataclasses import replace

import minari
import numpy as np
import pytest
from builders import is_one_line, point_expert, random_episode
from hypothesis import given, settings
from hypothesis import strategies as st
from minari.dataset.minari_storage import MinariStorage
from minari_datasets import (
    DEMOS,
    ID,
    MARKS,
    REWARD,
    SPEC,
    CutAtSuccess,
    Reported,
    buffer,
    collector,
    drop_snapshots,
    edit_metadata,
    episode_of,
    export,
    refusal,
    remarks_of,
    replace_array,
    write,
)

from headstart.demos.foreign.minari import load_minari_demos
from headstart.demos.record import collect_demos
from headstart.demos.storage import DemoSet
from headstart.envs.goal_env import GoalReward
from headstart.envs.make import make_env
from headstart.errors import InputError

pytestmark = MARKS


def files_in(store):
    return sorted(path.relative_to(store).as_posix() for path in store.rglob("*"))


@pytest.mark.usefixtures("read_here")
@settings(max_examples=8)
@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=6), seed=st.integers(0, 2**31))
def test_writing_and_reading_changes_nothing(lengths, seed):
    rng = np.random.default_rng(seed)
    episodes = []
    for steps in lengths:
        episode = random_episode(rng, steps, observation_dim=2)
        actions = np.clip(episode.actions, -1.0, 1.0)
        terminated = (np.arange(steps) == steps - 1) & (rng.random() < 0.5)
        bare = {"actions": actions, "terminated": terminated, "rewards": np.zeros(0)}
        episodes.append(replace(episode, **bare))
    # One success that does not end its episode, as PointReach has them.
    still = np.zeros_like(episodes[0].terminated)
    episodes[0] = replace(episodes[0], terminated=still, is_success=~still)
    demos = DemoSet("PointReach-v0", tuple(episodes), {})
    dataset_id = f"round-trip/point-v{len(list(minari.list_local_datasets()))}"
    export(demos, dataset_id)
    loaded = load_minari_demos(dataset_id, SPEC)
    assert loaded.episodes == demos.episodes
    assert loaded.env_id == "PointReach-v0"


@pytest.mark.usefixtures("read_here")
def test_what_the_reward_reads_of_info_is_written_and_read():
    env_id = "envs.defective:Force-v0"
    env = make_env(env_id)
    demos = drop_snapshots(collect_demos(env_id, lambda obs: 0.6 * point_expert(obs), episodes=2))
    export(demos, env_id=env_id)
    # Registered with a class, which JSON cannot hold, instead of its name.
    assert minari.load_dataset(ID).env_spec.entry_point == "envs.sound:Force"
    loaded = load_minari_demos(ID, GoalReward(env).spec)
    assert loaded.header["reward_info_keys"] == ["force"]
    assert loaded.episodes == demos.episodes
    with episode_of(directory := minari.storage.get_dataset_path(ID)) as group:
        del group["infos/force"]
    assert "episode_0: it lacks infos/force" in refusal(directory, GoalReward(env).spec)


def test_the_minari_library_reads_what_is_written(store):
    assert export() == store / ID
    assert files_in(store) == [
        "test",
        "test/namespace_metadata.json",
        "test/point-v0",
        "test/point-v0/data",
        "test/point-v0/data/main_data.hdf5",
        "test/point-v0/data/metadata.json",
    ]
    assert set(minari.list_local_datasets()) == {ID}
    dataset = minari.load_dataset(ID)
    env = make_env("PointReach-v0")
    assert (dataset.total_episodes, dataset.total_steps) == (3, DEMOS.num_transitions)
    assert dataset.observation_space == env.observation_space
    assert dataset.action_space == env.action_space
    assert dataset.recover_environment().spec.id == "PointReach-v0"
    for stored, episode in zip(dataset.iterate_episodes(), DEMOS.episodes, strict=True):
        for key, space in env.observation_space.items():
            assert stored.observations[key].dtype == space.dtype
            assert all(row in space for row in stored.observations[key])
        np.testing.assert_array_equal(stored.observations["observation"], episode.observations)
        np.testing.assert_array_equal(stored.actions, episode.actions)
        np.testing.assert_array_equal(stored.rewards, episode.is_success - 1.0)
        np.testing.assert_array_equal(stored.infos["is_success"][1:], episode.is_success)
        assert stored.truncations.tolist() == [False] * 29 + [True]
        assert not stored.terminations.any()


def test_fetch_demonstrations_go_out_and_back():
    rng = np.random.default_rng(0)

    def at_random(observation):
        return rng.uniform(-1.0, 1.0, 4).astype(np.float32)

    demos = drop_snapshots(
        collect_demos("FetchReach-v4", at_random, episodes=2, keep_failures=True)
    )
    export(demos, env_id="FetchReach-v4")
    spec = GoalReward(make_env("FetchReach-v4")).spec
    assert load_minari_demos(ID, spec).episodes == demos.episodes
    assert minari.load_dataset(ID).recover_environment().spec.id == "FetchReach-v4"


def test_an_id_that_is_taken_or_malformed_is_refused(store):
    export()
    before = {path: path.read_bytes() for path in store.rglob("*") if path.is_file()}
    words = {
        ID: "already in the local Minari store",
        "test": "not the id of a Minari dataset",
        "point-v": "not the id of a Minari dataset",
        "../point-v0": "not the id of a Minari dataset",
        "/tmp/point-v0": "not the id of a Minari dataset",
        "a/point-v0": "not the id of a Minari dataset",
        "test/two\nlines-v0": "not the id of a Minari dataset",
        # Minari would take the whole store for a dataset.
        "data/point-v0": "not the id of a Minari dataset",
        f"{ID}/other-v0": "within another dataset",
    }
    for dataset_id, said in words.items():
        with pytest.raises(InputError, match=said) as caught:
            export(dataset_id=dataset_id)
        assert is_one_line(str(caught.value))
    assert {path: path.read_bytes() for path in store.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_leaves_nothing_behind(store, monkeypatch, failure):
    written = MinariStorage.update_metadata

    def fail(*arguments):
        written(*arguments)
        raise failure

    monkeypatch.setattr(MinariStorage, "update_metadata", fail)
    with pytest.raises((InputError, KeyboardInterrupt)) as caught:
        export()
    if isinstance(failure, OSError):
        assert str(caught.value).endswith("(No space left on device)")
    assert files_in(store) == []


def test_demonstrations_of_another_environment_are_not_written(store):
    with pytest.raises(InputError, match="are of PointReach-v0, not of BitFlip-v0"):
        export(env_id="BitFlip-v0")
    assert not store.exists()


@pytest.mark.slow
@pytest.mark.parametrize("callback", [None, Reported])
def test_what_minari_recorded_in_fetch_is_imported(callback):
    printed = {} if callback is None else {"step_data_callback": callback, "record_infos": True}
    with collector("FetchReach-v4", **printed) as env:
        for seed in range(2):
            env.reset(seed=seed)
            for _ in range(50):
                env.step(env.action_space.sample())
    reward = GoalReward(make_env("FetchReach-v4"))
    demos = load_minari_demos(ID, reward.spec, reward)
    recorded = list(minari.load_dataset(ID).iterate_episodes())
    assert len(demos.episodes) == len(recorded) == 2
    for episode, stored in zip(demos.episodes, recorded, strict=True):
        assert_equal(episode, stored)
        np.testing.assert_array_equal(episode.is_success, stored.rewards == 0.0)
        rewards, _ = reward(episode.achieved_goals[1:], episode.desired_goals)
        np.testing.assert_array_equal(rewards, stored.rewards)
    computed = "100 of 100 steps do not say whether they succeed and are judged by the reward."
    assert (computed in demos.header["remarks"]) == (callback is None)


def assert_equal(episode, stored):
    observations = {key: array.astype(np.float32) for key, array in stored.observations.items()}
    np.testing.assert_array_equal(episode.observations, observations["observation"])
    np.testing.assert_array_equal(episode.achieved_goals, observations["achieved_goal"])
    np.testing.assert_array_equal(episode.desired_goals, observations["desired_goal"][1:])
    np.testing.assert_array_equal(episode.actions, stored.actions)
    np.testing.assert_array_equal(episode.terminated, stored.terminations)


def test_maze_episodes_that_were_cut_at_the_goal_are_for_the_goal_of_their_reward():
    maze = "PointMaze_Open-v3,reset_target=true"
    with collector(maze, record_infos=True, step_data_callback=CutAtSuccess) as env:
        observation, _ = env.reset(seed=0)
        for _ in range(250):
            way = observation["desired_goal"] - observation["achieved_goal"]
            action = 3.0 * way - 0.5 * observation["observation"][2:]
            observation, *_ = env.step(np.clip(action, -1.0, 1.0).astype(np.float32))
    reward = GoalReward(make_env(maze))
    demos = load_minari_demos(ID, reward.spec)
    recorded = list(minari.load_dataset(ID).iterate_episodes())
    assert len(recorded) > 2
    for episode, stored in zip(demos.episodes, recorded, strict=True):
        assert_equal(episode, stored)
        np.testing.assert_array_equal(episode.is_success, stored.infos["success"][1:])
        rewards, _ = reward(episode.achieved_goals[1:], episode.desired_goals)
        np.testing.assert_array_equal(rewards, stored.rewards)
    corrected = f"{len(recorded) - 1} of {len(recorded)} episodes had another goal in their"
    assert f"{corrected} first state, which is corrected." in demos.header["remarks"]


@pytest.mark.usefixtures("read_here")
def test_success_is_read_in_all_forms_or_computed():
    arrived = np.arange(5) == 4
    with_reset = np.concatenate([[False], arrived])
    infos = [
        {"is_success": arrived},
        {"is_success": with_reset},
        {"success": with_reset.astype(np.float32)},
        {"success": arrived[:, None]},
    ]
    write(*(buffer(infos=info) for info in infos))
    loaded = load_minari_demos(ID, SPEC)
    assert [episode.is_success.tolist() for episode in loaded.episodes] == [arrived.tolist()] * 4
    assert loaded.header["imported_from"] == ID
    assert loaded.header["format"] == "minari"
    assert loaded.header["action_bounds"] == [[-1.0, -1.0], [1.0, 1.0]]
    assert loaded.header["remarks"] == ["4 of 4 episodes succeed at their last step."]

    write(buffer(infos=infos[0]), buffer(), dataset_id="test/untold-v0")
    unknown = "5 of 10 steps do not say whether they succeed and are"
    assert f"{unknown} counted as failures." in remarks_of("test/untold-v0")
    loaded = load_minari_demos("test/untold-v0", SPEC, REWARD)
    assert [episode.is_success.tolist() for episode in loaded.episodes] == [arrived.tolist()] * 2
    assert f"{unknown} judged by the reward." in loaded.header["remarks"]


@pytest.mark.slow
def test_a_dataset_is_found_by_its_id_and_by_its_path(store, tmp_path, monkeypatch):
    elsewhere = export().rename(tmp_path / "copied")
    for source in (elsewhere, str(elsewhere)):
        loaded = load_minari_demos(source, SPEC)
        assert loaded.episodes == DEMOS.episodes
        assert loaded.header["imported_from"] == "copied"
    monkeypatch.chdir(elsewhere)
    assert load_minari_demos(".", SPEC).header["imported_from"] == "copied"
    export()
    assert load_minari_demos(store / ID, SPEC).header["imported_from"] == ID
    monkeypatch.delenv("MINARI_DATASETS_PATH")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert "`minari download test/point-v0` fetches it" in refusal(ID)
    store.parent.joinpath(".minari").mkdir()
    store.rename(tmp_path / ".minari" / "datasets")
    assert load_minari_demos(ID, SPEC).episodes == DEMOS.episodes


@pytest.mark.usefixtures("read_here")
def test_what_was_changed_is_reported():
    none = np.zeros(5, bool)
    printed = {"is_success": np.arange(5) == 4}
    wild = np.repeat([[2.0, 0.0]], 5, axis=0)
    write(buffer(infos=printed, actions=wild), buffer(infos=printed, truncations=none), buffer(2))
    directory = minari.storage.get_dataset_path(ID)
    with episode_of(directory, 2) as group:
        for name in ("actions", "rewards", "terminations", "truncations"):
            replace_array(group, name, group[name][:0])
        for name in group["observations"]:
            replace_array(group["observations"], name, group["observations"][name][:1])
    edit_metadata(directory, env_spec=None)
    assert remarks_of() == [
        "2 of 2 episodes succeed at their last step.",
        "25.00% of the action numbers were beyond the bounds and are clipped.",
        "1 of 3 episodes have no step and are left out.",
        "Episodes that end neither terminated nor truncated: 1.",
        "The dataset does not name its environment.",
    ]
    assert load_minari_demos(ID, SPEC).episodes[0].actions.max() == 1.0
    edit_metadata(directory, env_spec='{"id": "PointReach-v7"}')
    assert load_minari_demos(ID, SPEC).env_id == "PointReach-v7"


@pytest.mark.usefixtures("read_here")
def test_episodes_longer_than_the_time_limit_are_cut():
    lengths = (5, 30, 31, 60)
    write(*(buffer(steps, infos={"is_success": np.arange(steps) >= 29}) for steps in lengths))
    demos = load_minari_demos(ID, SPEC)
    recorded = list(minari.load_dataset(ID).iterate_episodes())
    assert [len(episode) for episode in demos.episodes] == [5, 30, 30, 30]
    for episode, stored in zip(demos.episodes, recorded, strict=True):
        steps = len(episode)
        states = stored.observations["achieved_goal"][: steps + 1].astype(np.float32)
        np.testing.assert_array_equal(episode.achieved_goals, states)
        np.testing.assert_array_equal(episode.actions, stored.actions[:steps])
        assert episode.is_success.tolist() == [False] * min(steps, 29) + [True] * (steps == 30)
        assert not episode.terminated.any()
    assert demos.header["remarks"] == [
        "3 of 4 episodes succeed at their last step.",
        "2 of 4 episodes were longer than 30 steps and are cut.",
    ]


@pytest.mark.usefixtures("read_here")
def test_episodes_without_their_last_state_keep_the_others():
    printed = {"is_success": np.arange(5) == 4}
    write(buffer(infos=printed), buffer(infos=printed), buffer(infos=printed))
    with episode_of(minari.storage.get_dataset_path(ID), 1) as group:
        for name in group["observations"]:
            replace_array(group["observations"], name, group["observations"][name][:-1])
    demos = load_minari_demos(ID, SPEC)
    assert [len(episode) for episode in demos.episodes] == [5, 4, 5]
    np.testing.assert_array_equal(demos.episodes[1].actions, demos.episodes[0].actions[:4])
    assert demos.header["remarks"] == [
        "2 of 3 episodes succeed at their last step.",
        "1 of 3 episodes lack the state after their last action, which is left out.",
    ]


def test_episodes_whose_goal_moves_become_one_for_each_goal():
    printed = {"is_success": np.arange(5) == 4}
    goals = np.repeat([[0.5, 0.0], [7.0, 7.0]], 3, axis=0)
    write(buffer(infos=printed), buffer(infos=printed, desired_goal=goals))
    demos = load_minari_demos(ID, SPEC, REWARD)
    assert [len(episode) for episode in demos.episodes] == [5, 2, 2]
    assert (demos.episodes[1].desired_goals == np.float32([0.5, 0.0])).all()
    assert (demos.episodes[2].desired_goals == 7.0).all()
    cut = "The goal changes within 1 of 2 episodes: they are cut into 2 parts with one goal each."
    assert cut in demos.header["remarks"]


def test_what_lies_beyond_the_time_limit_is_not_looked_at():
    wild = np.repeat([[1.0, 0.0]], 40, axis=0)
    wild[30:] = np.nan
    goals = np.zeros((41, 2))
    goals[31:] = 1.0
    printed = {"is_success": np.zeros(40, bool)}
    write(buffer(40, infos=printed, actions=wild.astype(np.float32), desired_goal=goals))
    (episode,) = load_minari_demos(ID, SPEC).episodes
    assert len(episode) == 30
    assert (episode.desired_goals == 0.0).all()
