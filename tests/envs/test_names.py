"""What can be done with the name of an environment: in a printed command, and out of a file."""

import envs.passed  # noqa: F401
import gymnasium as gym
import pytest

from headstart.envs.known import task_name
from headstart.envs.names import env_option, is_at_hand


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("PointReach-v0", ""),
        ("BitFlip-v0,num_bits=3", ""),
        ("BitFlip-v0,num_bits=[3]", " --env 'BitFlip-v0,num_bits=[3]'"),
        ("CartPole-v1", ""),  # A new process knows it: it is Gymnasium's.
        ("headstart.envs.toy:PointReach,max_episode_steps=3", None),
        ("headstart.envs.make:PointReach-v0", " --env headstart.envs.make:PointReach-v0"),
        ("Sized-v0", None),  # Registered by this process alone.
        ("__main__:Sized,max_episode_steps=3", None),
        ("envs.passed:Sized(...)", None),
        ("Recorded(Sized-v0)", None),
        ("envs.passed:make.<locals>.Sized", None),
    ],
)
def test_a_command_is_given_what_it_needs_or_is_not_printed(name, option):
    if name.startswith("headstart.envs.toy"):
        option = f" --env {name}"
    assert env_option(name) == option


def test_a_command_does_not_find_what_a_script_has_put_on_the_path(tmp_path, monkeypatch):
    (tmp_path / "somewhere_else.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    assert env_option("somewhere_else:Mine-v0") is None
    monkeypatch.chdir(tmp_path)
    assert env_option("somewhere_else:Mine-v0") == " --env somewhere_else:Mine-v0"


def test_robot_tasks_need_nothing_unless_a_script_has_changed_them():
    assert env_option("FetchReach-v4") == ""
    usual = gym.registry["FetchReach-v4"]
    before = dict(gym.registry)
    gym.registry["Mine-v0"] = usual
    try:
        assert env_option("Mine-v0") is None
        assert dict(gym.registry) == {**before, "Mine-v0": usual}
    finally:
        del gym.registry["Mine-v0"]


@pytest.mark.parametrize(
    ("name", "at_hand"),
    [
        ("PointReach-v0", True),
        ("Sized-v0,size=3", True),
        ("envs.passed:Sized-v0", True),
        ("envs.passed:Sized,max_episode_steps=3", True),
        ("envs.passed:Sized,size=text", False),
        ("envs.passed:sized", False),  # A file must not have a function called.
        ("os:system", False),
        ("os:remove,path=1", False),
        ("envs.passed:Locked.lock", False),
        ("envs.passed:Old", False),
        ("not_imported:Reach", False),
        ("Nowhere-v0", False),
        ("envs.passed:Sized(...)", False),
    ],
)
def test_out_of_a_file_nothing_is_imported_or_called_but_classes_of_environments(name, at_hand):
    assert is_at_hand(name) is at_hand


@pytest.mark.parametrize(
    ("name", "task"),
    [
        ("FetchReach-v4", "FetchReach"),
        ("my.envs:FetchReach-v4,size=3", "FetchReach"),
        ("my.envs:Reach,maze=[[1,2]]", "Reach"),
        ("my.envs:Reach(...),max_episode_steps=3", "Reach"),
        ("FetchReach-v4(...)", "FetchReach"),
        ("Wrapper(FetchReach-v4)", "Wrapper(FetchReach-v4)"),
    ],
)
def test_the_task_of_a_name_is_the_same_however_it_is_passed(name, task):
    assert task_name(name) == task
