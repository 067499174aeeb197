import gymnasium as gym
import pytest
from builders import is_one_line

from headstart.envs.make import make_env
from headstart.errors import InputError


@pytest.mark.parametrize("env_id", ["PointReach-v0", "BitFlip-v0"])
def test_a_toy_environment_can_be_built(env_id):
    env = make_env(env_id)
    assert env.spec.id == env_id
    assert env.spec.max_episode_steps > 1


@pytest.mark.mujoco
def test_a_robotics_environment_can_be_built_without_registering_it():
    assert make_env("FetchReach-v4").spec.id == "FetchReach-v4"


def test_a_module_before_the_id_is_imported_first():
    assert make_env("headstart.envs.make:PointReach-v0").spec.id == "PointReach-v0"


@pytest.mark.parametrize(
    ("env_id", "hints"),
    [
        ("PointReech-v0", ["'PointReech-v0'", "PointReach-v0"]),
        ("FetchReach-v99", ["'FetchReach-v99'", "FetchReach-v4"]),
        ("no_such_module:PointReach-v0", ["no_such_module"]),
        ("zzzz", ["'zzzz'"]),
        ("", ["''"]),
        ("a b c", ["'a b c'"]),
    ],
)
def test_an_unknown_environment_is_refused_with_a_hint(env_id, hints):
    with pytest.raises(InputError) as caught:
        make_env(env_id)
    assert is_one_line(str(caught.value))
    for hint in hints:
        assert hint in str(caught.value)


def test_an_environment_without_goals_is_refused():
    with pytest.raises(InputError, match="CartPole-v1 is not a goal environment"):
        make_env("CartPole-v1")


def test_an_environment_without_rendering_needs_no_render_mode_parameter():
    class Plain(type(make_env("PointReach-v0").unwrapped)):
        def __init__(self):
            super().__init__()

    gym.register("PlainTest-v0", entry_point=Plain, max_episode_steps=5)
    try:
        assert isinstance(make_env("PlainTest-v0").unwrapped, Plain)
    finally:
        del gym.registry["PlainTest-v0"]
