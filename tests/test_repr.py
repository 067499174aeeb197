"""What a notebook prints at the end of a cell is one line, however much it stands for."""

from dataclasses import replace

import numpy as np
import torch
from builders import point_policy, random_batch, random_episode

from headstart.data.replay import EpisodeReplay
from headstart.demos.resets import DemoResets
from headstart.demos.storage import DemoSet
from headstart.envs.source import EnvSource


def episodes(lengths=(5, 7, 7), state_dim=4):
    rng = np.random.default_rng(0)
    sized = [random_episode(rng, steps, state_dim=state_dim) for steps in lengths]
    return tuple(replace(ep, is_success=np.ones(len(ep), bool)) for ep in sized)


def test_an_episode():
    (episode,) = episodes([5])
    assert repr(episode) == (
        "Episode(5 steps: observation 3, goal 2, action 2; success, with snapshots)"
    )
    failed = replace(episodes([1], state_dim=0)[0], is_success=np.zeros(1, bool))
    assert repr(failed) == "Episode(1 step: observation 3, goal 2, action 2; failure)"


def test_demonstrations():
    assert repr(DemoSet("PointReach-v0", episodes())) == (
        "DemoSet(PointReach-v0: 3 episodes of 5 to 7 steps, 100% successful; "
        "observation 3, goal 2, action 2; with snapshots)"
    )
    bare = DemoSet("a\nb", episodes([4], state_dim=0))
    assert repr(bare).startswith("DemoSet(a b: 1 episode of 4 steps, ")
    assert repr(bare).endswith("; no snapshots)")
    assert repr(bare.first(0)) == "DemoSet(a b: no episodes)"


def test_resets_to_them():
    assert len(repr(DemoResets(episodes() * 100, 0.1, "desired"))) < 100


def test_an_environment_that_was_passed_as_an_object():
    assert len(repr(EnvSource(bytes(100_000), "Point(...)"))) < 100


def test_a_replay():
    replay = EpisodeReplay(100, observation_dim=3, goal_dim=2, action_dim=2)
    for episode in episodes():
        replay.add(episode)
    assert repr(replay) == "EpisodeReplay(3 episodes, 19 transitions; 22 of 100 states)"


def test_a_policy():
    assert repr(point_policy()) == (
        "Policy(PointReach-v0: observation 2, goal 2 (both), hidden 16 x 16, action 2)"
    )
    linear = point_policy().layers[-1:]
    ones = {name: np.ones(16, np.float32) for name in ("mean", "std")}
    policy = replace(point_policy(), metadata={}, layers=linear, observation_dim=12, **ones)
    assert repr(policy).startswith("Policy(no environment: ")
    assert "hidden none" in repr(policy)


def test_a_batch_of_arrays_or_tensors():
    batch = random_batch(
        np.random.default_rng(0), 256, observation_dim=25, goal_dim=3, action_dim=4
    )
    assert repr(batch) == "Batch(256 rows: observation 25, goal 3, action 4; ndarray)"
    tensors = batch.map(torch.from_numpy)
    assert repr(tensors) == "Batch(256 rows: observation 25, goal 3, action 4; Tensor)"
