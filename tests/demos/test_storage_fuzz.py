"""Damaged demo files: each is read or refused in one line, whatever was damaged.

``HEADSTART_FUZZ`` is the number of files, for longer runs.
"""

import numpy as np
import pytest
from builders import random_episode
from damaged_archives import read_damaged

from headstart.demos.inspect import inspect_demos
from headstart.demos.storage import DemoSet, load_demos, save_demos


@pytest.mark.filterwarnings("error")
def test_damaged_files_are_read_or_refused_in_one_line(tmp_path):
    path = tmp_path / "demos.npz"
    rng = np.random.default_rng(0)
    episodes = tuple(random_episode(rng, steps, state_dim=3, info_dim=1) for steps in (2, 3))
    header = {"expert": "nobody", "noise": 0.0, "reward_info_keys": ["speed"], "remarks": ["old"]}
    save_demos(path, DemoSet("PointReach-v0", episodes, header))
    for found in read_damaged(load_demos, path, [path.read_bytes()]):
        inspect_demos(found)
