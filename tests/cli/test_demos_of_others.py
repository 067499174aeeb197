"""``train`` takes what ``demos import`` takes, several files at once, and says what it changes."""

import shlex

import numpy as np
import pytest
from builders import point_expert
from demo_files import her_buffer, write_baselines

from headstart.cli.main import main
from headstart.demos.record import collect_demos
from headstart.demos.storage import load_demos, save_demos

CLONE = (
    "--env-steps 0 --collectors 0 --warm-start.bc-updates 1 --warm-start.episodes 1 "
    "--warm-start.critic-updates 1 --batch-size 8 --agent.hidden-sizes 8 --evaluation.episodes 1"
)


@pytest.fixture(scope="module")
def good_files(tmp_path_factory):
    directory = tmp_path_factory.mktemp("files")
    demos = collect_demos("PointReach-v0", point_expert, episodes=2)
    save_demos(directory / "own.npz", demos)
    write_baselines(directory / "theirs.npz", demos.episodes, info=False)
    np.savez(directory / "her.npz", **her_buffer(demos.episodes))
    return directory


@pytest.fixture
def place(good_files, tmp_path, monkeypatch):
    monkeypatch.chdir(good_files)
    return tmp_path


def run(command):
    main(shlex.split(command))


def test_training_joins_files_of_every_kind(place, capsys, caplog):
    files = "own.npz theirs.npz --demos=her.npz"
    run(f"train --demos {files} PointReach-v0 --out {place / 'run'} {CLONE}")
    demos = load_demos(place / "run" / "demos.npz")
    assert len(demos.episodes) == 6
    assert [part["file"] for part in demos.header["joined"]] == ["own.npz", "theirs.npz", "her.npz"]
    assert [message.partition(":")[0] for message in caplog.messages] == ["theirs.npz", "her.npz"]
    assert "2 of 2 episodes succeed at their last step." in caplog.messages[0]
    # Of a run directory its demonstrations are taken.
    run(f"demos import {place / 'run'} --env PointReach-v0 --out {place / 'again.npz'}")
    assert load_demos(place / "again.npz").episodes == demos.episodes


def test_import_joins_files_of_every_kind(place, capsys):
    out = place / "joined.npz"
    run(f"demos import own.npz her.npz --env PointReach-v0 --out {out}")
    assert len(load_demos(out).episodes) == 4
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == f"{out}: 4 demonstrations of PointReach-v0"
    assert printed[1] == "  her.npz: 2 of 2 episodes succeed at their last step."
    run(f"demos inspect {out}")
    assert "joined from own.npz and 1 other file, " in capsys.readouterr().out


@pytest.mark.parametrize("filler", ["last state", "zeros"])
def test_a_buffer_whose_episodes_end_early_at_the_goal_is_cut_there(place, capsys, filler):
    env = "envs.defective:StopsSilently-v0"
    episodes = collect_demos(env, point_expert, episodes=4).episodes
    assert len({len(episode) for episode in episodes}) > 1
    buffers = her_buffer(episodes)
    if filler == "last state":
        for row, episode in enumerate(episodes):
            end = len(episode)
            for name, array in buffers.items():
                last = end if name in ("o", "ag") else end - 1
                array[row, last:] = array[row, last]
            buffers["u"][row, end:] = 0.0
    np.savez(place / "her.npz", **buffers)
    run(
        f"demos import {place / 'her.npz'} --env {env} --task.success-terminates True "
        f"--out {place / 'cut.npz'}"
    )
    for found, episode in zip(load_demos(place / "cut.npz").episodes, episodes, strict=True):
        np.testing.assert_array_equal(found.observations, episode.observations)
        np.testing.assert_array_equal(found.actions, episode.actions)
        assert found.terminated.tolist() == [False] * (len(episode) - 1) + [True]
    capsys.readouterr()
    run(f"demos import {place / 'her.npz'} --env {env} --out {place / 'unknown.npz'}")
    whole = [len(episode) for episode in load_demos(place / "unknown.npz").episodes]
    said = capsys.readouterr().out
    if filler == "zeros":
        assert whole == [len(episode) for episode in episodes]
    else:
        assert set(whole) == {max(map(len, episodes))}
        assert "--task.success-terminates True cuts them there." in said


def test_what_is_declared_for_an_import_is_checked(place, capsys):
    command = f"demos import own.npz --env PointReach-v0 --out {place / 'new.npz'}"
    with pytest.raises(SystemExit) as stopped:
        run(f"{command} --task.reward-range 1 0")
    assert stopped.value.code == 2
    assert "task.reward_range must be (low, high)" in capsys.readouterr().err


def test_sparse_demonstrations_serve_the_dense_task(place, caplog):
    run(f"train PointReachDense-v0 --demos own.npz --out {place / 'run'} {CLONE}")
    printed = "own.npz: Recorded with PointReach-v0, used for PointReachDense-v0."
    assert caplog.messages == [printed]
    assert load_demos(place / "run" / "demos.npz").env_id == "PointReachDense-v0"


def test_for_another_task_the_command_that_is_printed_says_that_they_fit(place, capsys):
    training = f"train Wrapped-v3 --out {place / 'run'} {CLONE} --demos"
    with pytest.raises(SystemExit) as stopped:
        run(f"{training} own.npz")
    assert stopped.value.code == 2
    command = capsys.readouterr().err.partition("say so: headstart ")[2]
    out = place / "stated.npz"
    run(command.replace("NEW.npz", str(out)))
    assert "  Recorded with PointReach-v0, used for Wrapped-v3." in capsys.readouterr().out
    run(f"{training} {out}")
    assert len(load_demos(place / "run" / "demos.npz").episodes) == 2
