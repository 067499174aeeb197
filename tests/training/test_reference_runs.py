"""Short runs of every preset, to the bits that they had when their hashes were recorded.

Floats differ between processors and versions of the libraries, so each hash stands beside those
that it was made with, and elsewhere the test is skipped. ``HEADSTART_RECORD=1`` records the hashes
of the machine at hand; what they are compared with must come from an earlier revision.
"""

import hashlib
import json
import os
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import torch
from small_runs import POINT, Diary

from headstart.presets import PRESETS
from headstart.runs.train import train

RECORDED = Path(__file__).with_name("reference_runs.json")
PACKAGES = ("torch", "numpy", "gymnasium")
SHORT = {
    "env_steps": 360,
    "batch_size": 64,
    "replay_capacity": 250,
    "log_every": 10,
    "agent.hidden_sizes": (16, 16),
    "demos.num_episodes": 5,
    "evaluation.every": 100,
    "evaluation.episodes": 4,
}
"""The replay holds 8 episodes of the 12, each of 30 steps."""
WARM = {"warm_start.bc_updates": 60, "warm_start.episodes": 3, "warm_start.critic_updates": 30}
RUNS = {
    "fast": ("fast", WARM, False),
    "fast with demonstrations": ("fast", WARM, True),
    "nair2018": ("nair2018", {"cycle.updates": 10, "resets.probability": 0.3}, True),
    "her": ("her", {"cycle.updates": 10}, False),
}


class Listening(Diary):
    """Keeps the rows of updates too."""

    def __init__(self):
        super().__init__()
        self.logs = []

    def logged(self, metrics, env_steps):
        self.logs.append({**metrics, "env_steps": env_steps})


def machine():
    """What the bits of a run depend on besides the code."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = ("vendor_id", "cpu family", "model\t", "model name")
    processor = [line.partition(":")[2].strip() for line in lines if line.startswith(names)][:4]
    packages = [f"{name} {version(name)}" for name in PACKAGES]
    capability = torch.backends.cpu.get_cpu_capability()
    return ", ".join([*packages, capability, platform.machine(), *processor])


def hash_of(policies, rows):
    """Hash all arrays of some policies, and rows of metrics without their clocks."""
    digest = hashlib.sha256()
    for policy in policies:
        for name, array in sorted(policy.arrays().items()):
            digest.update(f"{name} {array.dtype} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
    timeless = [
        {name: value for name, value in row.items() if not name.endswith("_seconds")}
        for row in rows
    ]
    digest.update(json.dumps(timeless, sort_keys=True).encode())
    return digest.hexdigest()


@pytest.mark.parametrize("name", RUNS)
def test_a_preset_gives_the_bits_that_were_recorded(name, point_demos):
    recorded = json.loads(RECORDED.read_text())
    here = machine()
    recording = "HEADSTART_RECORD" in os.environ
    if here not in recorded and not recording:
        pytest.skip(f"no hashes were recorded on {here}")
    preset, changes, shown = RUNS[name]
    diary = Listening()
    result = train(
        POINT,
        PRESETS[preset].with_({**SHORT, **changes}),
        demos=point_demos if shown else None,
        observers=[diary],
    )
    assert result.progress.updates > 0
    assert len(diary.rows) >= 3
    found = hash_of([result.policy, result.best_policy], [*diary.rows, *diary.logs])
    if recording:
        recorded.setdefault(here, {})[name] = found
        RECORDED.write_text(json.dumps(recorded, indent=2, sort_keys=True) + "\n")
    assert found == recorded[here][name], "if this is meant, record the hashes again"
