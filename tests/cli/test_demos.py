"""``headstart demos collect``: what its options change in the file."""

import numpy as np
from builders import point_policy

from headstart.cli.main import main
from headstart.demos.storage import load_demos
from headstart.envs.make import make_env
from headstart.rollout.job import EpisodeJob, run_episode

REACH = "FetchReach-v4,max_episode_steps=15"


def collect_file(tmp_path, *options, env=REACH, name="demos.npz"):
    out = tmp_path / name
    main(["demos", "collect", env, "--episodes", "3", "--collectors", "0", "--out", str(out),
          *options])  # fmt: skip
    return load_demos(out)


def test_snapshots_are_kept_unless_they_are_not_wanted(tmp_path, capsys):
    kept, bare = collect_file(tmp_path), collect_file(tmp_path, "--no-snapshots", name="bare.npz")
    assert kept.episodes[0].snapshots.shape[1] > 100
    assert bare.episodes[0].snapshots.shape[1] == 0
    sizes = [(tmp_path / name).stat().st_size for name in ("demos.npz", "bare.npz")]
    assert sizes[0] > 3 * sizes[1]
    assert "3 demonstrations of FetchReach-v4" in capsys.readouterr().out


def test_noise_is_noted_and_changes_what_is_executed(tmp_path):
    quiet, noisy = (
        collect_file(tmp_path),
        collect_file(tmp_path, "--noise", "0.4", "--keep-failures", name="n.npz"),
    )
    assert (quiet.header["noise"], noisy.header["noise"]) == (0.0, 0.4)
    one, other = quiet.episodes[0], noisy.episodes[0]
    np.testing.assert_array_equal(one.observations[0], other.observations[0])
    assert np.abs(one.observations[1] - other.observations[1]).max() > 1e-4
    # What is kept is what the expert wants where the noise has led.
    np.testing.assert_array_equal(one.actions[0], other.actions[0])


def test_a_policy_demonstrates(tmp_path):
    policy = point_policy()
    policy.save(tmp_path / "policy.safetensors")
    options = ("--policy", str(tmp_path / "policy.safetensors"), "--keep-failures")
    demos = collect_file(tmp_path, *options, env="PointReach-v0")
    env = make_env("PointReach-v0")
    for index, episode in enumerate(demos.episodes):
        assert run_episode(env, EpisodeJob(policy, 0, "demos", index, snapshots=True)) == episode
