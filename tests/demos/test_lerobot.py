"""Datasets of LeRobot, out and in again, and files that only look like them."""

import contextlib
import io
import json

import numpy as np
import pytest
from builders import is_one_line, point_expert

from headstart.cli.main import main
from headstart.demos.foreign import reader_process
from headstart.demos.foreign.lerobot import OWN, load_lerobot_demos
from headstart.demos.foreign.lerobot_writer import save_lerobot_demos
from headstart.demos.foreign.mapping import StateMap
from headstart.demos.record import collect_demos
from headstart.demos.storage import load_demos, save_demos
from headstart.envs.goal_env import GoalReward, GoalSpec
from headstart.envs.make import make_env
from headstart.errors import InputError

parquet = pytest.importorskip("pyarrow.parquet")
parquet_reader = pytest.importorskip("headstart.demos.foreign.parquet_reader")
ENV = "PointReach-v0"
DATA = "data/chunk-000/file-000.parquet"


@pytest.fixture(scope="module")
def demos():
    return collect_demos(ENV, point_expert, episodes=3)


@pytest.fixture(scope="module")
def reward():
    env = make_env(ENV)
    return GoalReward(env, GoalSpec.from_env(env))


@pytest.fixture
def dataset(tmp_path, demos, reward):
    save_lerobot_demos(demos, tmp_path / "dataset", reward, 25.0)
    return tmp_path / "dataset"


@pytest.fixture
def read_here(monkeypatch):
    """Have the reader read in this process: what the rows decide needs none of its own."""
    monkeypatch.setattr(parquet_reader, "_limit", lambda memory: None)

    def run(program, arguments, seconds, name):
        output = io.StringIO()
        output.reconfigure = lambda errors: None
        with contextlib.redirect_stdout(output):
            code = parquet_reader.main(*arguments)
        if code:
            raise ValueError(f"{name}: {output.getvalue()}")

    monkeypatch.setattr(reader_process, "run_reader", run)


def refusal(dataset, reward, states=OWN):
    with pytest.raises(InputError) as caught:
        load_lerobot_demos(dataset, reward.spec, reward, states)
    assert is_one_line(str(caught.value))
    return str(caught.value)


def change(dataset, **columns):
    """Replace columns of the rows; without a value they are left out."""
    table = parquet.read_table(dataset / DATA)
    for name, values in columns.items():
        table = table.drop_columns([name])
        if values is not None:
            table = table.append_column(name, [values])
    parquet.write_table(table, dataset / DATA)


def test_a_dataset_holds_what_was_written_the_last_state_included(dataset, demos, reward):
    found = load_lerobot_demos(dataset, reward.spec, reward, StateMap())
    for one, two in zip(found.episodes, demos.episodes, strict=True):
        for name in ("observations", "achieved_goals", "desired_goals", "actions", "is_success"):
            np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_the_files_are_those_of_version_3(dataset, demos):
    info = json.loads((dataset / "meta" / "info.json").read_text())
    rows = sum(len(episode) + 1 for episode in demos.episodes)
    assert (info["codebase_version"], info["fps"], info["total_frames"]) == ("v3.0", 25, rows)
    table = parquet.read_table(dataset / DATA)
    assert {*table.column_names} == {*info["features"]}
    assert table.column("timestamp").to_pylist()[:2] == pytest.approx([0.0, 0.04])
    assert table.column("action").type.list_size == 2
    episodes = parquet.read_table(dataset / "meta/episodes/chunk-000/file-000.parquet").to_pylist()
    assert [it["length"] for it in episodes] == [len(it) + 1 for it in demos.episodes]
    assert episodes[1]["dataset_from_index"] == episodes[0]["length"]
    assert len(episodes[0]["stats/action/mean"]) == 2
    tasks = parquet.read_table(dataset / "meta" / "tasks.parquet")
    assert tasks.to_pylist() == [{"task_index": 0, "__index_level_0__": ENV}]
    assert json.loads((dataset / "meta" / "stats.json").read_text())["action"]["count"] == [rows]


def test_datasets_of_others_are_read_by_a_map(dataset, demos, reward):
    change(dataset, **{"observation.achieved_goal": None, "next.success": None})
    info = json.loads((dataset / "meta" / "info.json").read_text())
    del info["features"]["observation.achieved_goal"], info["features"]["next.success"]
    (dataset / "meta" / "info.json").write_text(json.dumps(info))
    assert "it has no observation.achieved_goal; it has observation.state" in refusal(
        dataset, reward
    )
    states = StateMap.read(None, "observation.state[0:2]", "final")
    found = load_lerobot_demos(dataset, reward.spec, reward, states)
    for one, two in zip(found.episodes, demos.episodes, strict=True):
        np.testing.assert_array_equal(one.desired_goals[-1], two.achieved_goals[-1])
        assert one.success


@pytest.mark.parametrize(
    ("change_info", "said"),
    [
        ({"codebase_version": "v1.6"}, "is of version v1.6, not v2.0"),
        ({"features": None}, "names no features"),
    ],
)
def test_info_of_another_kind_is_refused(dataset, reward, change_info, said):
    path = dataset / "meta" / "info.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change_info}))
    assert said in refusal(dataset, reward)


@pytest.mark.usefixtures("read_here")
def test_rows_that_are_damaged_are_refused(dataset, demos, reward):
    whole = (dataset / DATA).read_bytes()
    rows = parquet.read_table(dataset / DATA).num_rows
    change(dataset, action=[[0.0, 0.0]] * (rows - 1) + [[0.0]])
    assert "action has rows of different lengths" in refusal(dataset, reward)
    change(dataset, action=[None] + [[0.0, 0.0]] * (rows - 1))
    assert "action has rows without a value" in refusal(dataset, reward)
    change(dataset, action=["left"] * rows)
    assert "action holds string instead of numbers" in refusal(dataset, reward)
    change(dataset, action=[[0.0, 0.0, 0.0]] * rows)
    assert "its actions have shape" in refusal(dataset, reward)
    change(dataset, episode_index=[0, 1] * (rows // 2) + [0] * (rows % 2))
    assert "do not follow one another" in refusal(dataset, reward)
    (dataset / DATA).write_bytes(whole[:-100])
    assert "data: " in refusal(dataset, reward)
    (dataset / DATA).unlink()
    assert "it holds 0 files of rows" in refusal(dataset, reward)


def test_links_out_of_a_dataset_are_not_followed(dataset, tmp_path, reward):
    (dataset / DATA).rename(tmp_path / "elsewhere.parquet")
    (dataset / DATA).symlink_to(tmp_path / "elsewhere.parquet")
    assert "it holds 0 files of rows" in refusal(dataset, reward)


def test_the_command_line_writes_and_reads_datasets(tmp_path, demos, capsys):
    save_demos(tmp_path / "demos.npz", demos)
    export = ["demos", "export", str(tmp_path / "demos.npz"), "--lerobot", str(tmp_path / "out")]
    with pytest.raises(SystemExit):
        main(export)
    assert "--fps says how many env steps are a second" in capsys.readouterr().err
    main([*export, "--fps", "10"])
    back = tmp_path / "back.npz"
    main(["demos", "import", str(tmp_path / "out"), "--env", ENV, "--out", str(back)])
    assert len(load_demos(back)) == len(demos)
    with pytest.raises(SystemExit):
        main([*export, "--fps", "10"])
    assert "name a folder that is new or empty" in capsys.readouterr().err
