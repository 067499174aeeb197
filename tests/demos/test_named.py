"""Files that do not say what is observation and what is goal: of OGBench and of robomimic."""

import h5py
import numpy as np
import pytest
from builders import is_one_line, point_expert

from headstart.cli.main import main
from headstart.demos.foreign.mapping import Columns, StateMap, take
from headstart.demos.reading import read_demos
from headstart.demos.record import collect_demos
from headstart.demos.storage import load_demos
from headstart.envs.goal_env import GoalReward, GoalSpec
from headstart.envs.make import make_env
from headstart.errors import InputError

ENV = "PointReach-v0"
LIMIT = 30


@pytest.fixture(scope="module")
def point():
    env = make_env(ENV)
    spec = GoalSpec.from_env(env)
    assert spec.max_episode_steps == LIMIT
    return spec, GoalReward(env, spec)


@pytest.fixture(scope="module")
def episodes():
    return collect_demos(ENV, point_expert, episodes=3).episodes


def play_data(episodes):
    """What OGBench writes: a row for each state, of which the last has an action without effect."""
    ends = np.cumsum([len(it) + 1 for it in episodes]) - 1
    rows = sum(len(it) + 1 for it in episodes)
    return {
        "observations": np.concatenate([it.observations for it in episodes]),
        "qpos": np.concatenate([np.pad(it.achieved_goals, ((0, 0), (1, 0))) for it in episodes]),
        "actions": np.concatenate([np.pad(it.actions, ((0, 1), (0, 0))) for it in episodes]),
        "terminals": np.isin(np.arange(rows), ends).astype(np.float32),
    }


def read(path, point, **states):
    spec, reward = point
    return read_demos(path, spec, reward, log=False, states=StateMap.read(**states))


def refusal(path, point, **states):
    with pytest.raises(InputError) as caught:
        read(path, point, **states)
    assert is_one_line(str(caught.value))
    return str(caught.value)


def test_data_of_ogbench_become_demonstrations_of_what_was_achieved(tmp_path, point, episodes):
    np.savez(tmp_path / "play.npz", **play_data(episodes))
    demos = read(tmp_path / "play.npz", point, achieved_goal="qpos[1:3]")
    assert len(demos.episodes) == len(episodes)
    for found, given in zip(demos.episodes, episodes, strict=True):
        for name in ("observations", "achieved_goals", "actions"):
            np.testing.assert_array_equal(getattr(found, name), getattr(given, name))
        np.testing.assert_array_equal(found.desired_goals[0], given.achieved_goals[-1])
        assert found.success


def test_episodes_beyond_the_time_limit_become_several_each_with_its_own_goal(
    tmp_path, point, episodes
):
    whole = play_data(episodes)
    # One trajectory, whose joints a wall of the arena might explain as well as anything.
    whole["terminals"] = np.eye(1, len(whole["actions"]), len(whole["actions"]) - 1)[0]
    np.savez(tmp_path / "long.npz", **whole)
    demos = read(tmp_path / "long.npz", point, achieved_goal="observations[0:2]")
    steps = len(whole["actions"]) - 1
    assert sum(len(it) for it in demos.episodes) == steps
    assert [len(it) for it in demos.episodes[:-1]] == [LIMIT] * (steps // LIMIT)
    for episode in demos.episodes:
        np.testing.assert_array_equal(episode.desired_goals[-1], episode.achieved_goals[-1])


def test_goals_may_be_columns_too(tmp_path, point, episodes):
    goals = np.concatenate([np.repeat(it.desired_goals[:1], len(it) + 1, 0) for it in episodes])
    np.savez(tmp_path / "goals.npz", **play_data(episodes), where=goals)
    given = {"achieved_goal": "observations", "desired_goal": "where[0:1],where[1:2]"}
    demos = read(tmp_path / "goals.npz", point, **given)
    for found, original in zip(demos.episodes, episodes, strict=True):
        np.testing.assert_array_equal(found.desired_goals, original.desired_goals)
        np.testing.assert_array_equal(found.is_success, original.is_success)


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ({"observation": "observations"}, "say what is achieved: --achieved-goal"),
        ({"achieved_goal": "qvel"}, "it has no qvel; it has observations, qpos"),
        ({"achieved_goal": "qpos[1:9]"}, "qpos has 3 columns, of which 9 are named"),
        ({"achieved_goal": "qpos"}, "episode 0: its achieved goals have shape"),
        ({"achieved_goal": "qpos[1:3]", "observation": "qpos"}, "its observations have shape"),
        ({"achieved_goal": "qpos[3:1]"}, "--achieved-goal must be names of arrays"),
        ({"achieved_goal": "qpos[1:3],,"}, "--achieved-goal must be names of arrays"),
    ],
)
def test_a_map_that_does_not_fit_is_refused(tmp_path, point, episodes, states, said):
    np.savez(tmp_path / "play.npz", **play_data(episodes))
    assert said in refusal(tmp_path / "play.npz", point, **states)


def write_robomimic(path, episodes, next_obs=True):
    with h5py.File(path, "w") as file:
        for number, episode in enumerate(episodes):
            group = file.create_group(f"data/demo_{number}")
            group["actions"] = episode.actions.astype(np.float64)
            states = {"object": episode.observations, "eef_pos": episode.achieved_goals}
            for name, rows in states.items():
                group[f"obs/{name}"] = rows[:-1]
                if next_obs:
                    group[f"next_obs/{name}"] = rows[1:]


@pytest.mark.parametrize("next_obs", [True, False])
def test_files_of_robomimic_are_read_by_a_map(tmp_path, point, episodes, next_obs):
    write_robomimic(tmp_path / "low_dim.hdf5", episodes, next_obs)
    demos = read(
        tmp_path / "low_dim.hdf5", point, observation="obs/object", achieved_goal="obs/eef_pos[0:2]"
    )
    for found, given in zip(demos.episodes, episodes, strict=True):
        kept = len(given) + 1 if next_obs else len(given)
        np.testing.assert_array_equal(found.observations, given.observations[:kept])
        np.testing.assert_array_equal(found.desired_goals[0], given.achieved_goals[kept - 1])


def test_files_of_robomimic_that_are_not_as_they_should_be_are_refused(tmp_path, point, episodes):
    path, states = tmp_path / "low_dim.hdf5", {"achieved_goal": "obs/eef_pos"}
    write_robomimic(path, episodes)
    assert "name them, for robomimic by `headstart demos import --observation" in refusal(
        path, point, **states
    )
    states["observation"] = "obs/gripper"
    assert "it lacks obs/gripper" in refusal(path, point, **states)
    states["observation"] = "obs/object"
    with h5py.File(path, "a") as file:
        del file["data/demo_1/obs/object"]
        file["data/demo_1/obs/object"] = h5py.ExternalLink("/etc/passwd", "x")
    assert "obs/object is a link to elsewhere" in refusal(path, point, **states)
    path.write_bytes(path.read_bytes()[:3000])
    assert "low_dim.hdf5" in refusal(path, point, **states)


def test_the_command_line_takes_a_map(tmp_path, episodes, capsys):
    np.savez(tmp_path / "play.npz", **play_data(episodes))
    out = tmp_path / "demos.npz"
    given = ["--achieved-goal", "qpos[1:3]", "--env", ENV, "--out", str(out)]
    main(["demos", "import", str(tmp_path / "play.npz"), *given])
    assert len(load_demos(out)) == len(episodes)
    assert "Goals are what the episodes have achieved at their ends" in capsys.readouterr().out


def test_columns_side_by_side_must_have_the_same_rows():
    columns = (Columns("a", None, None), Columns("b", 1, None))
    arrays = {"a": np.ones(3), "b": np.zeros((3, 2))}
    np.testing.assert_array_equal(take(columns, arrays), [[1, 0]] * 3)
    with pytest.raises(ValueError, match="different numbers of rows: a 3, b 2"):
        take(columns, {**arrays, "b": np.zeros((2, 2))})
