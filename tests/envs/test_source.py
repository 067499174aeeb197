"""Everything that an environment may be passed as, what it is called, and what is built of it."""

import functools
import sys

import gymnasium as gym
import pytest
from builders import is_one_line
from envs import passed
from gymnasium.wrappers import RecordEpisodeStatistics, TimeLimit

from headstart.envs.make import env_source, make_bare, make_env
from headstart.errors import InputError


def layers(env):
    kinds = [type(env).__name__]
    while isinstance(env, gym.Wrapper):
        env = env.env
        kinds.append(type(env).__name__)
    return kinds


@pytest.mark.parametrize(
    ("env", "options", "name", "limit", "size"),
    [
        ("Sized-v0", {}, "Sized-v0", 20, 0.5),
        ("Sized-v0,size=0.75", {}, "Sized-v0,size=0.75", 20, 0.75),
        ("Sized-v0", {"size": 0.75}, "Sized-v0,size=0.75", 20, 0.75),
        ("Sized-v0,size=1", {"size": 2, "max_episode_steps": 4}, None, 4, 2),
        ("Sized", {}, "Sized-v1", 21, 0.25),
        ("envs.passed:Sized-v1", {}, "envs.passed:Sized-v1", 21, 0.25),
        ("envs.passed:Sized,max_episode_steps=4", {}, None, 4, 0.5),
        ("envs.passed:sized,size=3", {}, "envs.passed:sized,size=3", 7, 3),
        (passed.Sized, {"max_episode_steps": 4}, None, 4, 0.5),
        (passed.Limited, {"max_episode_steps": 4}, None, 4, 4),
        (passed.sized, {"size": 2}, "envs.passed:sized,size=2", 7, 2),
        (passed.sized, {"max_episode_steps": 4}, None, 4, 0.5),
        (functools.partial(passed.sized, limit=5), {}, "envs.passed:sized,limit=5", 5, 0.5),
        (functools.partial(passed.sized, 2, 5), {}, "envs.passed:sized(...)", 5, 2),
        (lambda: passed.sized(3), {}, "test_source:<lambda>", 7, 3),
        (lambda: gym.make("Sized-v1"), {}, "test_source:<lambda>", 21, 0.25),
        (gym.make("Sized-v1"), {}, "Sized-v1", 21, 0.25),
        (gym.make("Sized-v1", size=2), {}, "Sized-v1,size=2", 21, 2),
        (gym.make("Sized-v1", max_episode_steps=4), {}, "Sized-v1,max_episode_steps=4", 4, 0.25),
        (TimeLimit(gym.make("Sized-v1"), 4), {}, "Sized-v1,max_episode_steps=4", 4, 0.25),
        (gym.make("Sized-v1"), {"max_episode_steps": 4}, None, 4, 0.25),
        (gym.make("Sized-v1").unwrapped, {"max_episode_steps": 4}, None, 4, 0.25),
        (gym.make("Sized-v1", size=(1, 2)), {}, "Sized-v1,size=(1, 2)", 21, (1, 2)),
        (gym.make("SizedAndRecorded-v0"), {}, "SizedAndRecorded-v0", 20, 0.5),
        (passed.Recorded(gym.make("Sized-v0"), 2), {}, "Recorded(Sized-v0)", 20, 0.5),
        (RecordEpisodeStatistics(passed.sized()), {}, "envs.passed:Sized(...)", 7, 0.5),
        (passed.Plain(gym.make("Sized-v0")), {}, "Plain(Sized-v0)", 20, 0.5),
        (passed.sized(3), {}, "envs.passed:Sized(...)", 7, 3),
        (passed.Sized(3), {"max_episode_steps": 4}, None, 4, 3),
        (passed.Locked(), {"max_episode_steps": 4}, None, 4, 0.5),
        (gym.spec("Sized-v1"), {}, "Sized-v1", 21, 0.25),
        (gym.spec("Sized-v1"), {"size": 2}, "Sized-v1,size=2", 21, 2),
    ],
)
def test_it_is_built_with_its_arguments_and_has_a_name_and_a_time_limit(
    env, options, name, limit, size
):
    source = env_source(env, options)
    if name is not None:
        assert source.name == name
    built = make_env(env, **options)
    assert built.spec.max_episode_steps == limit
    assert built.unwrapped.size == size
    built.reset(seed=0)
    truncated = [built.step(built.action_space.sample())[3] for _ in range(limit)]
    assert truncated == [False] * (limit - 1) + [True]


@pytest.mark.parametrize(
    "env",
    ["Sized-v1,size=2", passed.Sized, passed.sized, gym.make("Sized-v1", size=2), passed.sized(3)],
)
def test_a_description_is_as_good_as_what_it_describes(env):
    source = env_source(env, {"max_episode_steps": 4})
    assert env_source(source) is source
    assert env_source(source.name if "(" not in source.name else source).name == source.name
    assert make_env(source).unwrapped.size == make_env(env, max_episode_steps=4).unwrapped.size


def test_an_environment_is_built_again_with_its_wrappers():
    mine = passed.Recorded(gym.make("Sized-v1"), factor=5)
    built = make_env(mine)
    assert built.unwrapped is not mine.unwrapped
    assert built.factor == 5
    assert layers(make_env("SizedAndRecorded-v0"))[0] == "Recorded"
    assert make_env("SizedAndRecorded-v0").factor == 3
    assert "Plain" in layers(make_env(passed.Plain(gym.make("Sized-v0"))))


def test_a_bare_environment_keeps_the_wrappers_that_it_is_registered_with():
    wrapped = TimeLimit(passed.Recorded(gym.make("SizedAndRecorded-v0"), factor=5), 4)
    assert make_bare(wrapped.spec).factor == 3
    assert layers(make_bare(gym.make("SizedAndRecorded-v0").spec)).count("Recorded") == 1


def test_what_is_drawn_is_not_drawn_in_training():
    spec = gym.make("Sized-v0").spec
    spec.kwargs["render_mode"] = "human"
    assert env_source(spec).name == "Sized-v0"
    assert make_env(spec).spec.kwargs == {}


def test_an_environment_that_was_changed_is_copied_with_the_change():
    mine = gym.make("Sized-v0")
    mine.unwrapped.size = 4
    source = env_source(mine)
    assert source.name == "Sized-v0(...)"
    built = make_env(source)
    assert built.unwrapped is not mine.unwrapped
    assert built.unwrapped.size == 4


def test_a_change_that_a_copy_would_lose_keeps_the_environment_itself():
    mine = gym.make(make_env("FetchReach-v4").spec)
    assert env_source(mine).name == "FetchReach-v4"
    mine.unwrapped.distance_threshold = 0.2
    built = make_env(mine)
    assert built.unwrapped is mine.unwrapped
    built.close()
    mine.reset(seed=0)  # It stays open: it belongs to the caller.
    with pytest.raises(InputError, match="was not built to be drawn: pass one with render_mode="):
        make_env(mine, render_mode="rgb_array")


def test_an_environment_that_cannot_be_copied_is_used_itself_and_stays_open():
    class Closing(passed.Locked):
        closed = False

        def close(self):
            self.closed = True

    mine = Closing()
    built = make_env(mine, max_episode_steps=4)
    assert built.unwrapped is mine
    built.close()
    assert not mine.closed
    copied = make_env(Closing, max_episode_steps=4)
    copied.close()
    assert copied.unwrapped.closed


@pytest.mark.parametrize("options", [[("size", 3)], "size=3", {1: 2}])
def test_arguments_must_have_names(options):
    with pytest.raises(InputError, match="env_kwargs must be a dict of arguments by name, got"):
        env_source("Sized-v0", options)


@pytest.mark.parametrize(
    ("env", "options", "expected"),
    [
        (None, {}, "an environment must be an id, a gymnasium.Env, its class, or a function"),
        (3, {}, "that returns one, got builtins.int"),
        (passed.Old(), {}, "got envs.passed.Old"),
        (gym.make_vec("Sized-v0"), {}, "got gymnasium.vector.sync_vector_env.SyncVectorEnv"),
        (passed.Old, {"max_episode_steps": 3}, "it is a envs.passed.Old, not a gymnasium.Env"),
        (passed.old, {}, "environment 'envs.passed:old': it is a envs.passed.Old"),
        (
            passed.Sized,
            {},
            "'envs.passed:Sized' has no time limit: append one, envs.passed:Sized,",
        ),
        (passed.Sized(), {}, "'envs.passed:Sized(...)' has no time limit: pass env_kwargs={"),
        (passed.Sized, {"max_episode_steps": 0}, "max_episode_steps must be a positive integer"),
        (passed.Sized, {"max_episode_steps": "long"}, "must be a positive integer, got long"),
        (
            passed.Sized,
            {"sise": 3},
            "cannot be built with env_kwargs {'sise': 3}: got an unexpected",
        ),
        (passed.sized(), {"size": 3}, "that is built already takes no argument size: pass its"),
        (gym.make("CartPole-v1"), {}, "CartPole-v1 is not a goal environment"),
        (lambda: gym.make("CartPole-v1"), {}, "CartPole-v1 is not a goal environment"),
        (lambda: gym.make("Sized-v7"), {}, "Environment version `v7` for environment `Sized`"),
        ("envs.passed:Sised", {}, "envs.passed neither registers nor defines 'Sised'; did you"),
        ("envs.passed:gym", {}, "envs.passed neither registers nor defines 'gym'"),
        ("envs.passed:Sized-v7", {}, "`Sized` doesn't exist"),
        ("__main__:Sized", {}, "was defined in a script or notebook, which this is not: pass it"),
        ("envs.nothing:Sized", {}, "it must be installed, on PYTHONPATH, or in the current direct"),
        ("Quqq-v0", {}, "if a module registers it, name it: MODULE:Quqq-v0"),
        ("envs.nothing:Sized", {}, "its module cannot be imported (No module named 'envs.noth"),
        ("Sized-v0,sise=3", {}, "does not take these arguments"),
    ],
)
def test_what_cannot_be_built_is_refused_in_one_line(env, options, expected):
    with pytest.raises(InputError) as caught:
        make_env(env, **options)
    assert expected in str(caught.value)
    assert is_one_line(str(caught.value))


def test_a_function_that_takes_no_render_mode_cannot_be_drawn():
    with pytest.raises(InputError) as caught:
        make_env(passed.sized, render_mode="rgb_array")
    assert str(caught.value) == (
        "environment 'envs.passed:sized' cannot be drawn: what builds it takes no render_mode"
    )


def test_a_function_may_build_a_robot_task_without_importing_it(monkeypatch):
    for name in [name for name in gym.registry if "Fetch" in name]:
        monkeypatch.delitem(gym.registry, name)
    monkeypatch.delitem(sys.modules, "gymnasium_robotics", raising=False)
    assert make_env(lambda: gym.make("FetchReach-v4")).spec.id == "FetchReach-v4"


@pytest.mark.parametrize(
    ("env_id", "expected"),
    [
        ("FetchPickAndPlace-v1", ["No module named 'mujoco_py'", "there is FetchPickAndPlace-v4"]),
        ("FetchReach-v0", ["is deprecated. Please use `FetchReach-v4` instead"]),
        ("fetchreach-v4", ["did you mean FetchReach-v4, "]),
    ],
)
def test_gymnasiums_own_reason_is_given(env_id, expected):
    with pytest.raises(InputError) as caught:
        make_env(env_id)
    assert is_one_line(str(caught.value))
    assert all(part in str(caught.value) for part in expected)
    assert "not registered" not in str(caught.value)
    # It has the name of the one that is asked for, and cannot be built.
    assert "mean FetchReach-v1" not in str(caught.value)
