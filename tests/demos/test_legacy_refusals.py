from dataclasses import replace

import numpy as np
import pytest
from legacy_files import (
    SPEC,
    equal,
    parts_of,
    ragged,
    refusal,
    some_episodes,
    write_python2,
    write_today,
)

from headstart.demos.foreign import legacy
from headstart.demos.foreign.legacy import load_legacy_demos
from headstart.demos.storage import DemoSet, save_demos


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data_fetch_random_100.npz"


def test_a_missing_file_is_named(path):
    assert "no such file" in refusal(path)
    path.mkdir()
    assert "no such file" in refusal(path)


def test_a_headstart_demo_file_needs_no_import(path):
    save_demos(path, DemoSet(SPEC.env_id, tuple(some_episodes([3]))))
    assert "is a headstart demo file already and needs no import" in refusal(path)


def test_other_archives_are_refused(path):
    np.savez(path, observations=np.zeros(3))
    assert "not a Baselines file, which has acs, obs and mostly info" in refusal(path)
    path.write_bytes(b"acs,obs,info\n" * 20)
    assert "not a .npz archive" in refusal(path)


BAD_PARTS = {
    "a goal key missing": (
        lambda acs, obs, info: obs[1][2].pop("desired_goal"),
        "episode 1: obs 2 has no desired_goal",
    ),
    "another observation width": (
        lambda acs, obs, info: obs[0][3].update(observation=np.zeros(25)),
        "episode 0: the observation of obs 3 has width 25, FetchPickAndPlace-v4 has 5",
    ),
    "another goal width": (
        lambda acs, obs, info: obs[0][0].update(achieved_goal=np.zeros(7)),
        "the achieved_goal of obs 0 has width 7, FetchPickAndPlace-v4 has 3",
    ),
    "another action width": (
        lambda acs, obs, info: acs[1][1].pop(),
        "episode 1: action 1 has width 3, FetchPickAndPlace-v4 has 4",
    ),
    "an action that is a number": (
        lambda acs, obs, info: acs[1].__setitem__(1, 0.5),
        "episode 1: action 1 is not a list",
    ),
    "an action of text": (
        lambda acs, obs, info: acs[1].__setitem__(1, ["a"] * 4),
        "episode 1: action 1 is not a vector of numbers",
    ),
    "an observation of two axes": (
        lambda acs, obs, info: obs[1][1].update(observation=np.zeros((5, 1))),
        "episode 1: the observation of obs 1 is not a vector of numbers",
    ),
    "an action that is not finite": (
        lambda acs, obs, info: acs[1][1].__setitem__(0, np.inf),
        "episode 1: its actions hold NaN or infinity",
    ),
    "an action too large for a float": (
        lambda acs, obs, info: acs[1][1].__setitem__(0, 10**400),
        "episode 1: its actions hold NaN or infinity",
    ),
    "an observation that is not finite": (
        lambda acs, obs, info: obs[1][1].update(observation=np.full(5, np.nan)),
        "episode 1: episode.observations holds NaN or infinity",
    ),
    "an observation too large for float32": (
        lambda acs, obs, info: obs[1][1].update(observation=np.full(5, 1e300)),
        "episode 1: episode.observations holds NaN or infinity",
    ),
    "two observations missing": (
        lambda acs, obs, info: obs[1].__delitem__(slice(2)),
        "episode 1: it has 6 actions, 5 obs and 6 info; 6 actions need 7 obs and 6 info",
    ),
    "an info missing": (
        lambda acs, obs, info: info[1].pop(),
        "episode 1: it has 6 actions, 7 obs and 5 info",
    ),
    "an info that is not a dict": (
        lambda acs, obs, info: info[1].__setitem__(3, None),
        "episode 1: info 3 is not a dict",
    ),
    "an observation that is not a dict": (
        lambda acs, obs, info: obs[1].__setitem__(3, np.zeros(5)),
        "episode 1: obs 3 has no achieved_goal",
    ),
    "a success in words": (
        lambda acs, obs, info: info[1][3].update(is_success="yes"),
        "episode 1: its info has something else than a number where one belongs",
    ),
    "an episode missing": (
        lambda acs, obs, info: info.pop(),
        "the numbers of episodes differ: 2 of acs, 2 of obs, 1 of info",
    ),
    "an episode that is not a list": (
        lambda acs, obs, info: obs.__setitem__(1, None),
        "episode 1: its obs is not a list",
    ),
}


@pytest.mark.parametrize(("spoil", "expected"), BAD_PARTS.values(), ids=BAD_PARTS)
@pytest.mark.parametrize("writer", [write_today, write_python2])
def test_parts_that_do_not_fit_are_refused_by_name(path, writer, spoil, expected):
    parts = parts_of(some_episodes([4, 6]))
    spoil(*parts)
    writer(path, ragged(parts))
    assert expected in refusal(path)


def test_a_file_without_an_episode_is_refused(path):
    empty = np.empty(0, object)
    write_today(path, (np.zeros((0, 50, 4)), empty, empty))
    assert "it holds no episode" in refusal(path)


def test_more_states_than_can_be_kept_are_refused(path, monkeypatch):
    monkeypatch.setattr(legacy, "MAX_STATES", 1000)
    # One episode, named again and again: what the file holds says little about what it makes.
    parts = ragged(parts_of(some_episodes([9])))
    write_today(path, [np.repeat(part, 100) for part in parts])
    assert len(load_legacy_demos(path, SPEC).episodes) == 100
    write_today(path, [np.repeat(part, 101) for part in parts])
    assert "episode 100: with it the file has more than 1000 states" in refusal(path)


def test_an_array_of_text_is_refused(path):
    acs, obs, info = ragged(parts_of(some_episodes([4])))
    write_today(path, (np.array(["one", "two"]), obs, info))
    assert "acs holds something else than numbers" in refusal(path)
    obs[0][1]["observation"] = np.array(["one"] * 5)
    write_today(path, (acs, obs, info))
    assert "something else than numbers" in refusal(path)


def test_what_the_reward_reads_of_info_is_kept(path):
    spec = replace(SPEC, reward_info_keys=("force", "slip"))
    acs, obs, info = parts_of(some_episodes([2, 2]))
    for number, step in enumerate([step for episode in info for step in episode]):
        step |= {"force": float(number), "slip": True}
    write_today(path, equal((acs, obs, info)))
    demos = load_legacy_demos(path, spec)
    assert demos.episodes[1].reward_infos.tolist() == [[2.0, 1.0], [3.0, 1.0]]
    assert demos.header["reward_info_keys"] == ["force", "slip"]
    demos.check_fits(spec)
    info[1][0]["slip"] = 1e300
    write_today(path, equal((acs, obs, info)))
    assert "episode 1: episode.reward_infos holds NaN or infinity" in refusal(path, spec)
    del info[1][0]["slip"]
    write_today(path, equal((acs, obs, info)))
    message = refusal(path, spec)
    assert "episode 1: info 0 has no slip, which the reward of FetchPickAndPlace-v4" in message
