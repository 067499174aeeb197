import json
import sys
from dataclasses import dataclass, replace

import numpy as np
import pytest
from builders import is_one_line, point_policy
from exporting import policy_of

from headstart.cli.main import main, parse
from headstart.cli.train import settings_of
from headstart.errors import InputError
from headstart.export.card import Facts, card_of
from headstart.export.contract import inputs_of
from headstart.export.policy import export_policy
from headstart.policy import load_policy
from headstart.presets import PRESETS
from headstart.runs.changes import train_command
from headstart.runs.record import RunRecord, current_versions
from headstart.training.evaluation import summarize


def record(config, **rest):
    demos = rest.pop("demos", None)
    return RunRecord(
        env_id="PointReach-v0", config=config, demos=demos, versions=current_versions(), **rest
    )


CHANGES = {
    "seed": 7,
    "agent.hidden_sizes": (32, 16),
    "agent.q_filter": False,
    "fine_scales": (10.0,),
    "target_success": 0.9,
    "actor_inputs": "all",
}


@pytest.mark.parametrize("preset", PRESETS)
def test_the_command_of_a_run_gives_its_settings(preset):
    config = PRESETS[preset].with_(CHANGES)
    line = train_command(record(config, demos={"episodes": 1}))
    arguments = parse(line.split()[1:])
    assert settings_of(arguments) == config
    assert arguments.demos == ["demos.npz"]


def test_what_a_run_decided_is_left_open_in_its_command():
    config = PRESETS["fast"].with_({"demos.other_goals": True})
    assert train_command(record(config, decided=["demos.other_goals"])) == (
        "headstart train PointReach-v0"
    )


def test_a_folder_for_the_hub_holds_policy_card_and_curve(tmp_path, capsys):
    run = tmp_path / "run"
    (run / "policies").mkdir(parents=True)
    config = PRESETS["fast"].with_({"seed": 3})
    record(config, demos={"episodes": 5}).write(run)
    metadata = {"env_id": "PointReach-v0", "env_steps": 40, "success_rate": 0.75}
    policy = replace(point_policy(), metadata={**metadata, "evaluation_episodes": 20})
    policy.save(run / "policies" / "best.safetensors")
    row = {"time/env_steps": 40, "eval/success_rate": 0.75, "eval/mean_q": -1.0}
    (run / "metrics.jsonl").write_text(json.dumps(row) + "\n")
    main(["export", str(run), "--format", "hub", "--out", str(tmp_path / "hub")])
    names = {path.name for path in (tmp_path / "hub").iterdir()}
    assert {"README.md", "policy.safetensors", "curve.png", "config.json"} <= names
    loaded = load_policy(tmp_path / "hub" / "policy.safetensors")
    assert np.array_equal(loaded.mean, policy.mean)
    card = (tmp_path / "hub" / "README.md").read_text()
    assert "value: 0.7500" in card
    assert "20 episodes of its run, by which the policy was chosen" in card
    assert "headstart train PointReach-v0 --demos demos.npz --seed 3" in card
    with pytest.raises(SystemExit) as exit:
        main(["export", str(run), "--format", "hub", "--out", str(tmp_path / "hub")])
    assert exit.value.code == 2
    assert "new or empty" in capsys.readouterr().err


def test_a_card_reports_an_evaluation_in_place_of_what_chose_the_policy(point_demos):
    result = summarize("PointReach-v0", 9, point_demos.episodes)
    policy = replace(point_policy(), metadata={"env_id": "P", "success_rate": 0.1})
    card = card_of(policy, Facts(files=[], evaluation=result))
    assert f"{result.success_rate:.1%}" in card
    assert "5 greedy episodes, seed 9" in card
    assert "chosen" not in card


def test_what_a_file_says_of_itself_is_quoted_in_the_card():
    named = {"env_id": "x\n---\nlicense: <script>alert(1)</script>[a](b)"}
    card = card_of(replace(point_policy(), metadata=named), Facts(files=[]))
    _, yaml, text = card.split("---\n", 2)
    assert "\nlicense" not in yaml
    assert "<script>" not in text
    assert "[a](b)" not in text


def test_suffixes_say_the_format(tmp_path):
    export_policy(policy_of("both"), tmp_path / "policy.c")
    assert "int headstart_act(" in (tmp_path / "policy.c").read_text()
    with pytest.raises(InputError, match="says no format") as error:
        export_policy(policy_of("both"), tmp_path / "policy")
    assert is_one_line(str(error.value))


def test_inputs_of_a_kind_that_is_new_are_refused():
    @dataclass(frozen=True)
    class Later(type(policy_of("fine scales").inputs)):
        chosen: tuple[int, ...] = ()

    inputs = policy_of("fine scales").inputs
    later = Later(inputs.terms, inputs.observation_dim, inputs.goal_dim, inputs.scales, (1,))
    policy = replace(policy_of("fine scales"), inputs=later)
    with pytest.raises(InputError, match="chosen, which cannot be exported yet") as error:
        inputs_of(policy)
    assert is_one_line(str(error.value))


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(InputError, match=r"pip install 'headstart\[onnx\]'"):
        export_policy(policy_of("both"), tmp_path / "policy.onnx")
