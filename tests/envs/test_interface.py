"""What an environment does otherwise than Gymnasium asks for is said in one line, by each verb."""

import numpy as np
import pytest
from builders import is_one_line, point_policy
from envs.old import REFUSALS

from headstart.cli.main import main
from headstart.envs.check import check_env
from headstart.envs.interface import reset_env
from headstart.envs.make import make_env
from headstart.errors import InputError
from headstart.rollout.job import EpisodeJob, run_episode


@pytest.mark.parametrize(("name", "expected"), REFUSALS)
def test_a_check_says_it_in_one_line(name, expected):
    try:
        (said,) = check_env(f"envs.old:{name}-v0").problems
    except InputError as error:
        said = str(error)
    assert expected in said
    assert is_one_line(said)


@pytest.mark.parametrize("verb", ["train", "evaluate", "collect"])
@pytest.mark.parametrize("name", ["OldReset", "ResetAlone", "OldStep", "NoInfo", "BareArray"])
def test_so_does_every_verb(name, verb, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    point_policy().save("policy.safetensors")
    env_id = f"envs.old:{name}-v0"
    commands = {
        "train": ["train", env_id, "--env-steps", "40"],
        "evaluate": ["evaluate", "policy.safetensors", "--env", env_id, "--episodes", "1"],
        "collect": ["demos", "collect", env_id, "--policy", "policy.safetensors", "--episodes", "1",
                    "--out", "demos.npz"],
    }  # fmt: skip
    with pytest.raises(SystemExit) as stopped:
        main([*commands[verb], "--collectors", "0"])
    printed = capsys.readouterr().err
    assert stopped.value.code == 2
    assert dict(REFUSALS)[name] in printed
    assert printed.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["policy.safetensors"]


def test_an_environment_with_the_bounds_that_the_advice_gives_is_sound():
    found = check_env("envs.old:Bounded-v0")
    assert (found.problems, found.advice) == ((), ())


def test_signed_seeds_of_32_bits_are_enough():
    """Everything above is taken modulo 2**31, whatever comes before."""
    env = make_env("envs.old:Signed-v0")
    plain = make_env("envs.defective:Reach-v0")
    for seed in (7, 2**31 + 7, 2**31 - 1, 2**32 - 1):
        observation, _ = reset_env(env, seed)
        expected, _ = reset_env(plain, seed % 2**31)
        np.testing.assert_array_equal(observation["achieved_goal"], expected["achieved_goal"])
    jobs = [EpisodeJob(point_policy(), 0, "rollout", index) for index in range(4)]
    assert max(job.env_seed for job in jobs) >= 2**31
    for job in jobs:
        run_episode(env, job)


@pytest.mark.parametrize("seed", [5, 2**31 + 5])
def test_a_reset_that_fails_by_chance_does_not_lead_to_another_episode(seed):
    env = make_env("envs.old:Moody-v0")
    with pytest.raises(ValueError, match="the simulator is busy"):
        reset_env(env, seed)
    observation, _ = reset_env(env, seed)
    expected, _ = reset_env(make_env("envs.defective:Reach-v0"), seed)
    np.testing.assert_array_equal(observation["achieved_goal"], expected["achieved_goal"])
