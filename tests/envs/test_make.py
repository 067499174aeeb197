import gymnasium as gym
import pytest
from builders import is_one_line

from headstart.envs.ids import split_id
from headstart.envs.make import make_env
from headstart.envs.names import is_registered
from headstart.errors import InputError


@pytest.mark.parametrize("env_id", ["PointReach-v0", "BitFlip-v0"])
def test_a_toy_environment_can_be_built(env_id):
    env = make_env(env_id)
    assert env.spec.id == env_id
    assert env.spec.max_episode_steps > 1


def test_a_robotics_environment_can_be_built_without_registering_it():
    assert make_env("FetchReach-v4").spec.id == "FetchReach-v4"


def test_a_module_before_the_id_is_imported_first():
    assert make_env("headstart.envs.make:PointReach-v0").spec.id == "PointReach-v0"


@pytest.mark.parametrize(
    ("env_id", "hints"),
    [
        ("PointReech-v0", ["'PointReech-v0'", "PointReach-v0"]),
        ("pointreach-v0", ["'pointreach-v0'", "PointReach-v0"]),
        ("nowhere/PointReach-v0", ["'nowhere/PointReach-v0'", "Namespace nowhere not found"]),
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


@pytest.mark.parametrize(
    ("env_id", "name", "options"),
    [
        ("Reach-v0", "Reach-v0", {}),
        ("my.module:Reach-v0", "my.module:Reach-v0", {}),
        ("Reach-v0,size=3", "Reach-v0", {"size": 3}),
        ("Reach-v0,size=0.5,on=false", "Reach-v0", {"size": 0.5, "on": False}),
        ("Reach-v0,on=True,off=False,no=None", "Reach-v0", {"on": True, "off": False, "no": None}),
        ("Reach-v0,kind=dense", "Reach-v0", {"kind": "dense"}),
        ('Reach-v0,kind="3"', "Reach-v0", {"kind": "3"}),
        ("Reach-v0,file=a=b:c", "Reach-v0", {"file": "a=b:c"}),
        ("Reach-v0,kind=", "Reach-v0", {"kind": ""}),
        ("my.module:Reach-v0,size=[1]", "my.module:Reach-v0", {"size": [1]}),
        ("Reach-v0,size=[[1,2],[3]],on=true", "Reach-v0", {"size": [[1, 2], [3]], "on": True}),
        ('Reach-v0,maze=[[1,"r"],[1,"g"]]', "Reach-v0", {"maze": [[1, "r"], [1, "g"]]}),
        ("Reach-v0,maze=[[1,'r'],(1,None)]", "Reach-v0", {"maze": [[1, "r"], (1, None)]}),
        ('Reach-v0,c={"a":{"b":[1,2]},"d":3}', "Reach-v0", {"c": {"a": {"b": [1, 2]}, "d": 3}}),
        ("Reach-v0,c={'a': True, 'b': 2},n=3", "Reach-v0", {"c": {"a": True, "b": 2}, "n": 3}),
        ('Reach-v0,text="a,b",n=3', "Reach-v0", {"text": "a,b", "n": 3}),
        ('Reach-v0,text="a\\"b,c",n=3', "Reach-v0", {"text": 'a"b,c', "n": 3}),
        ('Reach-v0,text="a\\\\",n=3', "Reach-v0", {"text": "a\\", "n": 3}),
        ('Reach-v0,c={"]":"}{,"},n=3', "Reach-v0", {"c": {"]": "}{,"}, "n": 3}),
        ("Reach-v0,file=Bob's.xml,n=3", "Reach-v0", {"file": "Bob's.xml", "n": 3}),
        ("Reach-v0,file=model(1,2).xml,n=3", "Reach-v0", {"file": "model(1,2).xml", "n": 3}),
    ],
)
def test_arguments_follow_the_id(env_id, name, options):
    assert split_id(env_id) == (name, options)


@pytest.mark.parametrize("argument", ["", "size", "=3", "a b=3", "1=2", "[1]"])
def test_what_follows_the_id_and_is_not_an_argument_is_named(argument):
    with pytest.raises(InputError) as caught:
        make_env(f"PointReach-v0,{argument}")
    message = str(caught.value)
    assert f"'PointReach-v0,{argument}'" in message
    assert f"{argument!r} is not an argument, which is name=value" in message
    assert is_one_line(message)


def test_arguments_reach_the_environment():
    env = make_env("BitFlip-v0,num_bits=5,max_episode_steps=3")
    assert env.action_space.shape == (5,)
    assert env.spec.max_episode_steps == 3
    assert make_env("BitFlip-v0").action_space.shape == (8,)
    assert make_env("headstart.envs.make:BitFlip-v0,num_bits=4").action_space.shape == (4,)


@pytest.mark.parametrize(
    ("env_id", "expected"),
    [
        (
            "BitFlip-v0,bits=5",
            "does not take these arguments: BitFlip.__init__() got an unexpected",
        ),
        ("BitFlip-v0,num_bits=many", "does not take these arguments: "),
        ("BitFlip-v0,max_episode_steps=0", "does not take these arguments: "),
        ("BitFlip-v0,max_episode_steps=long", "does not take these arguments: "),
        ("PointReech-v0,size=3", "environment 'PointReech-v0,size=3': Environment `PointReech`"),
    ],
)
def test_arguments_that_an_environment_does_not_take_are_refused(env_id, expected):
    with pytest.raises(InputError) as caught:
        make_env(env_id)
    assert expected in str(caught.value)
    assert is_one_line(str(caught.value))
    # Gymnasium adds all arguments with their values, which may be long.
    assert "was raised from the environment creator" not in str(caught.value)


def test_an_assertion_of_an_environment_of_ones_own_is_not_blamed_on_mujoco():
    with pytest.raises(AssertionError):
        make_env("envs.defective:Unbuilt-v0")


def test_a_newer_mujoco_is_named_with_the_command_that_repairs_it(monkeypatch):
    monkeypatch.setattr("mujoco.__version__", "3.12.0")
    with pytest.raises(InputError, match=r"cannot be built with mujoco 3\.12\.0: .*pip install"):
        make_env("envs.defective:Unbuilt-v0")


@pytest.mark.parametrize(
    ("env_id", "harmless"),
    [
        ("PointReach-v0", True),
        ("BitFlip-v0,num_bits=5", True),
        ("BitFlip-v0,on=false", True),
        ("BitFlip-v0,file=model.xml", False),
        ("BitFlip-v0,sizes=[1]", False),
        ("BitFlip-v0,num_bits=1000001", False),
        ("BitFlip-v0,num_bits=-1e300", False),
        ("BitFlip-v0,num_bits=" + "9" * 5000, False),
        ("BitFlip-v0,sizes=" + "[" * 100_000, False),
        ("NoSuchEnv-v0", False),
        ("envs.defective:Reach-v0", False),
    ],
)
def test_an_id_out_of_a_file_is_used_only_if_it_can_do_no_harm(env_id, harmless):
    assert is_registered(env_id) is harmless


def test_arguments_reach_a_maze():
    env = make_env("PointMaze_UMaze-v3,continuing_task=false,max_episode_steps=50")
    assert env.unwrapped.continuing_task is False
    assert env.spec.max_episode_steps == 50
    assert make_env("PointMaze_UMaze-v3").unwrapped.continuing_task is True
