"""Damaged demo files: each is read or refused in one line, whatever was damaged.

``HEADSTART_FUZZ`` is the number of files, for longer runs.
"""

import numpy as np
import pytest
from builders import is_one_line, random_episode
from mutations import COUNT, damaged, outcome

from headstart.demos.inspect import inspect_demos
from headstart.demos.storage import DemoSet, load_demos, save_demos


@pytest.mark.filterwarnings("error")
def test_damaged_files_are_read_or_refused_in_one_line(tmp_path):
    path = tmp_path / "demos.npz"
    rng = np.random.default_rng(0)
    episodes = tuple(random_episode(rng, steps, state_dim=3, info_dim=1) for steps in (2, 3))
    header = {"expert": "nobody", "noise": 0.0, "reward_info_keys": ["speed"], "remarks": ["old"]}
    save_demos(path, DemoSet("PointReach-v0", episodes, header))
    content = path.read_bytes()
    refused = 0
    for number in range(COUNT):
        path.write_bytes(damaged(content, np.random.default_rng(number)))
        found = outcome(load_demos, path)
        if isinstance(found, DemoSet):
            assert all(np.isfinite(episode.observations).all() for episode in found.episodes)
            inspect_demos(found)
        else:
            assert found.startswith(f"InputError: {path}: "), number
            assert is_one_line(found), number
            assert found.isprintable(), number
            assert len(found) < len(str(path)) + 300, number
            refused += 1
    print(f"{COUNT} damaged files: {refused} refused, {COUNT - refused} read")
    assert COUNT // 2 < refused < COUNT
