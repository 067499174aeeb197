"""Settings from a file, over those of the preset and under those of options."""

import json
import shlex

import pytest
from builders import is_one_line
from small_runs import POINT, SMALL

from headstart.cli.main import main, parse
from headstart.cli.train import settings_of
from headstart.errors import InputError
from headstart.presets import PRESETS
from headstart.runs.record import read_record
from headstart.runs.train import train


def settings(command):
    return settings_of(parse(["train", "ENV", *shlex.split(command)]))


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Write a file of settings, and return the option that reads it."""
    monkeypatch.chdir(tmp_path)

    def write(content):
        text = content if isinstance(content, bytes) else json.dumps(content).encode()
        (tmp_path / "mine.json").write_bytes(text)
        return "--config mine.json"

    return write


def test_a_file_is_over_the_preset_and_under_options(file):
    option = file({"seed": 3, "agent": {"tau": 0.01}, "cycle.updates": 7, "fine_scales": [1, 2.0]})
    expected = {"seed": 4, "agent.tau": 0.01, "cycle.updates": 7, "fine_scales": (1.0, 2.0)}
    assert settings(f"--seed 4 {option} --preset her") == PRESETS["her"].with_(expected)
    assert settings(f"{option} --preset her") == PRESETS["her"].with_({**expected, "seed": 3})


def test_settings_that_exclude_each_other_may_come_from_file_and_option(file):
    with pytest.raises(InputError, match=r"^mine\.json: cycle\.updates and .* exclude each other"):
        settings(f"{file({'cycle.updates_per_step': 1.0})} --preset her")
    option = file({"cycle": {"updates_per_step": 1.0, "updates": None}})
    assert settings(f"{option} --preset her").cycle.updates_per_step == 1.0


def test_the_configuration_of_a_run_makes_another_with_the_same_settings(tmp_path):
    train(POINT, SMALL, out=tmp_path / "first")
    record = tmp_path / "first" / "config.json"
    for preset in PRESETS:
        found = settings(f"--config {record} --preset {preset}")
        assert found == read_record(tmp_path / "first").config
    part = tmp_path / "part.json"
    part.write_text(json.dumps(json.loads(record.read_text())["config"]))
    assert settings(f"--config {part}") == read_record(tmp_path / "first").config


def test_what_a_run_decided_by_itself_is_left_open_again(tmp_path):
    given = SMALL.with_({"demos.other_goals": None, "warm_start.episodes": None})
    train(POINT, given, out=tmp_path / "first")
    record = tmp_path / "first" / "config.json"
    assert read_record(tmp_path / "first").config.warm_start.episodes is not None
    assert settings(f"--config {record}") == given
    content = json.loads(record.read_text())
    record.write_text(json.dumps({**content, "decided": [3]}))
    with pytest.raises(InputError, match=r"config\.json: decided"):
        settings(f"--config {record}")


def test_a_run_of_the_command_line_uses_the_file(file, tmp_path):
    small = {"env_steps": 0, "agent.hidden_sizes": [4], "evaluation.episodes": 1}
    option = file({**small, "env_steps": 40, "warm_start": {"episodes": 1, "critic_updates": 1}})
    main(shlex.split(f"train PointReach-v0 {option} --out run --collectors 0 --seed 9"))
    config = read_record(tmp_path / "run").config
    assert (config.seed, config.env_steps, config.agent.hidden_sizes) == (9, 40, (4,))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"agent": {"actorlr": 1}}, "no setting 'agent.actorlr'; did you mean agent.actor_lr"),
        ({"agent.actorlr": 1}, "no setting 'agent.actorlr'; did you mean agent.actor_lr"),
        ({"env_id": "PointReach-v0"}, "there is no setting 'env_id'"),
        ({"config": {"sed": 1}}, "there is no setting 'sed'; did you mean seed?"),
        ({"config": 3}, "there is no setting 'config'"),
        ({"env_steps": "many"}, "env_steps must be an integer, got 'many'"),
        ({"env_steps": 12.5}, "env_steps must be an integer, got 12.5"),
        ({"env_steps": None}, "env_steps must be an integer, got None"),
        ({"env_steps": True}, "env_steps must be an integer, got True"),
        ({"symmetry": "yes"}, "symmetry must be True or False, got 'yes'"),
        ({"agent": {"hidden_sizes": 64}}, "agent.hidden_sizes must be a list of integers, got 64"),
        ({"agent": {"hidden_sizes": [64, 0]}}, "agent.hidden_sizes must be positive, got (64, 0)"),
        ({"agent": 3}, "agent must be an object of settings (in Python a DDPGConfig"),
        ({"agent.discount": 1.5}, "agent.discount must lie in [0, 1), got 1.5"),
        ({"resets.goal": "final"}, "resets.goal must be one of achieved, desired, got 'final'"),
        ({"a\n\x1b[31mred": 1}, "there is no setting"),
        ([1], "must be an object of settings"),
        (b'{"seed": 1, "seed": 2}', "JSON with a key twice"),
        (b'{"agent.tau": NaN}', "JSON with NaN"),
        (b'{"agent.tau": 1e400}', "beyond the range of floats"),
        (b"[" * 50_000, "deeper than"),
        (b"seed: 1", "mine.json: not JSON: Expecting value"),
        ({"agnet": {"tau": 0.1}}, "there is no setting 'agnet'; did you mean agent?"),
        ({"agnet.tau": 0.1}, "there is no setting 'agnet.tau'; did you mean agent.tau?"),
        (b'{"seed": ' + b"9" * 6000 + b"}", "JSON with an integer of 6000 digits"),
        ({"agent": {"hidden_sizes": []}}, "must hold at least one number, got ()"),
        (b"", "it is an empty file"),
        (b"PK\x03\x04", "it is a zip"),
        (b" " * 2**21, "of which 1048576 are read at most"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line_that_names_it(file, capsys, content, expected):
    with pytest.raises(SystemExit, match="2"):
        main(shlex.split(f"train PointReach-v0 --collectors 0 {file(content)}"))
    message = capsys.readouterr().err
    assert message.startswith("headstart: mine.json: ")
    assert expected in message
    assert message.count("\n") == 1
    assert message[:-1].isprintable()


@pytest.mark.parametrize("name", ["missing.json", "long" * 75])
def test_what_is_not_a_file_is_reported(name):
    with pytest.raises(InputError, match="no such file of settings") as refusal:
        settings(f"--config {name}")
    assert is_one_line(str(refusal.value))


def test_a_directory_is_not_a_file_of_settings(tmp_path):
    with pytest.raises(InputError, match="is a directory, give a file") as refusal:
        settings(f"--config {tmp_path}")
    assert is_one_line(str(refusal.value))
