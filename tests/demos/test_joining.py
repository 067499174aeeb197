"""Several sets of demonstrations become one; what is refused is in ``test_opening.py``."""

from dataclasses import replace

import numpy as np
import pytest
from builders import random_episode

from headstart.demos.foreign.joining import join_demos
from headstart.demos.storage import DemoSet, load_demos, save_demos


def demo_set(number=0, state_dim=0, **header):
    rng = np.random.default_rng(number)
    episodes = tuple(random_episode(rng, 4, state_dim=state_dim) for _ in range(2))
    return DemoSet("PointReach-v0", episodes, {"expert": "nobody", **header})


def test_headers_keep_what_they_agree_on_and_where_each_part_is_from():
    bounds = [[-1.0, -1.0], [1.0, 1.0]]
    first = demo_set(
        0, seed=1, noise=0.0, remarks=["Old."], action_bounds=bounds, is_success=[True]
    )
    second = demo_set(1, seed=2, noise=0.3, imported_from="data.npz")
    joined = join_demos([("a.npz", first), ("b.npz", second)])
    assert joined.episodes == first.episodes + second.episodes
    assert joined.header == {
        "expert": "nobody",
        # Some of what was executed is not in the file.
        "noise": 0.3,
        "action_bounds": bounds,
        "remarks": ["a.npz: Old."],
        "joined": [
            {"file": "a.npz", "env_id": "PointReach-v0", "episodes": 2, "expert": "nobody",
             "seed": 1, "noise": 0.0},
            {"file": "b.npz", "env_id": "PointReach-v0", "episodes": 2, "expert": "nobody",
             "imported_from": "data.npz", "seed": 2, "noise": 0.3},
        ],
    }  # fmt: skip


def test_one_set_stays_as_it_is():
    demos = demo_set()
    assert join_demos([("a.npz", demos)]) is demos
    assert join_demos([("a.npz", demos), ("empty", replace(demos, episodes=()))]) is demos


@pytest.mark.parametrize("other", [0, 3, 7])
def test_what_only_some_episodes_keep_is_not_saved(tmp_path, other):
    first, second = demo_set(0, state_dim=3), demo_set(1, state_dim=other)
    silent = tuple(replace(episode, rewards=np.zeros(0)) for episode in second.episodes)
    joined = join_demos([("a", first), ("b", replace(second, episodes=silent))])
    save_demos(tmp_path / "joined.npz", joined)
    saved = load_demos(tmp_path / "joined.npz")
    assert saved.header["joined"] == joined.header["joined"]
    for found, episode in zip(saved.episodes, joined.episodes, strict=True):
        kept = episode.snapshots if other == 3 else np.zeros((5, 0))
        assert found == replace(episode, snapshots=kept, rewards=np.zeros(0))


def test_joined_sets_can_be_joined_again():
    once = join_demos([("a", demo_set(0)), ("b", demo_set(1))])
    twice = join_demos([("ab", once), ("c", demo_set(2))])
    assert len(twice.episodes) == 6
    assert [part["file"] for part in twice.header["joined"]] == ["ab", "c"]
