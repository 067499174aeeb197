"""Every verb on a task that takes no simulator, in this process."""

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from builders import point_expert

from headstart.cli.main import main
from headstart.demos.record import collect_demos
from headstart.demos.storage import save_demos
from headstart.files.run_files import read_metrics
from headstart.policy import load_policy
from headstart.presets import PRESETS

# fmt: off
SHORT = [
    "--env-steps", "600", "--evaluation.every", "300", "--evaluation.episodes", "5",
    "--agent.hidden-sizes", "16", "16", "--warm-start.bc-updates", "20",
    "--warm-start.episodes", "4", "--warm-start.critic-updates", "10", "--cycle.updates", "5",
    "--batch-size", "32", "--policy-every", "300", "--collectors", "0",
]
# fmt: on


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """A short run with demonstrations."""
    directory = tmp_path_factory.mktemp("commands")
    save_demos(directory / "demos.npz", collect_demos("PointReach-v0", point_expert, episodes=3))
    out = directory / "run"
    demos = ["--demos", str(directory / "demos.npz")]
    main(["train", "PointReach-v0", *demos, "--out", str(out), *SHORT])
    return out


def test_a_run_directory_holds_configuration_metrics_and_policies(run):
    record = json.loads((run / "config.json").read_text())
    assert record["config"]["batch_size"] == 32
    assert record["config"]["agent"]["hidden_sizes"] == [16, 16]
    assert record["demos"]["episodes"] == 3
    assert {"torch", "mujoco", "gymnasium"} <= set(record["versions"])
    assert list((run / "tensorboard").iterdir())
    names = {path.name for path in (run / "policies").iterdir()}
    assert names == {
        "best.safetensors",
        "latest.safetensors",
        "00000300.safetensors",
        "00000600.safetensors",
    }


def test_metrics_carry_the_documented_tags(run):
    rows = read_metrics(run)
    assert [row["time/env_steps"] for row in rows] == [300, 600]
    tags = (
        "eval/success_rate eval/mean_q rollout/success_rate train/critic_loss train/actor_loss "
        "train/bc_loss train/q_filter_pass_rate train/mean_q time/env_steps time/episodes "
        "time/updates time/wall_seconds"
    )
    assert set(tags.split()) <= set(rows[-1])


def test_training_stops_early_at_the_target_success(run, tmp_path, capsys):
    demos = ["--demos", str(run.parent / "demos.npz")]
    out = tmp_path / "early"
    target = ["--target-success", "0.0"]
    main(["train", "PointReach-v0", *demos, "--out", str(out), *SHORT, *target])
    assert [row["time/env_steps"] for row in read_metrics(out)] == [300]
    assert "headstart evaluate" in capsys.readouterr().out


def test_one_command_begins_and_continues_a_run(tmp_path, capsys):
    command = ["train", "PointReach-v0", "--out", str(tmp_path / "run"), *SHORT, "--resume"]
    main(command)
    begun = capsys.readouterr()
    main(command)
    continued = capsys.readouterr()
    assert "success" in begun.err
    assert "success" not in continued.err
    assert begun.out.splitlines()[-1] == continued.out.splitlines()[-1]
    with pytest.raises(SystemExit) as ended:
        main(["train", "PointReach-v0", "--resume"])
    assert ended.value.code == 2
    assert "--resume needs the directory of the run, --out DIR" in capsys.readouterr().err


def test_off_a_terminal_progress_is_plain_lines_on_standard_error(run, tmp_path, capsys):
    main(["train", "PointReach-v0", "--out", str(tmp_path / "plain"), *SHORT])
    printed = capsys.readouterr()
    lines = printed.err.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("run directory: ")
    assert all("success" in line and "mean Q" in line for line in lines[1:])
    assert "\x1b" not in printed.err


def test_evaluate_prints_one_json_object(run, capsys):
    main(["evaluate", str(run), "--episodes", "6", "--json", "--collectors", "0"])
    result = json.loads(capsys.readouterr().out)
    assert result["episodes"] == 6
    low, high = result["interval"]
    assert 0.0 <= low <= result["success_rate"] <= high <= 1.0
    assert result["floor"]["success_rate"] == 0.0
    main(["evaluate", str(run), "--episodes", "6", "--json", "--no-floor", "--collectors", "2"])
    assert json.loads(capsys.readouterr().out) == {**result, "floor": None}


def test_evaluate_takes_a_policy_file_and_prints_for_a_person(run, capsys):
    policy = str(run / "policies" / "latest.safetensors")
    main(["evaluate", policy, "--episodes", "4", "--no-floor", "--collectors", "0"])
    printed = capsys.readouterr().out
    assert "success at the last step" in printed
    assert "doing nothing" not in printed


def test_inspect_reports_counts_and_problems(run, capsys):
    main(["demos", "inspect", str(run.parent / "demos.npz"), "--json"])
    report = json.loads(capsys.readouterr().out)
    assert report["episodes"] == 3
    assert report["transitions"] == 90
    assert report["success_rate"] == 1.0
    assert report["problems"] == []
    main(["demos", "inspect", str(run.parent / "demos.npz")])
    assert "none found" in capsys.readouterr().out


def test_a_single_demonstration_or_episode_is_not_a_plural(run, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "store"))
    one = ["--episodes", "1", "--collectors", "0"]
    out, again = str(tmp_path / "one.npz"), str(tmp_path / "again.npz")
    policy = ["--policy", str(run), "--keep-failures"]
    main(["demos", "collect", "PointReach-v0", *policy, *one, "--out", out])
    assert f"{out}: 1 demonstration of PointReach-v0, 30 transitions" in capsys.readouterr().out
    main(["demos", "export", out, "--minari", "one/point-v0"])
    assert "one/point-v0: 1 demonstration, in" in capsys.readouterr().out
    main(["demos", "import", "one/point-v0", "--env", "PointReach-v0", "--out", again])
    assert f"{again}: 1 demonstration of PointReach-v0\n" in capsys.readouterr().out
    main(["evaluate", str(run), *one])
    assert "PointReach-v0: 1 greedy episode, seed 0" in capsys.readouterr().out


def test_plot_groups_runs_and_writes_a_picture(run, tmp_path):
    picture = tmp_path / "curves.png"
    main(["plot", str(run), "--out", str(picture), "--smooth", "2"])
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_default_run_directories_are_numbered(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    demos = ["--demos", str(run.parent / "demos.npz")]
    for _ in range(2):
        main(["train", "PointReach-v0", *demos, *SHORT, "--target-success", "0.0"])
    found = sorted(path.name for path in Path("runs").iterdir())
    assert found == ["PointReach-v0-fast-1", "PointReach-v0-fast-2"]


@pytest.mark.parametrize("columns", [20, 50, 80, 250])
def test_the_help_of_train_fills_its_lines(capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    indent, width = 8 * " ", min(columns, 100)
    lines = capsys.readouterr().out.split("\n")
    filled = [pair for pair in pairwise(lines) if all(line.startswith(indent) for line in pair)]
    assert len(filled) > 10
    for line, following in filled:
        assert len(line) <= width or " " not in line.strip()
        assert len(f"{line} {following.split()[0]}") > width, line


def test_the_help_of_train_shows_the_defaults_of_the_preset(capsys):
    printed = {}
    for preset in ("fast", "nair2018"):
        with pytest.raises(SystemExit):
            main(["train", f"--preset={preset}", "--help"])
        printed[preset] = " ".join(capsys.readouterr().out.split())
    assert f"(default: {PRESETS['fast'].batch_size})" in printed["fast"]
    assert f"(default: {PRESETS['nair2018'].batch_size})" in printed["nair2018"]


@pytest.mark.parametrize("verb", ["", "demos collect", "train", "evaluate", "play", "plot"])
def test_every_verb_explains_itself(verb, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([*verb.split(), "--help"])
    assert stopped.value.code == 0
    printed = capsys.readouterr().out
    assert "headstart" in printed
    assert verb != "train" or "--agent.q-filter" in printed


def test_the_best_policy_knows_what_it_scored(run):
    metadata = load_policy(run).metadata
    rates = [row["eval/success_rate"] for row in read_metrics(run)]
    assert metadata["success_rate"] == max(rates)
    assert metadata["env_id"] == "PointReach-v0"


@pytest.mark.slow
def test_what_does_not_learn_starts_without_torch():
    script = """
import importlib, sys
for verb in ("demos", "envs", "evaluate", "play", "plot", "doctor"):
    importlib.import_module(f"headstart.cli.{verb}")
    if "torch" in sys.modules:
        sys.exit(f"{verb} imports torch")
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_run_directory_has_a_short_name_whatever_the_arguments(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    long = ",".join(f"max_episode_steps={number}" for number in range(300, 330))
    main(["train", f"PointReach-v0,{long}", *SHORT])
    (run,) = (tmp_path / "runs").iterdir()
    assert run.name.startswith("PointReach-v0-max_episode_steps=300-max")
    assert run.name.endswith("-fast-1")
    assert len(run.name) < 90


@pytest.mark.parametrize("options", [["--help"], ["PointReach-v0", "--agent.gama", "1"]])
def test_help_and_a_wrong_option_of_train_wait_for_no_simulator(options):
    program = (
        "import contextlib, sys\n"
        "from headstart.cli.main import main\n"
        "with contextlib.suppress(SystemExit):\n"
        f"    main({['train', *options]})\n"
        "print(sorted({'torch', 'gymnasium', 'mujoco'} & {*sys.modules}), file=sys.stderr)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stderr.splitlines()[-1] == "[]"
