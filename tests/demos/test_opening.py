"""Demonstrations are given in memory, as files, or as several of either."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from builders import is_one_line, random_episode

from headstart.demos.inspect import inspect_demos
from headstart.demos.reading import open_demos
from headstart.demos.storage import DemoSet, save_demos
from headstart.errors import InputError


def demo_set(seed=0, env_id="PointReach-v0", header=None, **widths):
    rng = np.random.default_rng(seed)
    episodes = tuple(random_episode(rng, 4, **widths) for _ in range(2))
    return DemoSet(env_id, episodes, header or {"reward_info_keys": []})


def actions_of(demos):
    return np.concatenate([episode.actions for episode in demos.episodes])


def test_a_path_is_opened_as_text_and_as_path(tmp_path):
    demos, path = demo_set(), tmp_path / "demos.npz"
    save_demos(path, demos)
    for given in (path, str(path), [path]):
        np.testing.assert_array_equal(actions_of(open_demos(given)), actions_of(demos))
    assert open_demos(demos) is demos
    assert inspect_demos(str(path)) == inspect_demos(demos)


def test_several_are_joined_in_order(tmp_path):
    first, second = demo_set(0), demo_set(1)
    save_demos(tmp_path / "second.npz", second)
    joined = open_demos(iter([first, str(tmp_path / "second.npz")]))
    assert joined.env_id == first.env_id
    np.testing.assert_array_equal(
        actions_of(joined), np.concatenate([actions_of(first), actions_of(second)])
    )


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (demo_set(env_id="BitFlip-v0"), ["env_id", "PointReach-v0", "BitFlip-v0"]),
        (demo_set(observation_dim=5), ["observation width", "3", "5"]),
        (demo_set(header={"reward_info_keys": ["speed"]}), ["reward_info_keys", "speed"]),
        (demo_set(header={"action_bounds": [[-2, -2], [2, 2]]}), ["action_bounds", "[-2, -2]"]),
    ],
)
def test_sets_that_one_environment_cannot_have_made_are_refused(other, named):
    with pytest.raises(InputError) as refusal:
        open_demos([demo_set(header={"action_bounds": [[-1, -1], [1, 1]]}), other])
    assert is_one_line(str(refusal.value))
    for words in named:
        assert words in str(refusal.value)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (3, "a DemoSet or a path, got int"),
        ({"observations": np.zeros((1, 2, 3))}, "a DemoSet or a path, got a dict; write its arr"),
        ([], "demos is empty"),
        ([demo_set(), 3], "a list with int"),
        (demo_set().episodes, r"a list with Episode; several episodes are DemoSet\(env_id"),
        (Path("nowhere.npz"), "nowhere.npz"),
    ],
)
def test_what_is_not_demonstrations_is_refused(given, named):
    with pytest.raises(InputError, match=named):
        open_demos(given)


def test_an_empty_set_among_several_changes_nothing():
    empty = replace(demo_set(), episodes=())
    assert open_demos([empty, demo_set()]).episodes[0].actions.shape == (4, 2)
