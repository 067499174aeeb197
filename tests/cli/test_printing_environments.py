"""``--json`` prints one JSON object, whatever the environment prints."""

import json
import subprocess
import sys
from pathlib import Path

from builders import point_policy

from headstart.cli.main import main

ENV = "envs.printing:Printing-v0"


def test_a_check_prints_json_alone(capfd):
    main(["envs", "check", ENV, "--json"])
    printed = capfd.readouterr()
    assert json.loads(printed.out)["env_id"] == ENV
    for line in ("ready", "built for CPU", "reset", "steps"):
        assert f"simulator 1.0{':' * (line == 'built for CPU')} {line}" in printed.err
    # Afterwards standard output is what it was.
    print("after")
    assert capfd.readouterr().out == "after\n"


def test_an_evaluation_prints_json_alone(tmp_path, capfd):
    policy = tmp_path / "policy.safetensors"
    point_policy().save(policy)
    main(["evaluate", str(policy), "--env", ENV, "--episodes", "2", "--collectors", "0", "--json"])
    assert json.loads(capfd.readouterr().out)["episodes"] == 2


def test_what_is_printed_at_the_very_end_is_not_a_result():
    command = [sys.executable, "-m", "headstart", "envs", "check", ENV, "--json"]
    printed = subprocess.run(
        command, capture_output=True, cwd=Path(__file__).parents[1], check=True
    )
    assert json.loads(printed.stdout)["problems"] == []
    assert printed.stderr.endswith(b"simulator 1.0 ends\n")
