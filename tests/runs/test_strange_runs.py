"""Untrusted run directories: nothing outside of them is touched, nothing too large is read."""

import json
import os
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from builders import is_one_line
from cut_runs import BASE, cut_run
from saved_runs import newest, rewrite, standing_of
from small_runs import POINT

from headstart.agents.ddpg import DDPGConfig
from headstart.errors import InputError
from headstart.files.tensors import pack, unpack
from headstart.policy import policy_from_bytes
from headstart.runs.checkpoint import restore_saved, run_files
from headstart.runs.checkpoint_files import CheckpointFiles, Entry, newest_run
from headstart.runs.preparation import prepare_run
from headstart.runs.resume import resume
from headstart.runs.train import train
from headstart.training.config import CycleConfig, EvaluationConfig, TrainConfig, WarmStartConfig

CONFIG = replace(BASE, replay_capacity=1000)


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory, point_demos):
    return cut_run(tmp_path_factory.mktemp("whole") / "run", point_demos, CONFIG, after=10)


@pytest.fixture
def run(tmp_path, whole_run):
    return shutil.copytree(whole_run, tmp_path / "run")


def assert_refusal(path, expected, **options):
    with pytest.raises(InputError, match=re.escape(expected)) as caught:
        resume(path, **options)
    assert is_one_line(str(caught.value))
    assert str(caught.value).isprintable()


def sparse(path, gigabytes=100):
    """A file that claims a size and takes nothing of the disk."""
    path.unlink(missing_ok=True)
    with path.open("wb") as file:
        file.truncate(gigabytes * 2**30)


def test_a_lock_that_is_a_link_is_not_followed(tmp_path, run):
    mine = tmp_path / "mine"
    mine.write_text("precious")
    (run / "lock").unlink()
    (run / "lock").symlink_to(mine)
    assert_refusal(run, "cannot be written")
    assert mine.read_text() == "precious"


def test_links_where_files_are_staged_are_not_followed(tmp_path, run):
    mine = tmp_path / "mine"
    mine.write_text("precious")
    for name in (".tmp.config.json", ".tmp.metrics.jsonl", "policies/.tmp.best.safetensors",
                 "policies/.tmp.latest.safetensors", "checkpoints/.tmp.LATEST"):  # fmt: skip
        (run / name).unlink(missing_ok=True)
        (run / name).symlink_to(mine)
    resume(run)
    assert mine.read_text() == "precious"


@pytest.mark.parametrize("name", ["checkpoints", "checkpoints/replay", "policies"])
def test_nothing_is_deleted_where_a_link_leads_but_what_is_the_runs_own(tmp_path, run, name):
    elsewhere = tmp_path / "elsewhere"
    (run / name).rename(elsewhere)
    (run / name).symlink_to(elsewhere)
    others = ("thesis.tex", "2024.jpg", "99999999.txt", "²².safetensors", "notes.safetensors")
    for other in others:
        (elsewhere / other).write_text("precious")
    (elsewhere / "photos").mkdir()
    resume(run)
    assert all((elsewhere / other).read_text() == "precious" for other in others)
    assert (elsewhere / "photos").is_dir()


@pytest.mark.parametrize("make", [os.mkfifo, sparse, os.mkdir])
@pytest.mark.parametrize("name", ["config.json", "checkpoints/LATEST", "manifest.json",
                                  "agent.safetensors", "demos.npz"])  # fmt: skip
def test_what_is_not_a_file_or_far_too_large_is_not_read(run, name, make):
    path = run / name if "/" in name or (run / name).exists() else newest(run) / name
    path.unlink()
    make(path)
    if name in ("config.json", "demos.npz"):
        assert_refusal(run, name)
    elif name.endswith("LATEST") and make is os.mkdir:
        resume(run)
    else:
        assert newest_run(run) is not None


def test_a_manifest_that_names_more_than_any_checkpoint_has_is_not_followed(run, caplog):
    sparse(newest(run) / "agent.safetensors")
    manifest = json.loads((newest(run) / "manifest.json").read_text())
    manifest["files"]["agent.safetensors"]["size"] = 100 * 2**30
    (newest(run) / "manifest.json").write_text(json.dumps(manifest))
    whole = newest_run(run)
    assert whole.number == int(newest(run).name) - 1
    assert "bytes, more than" in caplog.text


def test_a_checkpoint_that_could_not_be_read_is_not_written(tmp_path):
    files = CheckpointFiles(tmp_path)
    with pytest.raises(OSError, match="too large"):
        files.write(0, {}, {"0000000000.safetensors": Entry(2**40, "")})
    assert files.numbers() == []


@pytest.mark.parametrize(
    "name", ["../agent.safetensors", "/etc/passwd", "..", "", "a\0b", "x" * 300]
)
def test_a_manifest_names_files_of_its_own_directory_alone(run, caplog, name):
    manifest = json.loads((newest(run) / "manifest.json").read_text())
    manifest["files"][name] = manifest["files"]["agent.safetensors"]
    (newest(run) / "manifest.json").write_text(json.dumps(manifest))
    assert newest_run(run).number == int(newest(run).name) - 1
    printed = [record.getMessage() for record in caplog.records]
    assert "is not whole" in printed[-1]
    assert printed[-1].isprintable()


def test_a_link_in_place_of_a_file_is_not_read(tmp_path, run):
    agent = newest(run) / "agent.safetensors"
    agent.rename(tmp_path / "agent")
    agent.symlink_to(tmp_path / "agent")
    assert newest_run(run).number == int(newest(run).name) - 1


def test_a_checkpoint_of_a_later_version_is_not_passed_over(run):
    manifest = json.loads((newest(run) / "manifest.json").read_text())
    (newest(run) / "manifest.json").write_text(json.dumps({"schema": 4, "trees": {}}))
    assert_refusal(run, "of a later version of headstart (schema 4, this one reads 3)")
    (newest(run) / "manifest.json").write_text(json.dumps({**manifest, "schema": 0}))
    assert newest_run(run).number == int(newest(run).name) - 1


def test_a_checkpoint_of_an_earlier_version_is_refused_in_a_line(run):
    manifest = json.loads((newest(run) / "manifest.json").read_text())
    (newest(run) / "manifest.json").write_text(json.dumps({**manifest, "schema": 1}))
    assert_refusal(
        run, "of an earlier version of headstart (schema 1, this one reads 3); resume with"
    )


def test_untrusted_versions_do_not_steer_the_terminal(run, caplog):
    record = json.loads((run / "config.json").read_text())
    record["versions"]["torch"] = "\x1b[31mred\n"
    (run / "config.json").write_text(json.dumps(record))
    resume(run)
    printed = [line.getMessage() for line in caplog.records if "not to the same bits" in line.msg]
    assert len(printed) == 1
    assert printed[0].isprintable()


def changed_state(run, change):
    """Change the state of the newest checkpoint, its hash too."""
    state = json.loads((newest(run) / "state.json").read_text())
    change(state, state["replay"])
    rewrite(run, {"state.json": json.dumps(state).encode()})


def changed_agent(run, **arrays):
    content, _ = unpack((newest(run) / "agent.safetensors").read_bytes())
    rewrite(run, {"agent.safetensors": pack({**content, **arrays})})


STATES = {
    "a negative counter": (
        lambda run, _: run["trainer"]["progress"].update(updates=-1), "negative"),
    "a metric of no update": (
        lambda run, _: run["trainer"]["metrics"].update(x=[1.0, 0]), "negative"),
    "infinite seconds": (
        lambda run, _: run["trainer"]["progress"].update(earlier_seconds=float("inf")),
        "not finite"),
    "no count of updates": (lambda run, _: run["trainer"]["progress"].pop("updates"), "missing"),
    "a billion episodes ahead": (
        lambda run, _: run["trainer"].update(num_asked=10**9), "at once"),
    "fewer episodes asked for than over": (
        lambda run, _: run["trainer"].update(num_asked=1), "asked for"),
    "no episodes ahead": (
        lambda run, _: run["trainer"].update(num_asked=run["trainer"]["progress"]["episodes"]),
        "asked for"),
    "a stream that is none": (
        lambda run, _: run["streams"].update(replay={"bit_generator": "PCG64"}), "stream replay"),
    "a stream of another kind": (
        lambda run, _: run["streams"]["replay"].update(bit_generator="MT19937"), "stream replay"),
    "a stream at a negative place": (
        lambda run, _: run["streams"]["replay"]["state"].update(state=-1), "stream replay"),
    "a stream too many": (lambda run, _: run["streams"].update(more={}), "streams"),
    "more episodes than added": (lambda _, replay: replay.update(num_added=0), "of 0 added"),
    "a negative row": (lambda _, replay: replay.update(next_row=-1), "do not lead to"),
    "an integer of 70 bits": (lambda _, replay: replay.update(next_row=2**70), "64 bits"),
}  # fmt: skip


@pytest.fixture
def trainer(point_demos):
    with prepare_run(POINT, CONFIG, point_demos, 0, None, []) as (trainer, _):
        yield trainer


def assert_refused_and_untouched(run, trainer, expected):
    before = standing_of(trainer)
    with pytest.raises(InputError, match=re.escape(expected)) as caught:
        restore_saved(run, trainer, newest_run(run))
    assert is_one_line(str(caught.value))
    assert standing_of(trainer) == before


@pytest.mark.parametrize("case", STATES)
def test_a_state_that_cannot_be_is_refused_and_nothing_is_put_back(run, trainer, case):
    change, printed = STATES[case]
    changed_state(run, change)
    assert_refused_and_untouched(run, trainer, printed)


def test_the_refused_states_are_one_change_from_a_good_one(run, trainer):
    changed_state(run, lambda state, replay: None)
    restore_saved(run, trainer, newest_run(run))
    assert trainer.replay.num_added > 0


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_a_state_that_could_not_be_read_again_is_not_saved(trainer, value):
    run_files(trainer)
    trainer.state.recent.add({"loss": torch.tensor(value)})
    with pytest.raises(ValueError, match=r"not finite|must be a number, got nan"):
        run_files(trainer)


@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        ({"moments.mean": np.full(6, 1e300)}, "beyond the range of float32"),
        ({"actor.weights.0.exp_avg_sq": None}, "must not be negative"),
        ({"moments.count": np.array(-1)}, "must not be negative"),
        ({"extra": np.zeros(1)}, "unknown: ['extra']"),
        ({"moments.mean": np.full(6, 1.0, np.float16)}, "float16"),
    ],
)
def test_an_agent_that_cannot_be_is_refused_and_nothing_is_put_back(run, trainer, arrays, expected):
    whole, _ = unpack((newest(run) / "agent.safetensors").read_bytes())
    arrays = {name: -1 - whole[name] if new is None else new for name, new in arrays.items()}
    changed_agent(run, **arrays)
    assert_refused_and_untouched(run, trainer, expected)


def test_the_policy_of_episodes_ahead_must_be_of_the_agents_form(run, trainer):
    policy = policy_from_bytes((newest(run) / "ahead.safetensors").read_bytes())
    wider = replace(policy, action_high=policy.action_high * 2)
    rewrite(run, {"ahead.safetensors": wider.to_bytes()})
    assert_refused_and_untouched(run, trainer, "another form than the agent's")


@pytest.mark.parametrize("name", ["metrics.jsonl", "agent.safetensors", "state.json"])
def test_a_checkpoint_that_lacks_a_file_is_refused(run, trainer, name):
    manifest = json.loads((newest(run) / "manifest.json").read_text())
    del manifest["files"][name]
    (newest(run) / "manifest.json").write_text(json.dumps(manifest))
    assert_refused_and_untouched(run, trainer, f"it lacks '{name}'")


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (b"[]\n", "must be an object"),
        (b'{"time/env_steps": 1}\n', "without eval/success_rate"),
        (b'{"time/env_steps": "1", "eval/success_rate": 0}\n', "must be a number"),
        (b'{"time/env_steps": Infinity, "eval/success_rate": 0}\n', "without time/env_steps"),
        (b"{", "Expecting"),
    ],
)
def test_metrics_that_a_run_cannot_continue_from_are_refused(run, trainer, rows, expected):
    rewrite(run, {"metrics.jsonl": rows})
    assert_refused_and_untouched(run, trainer, expected)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: DDPGConfig(hidden_sizes=(10**9,)), "at most 134217728 weights"),
        (lambda: DDPGConfig(hidden_sizes=(4096,) * 100), "at most 134217728 weights"),
        (lambda: DDPGConfig(num_critics=10**6), "at most 134217728 weights"),
        (lambda: TrainConfig(batch_size=2**40), "batch_size must be at most 1048576"),
        (lambda: TrainConfig(replay_capacity=2**40), "replay_capacity must be at most 2147483647"),
        (lambda: TrainConfig(torch_threads=10**9), "torch_threads must be at most 1024"),
        (lambda: CycleConfig(episodes=10**9), "cycle.episodes must be at most 100000"),
        (lambda: WarmStartConfig(episodes=10**9), "warm_start.episodes must be at most 100000"),
        (lambda: EvaluationConfig(episodes=10**9), "evaluation.episodes must be at most 100000"),
    ],
)
def test_settings_that_would_fill_the_memory_are_refused(make, expected):
    with pytest.raises(InputError, match=re.escape(expected)):
        make()


def test_a_replay_that_does_not_fit_is_reported(monkeypatch):
    def no_memory(*arguments, **options):
        raise MemoryError

    monkeypatch.setattr("headstart.training.assembly.EpisodeReplay", no_memory)
    with pytest.raises(InputError, match="replay_capacity 1000 does not fit into this machine"):
        train(POINT, CONFIG)
