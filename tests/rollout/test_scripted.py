"""What a script defines and registers, and what lies beside it, is there in collectors too."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("scripted.py")
BESIDE = """
import gymnasium as gym
from headstart.envs.toy import PointReach
gym.register("Beside-v0", f"{__name__}:Beside", max_episode_steps=5)
class Beside(PointReach):
    pass
"""


@pytest.mark.slow
@pytest.mark.parametrize("safe_path", [False, True])
def test_collectors_find_what_a_script_finds(tmp_path, safe_path):
    """Also where Python does not look beside the script, and the script adds it to the path."""
    project, elsewhere = tmp_path / "projekt ü", tmp_path / "elsewhere"
    project.mkdir()
    elsewhere.mkdir()
    (project / "beside.py").write_text(BESIDE)
    script = SCRIPT.read_text()
    environment = {key: it for key, it in os.environ.items() if key != "PYTHONSAFEPATH"}
    names = ["registered", "by_name", "factory", "object", "beside"]
    expected = [
        "Class-v0,pull=0.5 EnvSpec True beside",
        "Halved(Named-v0) EnvSpec True beside",
        "__main__:make_factory.<locals>.<lambda> function True beside",
        "__main__:Own(...) bytes True beside",
        "beside:Beside-v0 EnvSpec True beside",
    ]
    if safe_path:
        script = f"import sys; sys.path.append({str(project)!r})\n{script}"
        environment["PYTHONSAFEPATH"] = "1"
        names, expected = names[-1:], expected[-1:]
    (project / "script.py").write_text(script)
    finished = subprocess.run(
        [sys.executable, project / "script.py", *names],
        cwd=elsewhere,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert finished.stdout.splitlines() == expected, finished.stderr
    assert finished.stderr == ""
