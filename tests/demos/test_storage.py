import json
import os
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from builders import counted_episode, is_one_line, random_episode
from full_disk import files_limited_to
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.data.episode import CORRECTED, DEMONSTRATED, OWN
from headstart.demos.storage import DemoSet, load_demos, save_demos
from headstart.errors import InputError

STEP_ARRAYS = ("desired_goals", "actions", "terminated", "is_success")
STATE_ARRAYS = ("observations", "achieved_goals")


def demos_of(lengths, seed=0, **header):
    rng = np.random.default_rng(seed)
    episodes = tuple(random_episode(rng, steps, observation_dim=2) for steps in lengths)
    return DemoSet("PointReach-v0", episodes, header)


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "demos.npz"
    save_demos(path, demos_of([4, 1, 7]))
    return path


def arrays_of(path):
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def rewrite(path, **changes):
    arrays = {**arrays_of(path), **changes}
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})


def header_bytes(**content):
    return np.frombuffer(json.dumps(content).encode(), np.uint8)


def assert_refused(path, *named):
    with pytest.raises(InputError) as caught:
        load_demos(path)
    message = str(caught.value)
    assert is_one_line(message)
    assert str(path) in message
    for word in named:
        assert word in message


@settings(max_examples=20)
@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=8), seed=st.integers(0, 2**31))
def test_saving_and_loading_changes_nothing(tmp_path_factory, lengths, seed):
    path = tmp_path_factory.mktemp("demos") / "demos.npz"
    demos = demos_of(lengths, seed, expert="nobody", root=seed)
    save_demos(path, demos)
    loaded = load_demos(path)
    assert loaded.env_id == demos.env_id
    assert loaded.episodes == demos.episodes
    for one, two in zip(loaded.episodes, demos.episodes, strict=True):
        for name in STEP_ARRAYS + STATE_ARRAYS:
            assert getattr(one, name).dtype == getattr(two, name).dtype
    assert loaded.header["expert"] == "nobody"
    assert loaded.header["root"] == seed
    assert loaded.header["is_success"] == [episode.success for episode in demos.episodes]


def test_whose_each_step_is_is_kept(tmp_path):
    sources = np.array([OWN, CORRECTED, DEMONSTRATED], np.uint8)
    corrected = replace(counted_episode(0, 3), sources=sources)
    demos = DemoSet("PointReach-v0", (corrected, counted_episode(1, 4)))
    save_demos(tmp_path / "d.npz", demos)
    assert load_demos(tmp_path / "d.npz").episodes == demos.episodes


def test_a_part_of_a_loaded_file_can_be_saved_again(saved, tmp_path):
    part = load_demos(saved).first(2)
    save_demos(tmp_path / "part.npz", part)
    again = load_demos(tmp_path / "part.npz")
    assert again.episodes == part.episodes
    assert again.header["is_success"] == [episode.success for episode in part.episodes]


def test_a_file_is_plain_arrays_without_pickle(saved):
    assert {array.dtype.kind for array in arrays_of(saved).values()} <= set("fbiu")
    header = json.loads(arrays_of(saved)["header"].tobytes())
    assert (header["schema"], header["env_id"]) == (1, "PointReach-v0")


def test_writing_replaces_the_old_file_and_leaves_nothing_else(saved):
    other = demos_of([2, 2], seed=5)
    save_demos(saved, other)
    assert load_demos(saved).episodes == other.episodes
    assert os.listdir(saved.parent) == ["demos.npz"]


def test_a_file_of_any_size_can_be_read(saved, monkeypatch):
    demos = load_demos(saved)
    # Beyond it, 2 GiB otherwise, an archive ends in another way.
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100)
    save_demos(saved, demos)
    monkeypatch.undo()
    assert b"PK\6\7" in saved.read_bytes()
    assert load_demos(saved).episodes == demos.episodes


def test_action_bounds_are_kept(tmp_path):
    bounds = [[-1.0, -0.1], [1.0, 3]]
    save_demos(tmp_path / "demos.npz", demos_of([4], action_bounds=bounds))
    loaded = load_demos(tmp_path / "demos.npz")
    assert loaded.header["action_bounds"] == bounds
    np.testing.assert_array_equal(loaded.action_bounds, np.array(bounds, np.float32))
    assert loaded.first(0).episodes == ()


def test_a_file_may_lack_action_bounds(saved):
    assert load_demos(saved).action_bounds is None
    rewrite(saved, header=header_bytes(schema=1, env_id="P-v0", action_bounds=None))
    assert load_demos(saved).action_bounds is None


@pytest.mark.parametrize(
    "bounds",
    [
        [],
        [[-1, -1]],
        [[-1, -1], [1, 1], [2, 2]],
        [[-1], [1]],
        [[-1, -1], [1, 1, 1]],
        [-1, 1],
        {"low": [-1, -1], "high": [1, 1]},
        "bounds",
        0,
        False,
        [["-1", "-1"], ["1", "1"]],
        [[False, False], [True, True]],
        [[-1, None], [1, None]],
        [[-1, [-1]], [1, [1]]],
        [[-1, float("-inf")], [1, float("inf")]],
        [[-1, -1], [1, 1e39]],
        [[-1, -1], [1, 10**400]],
        [[-1, 1], [1, 1]],
        [[-1, 2], [1, 1]],
    ],
)
def test_action_bounds_that_are_none_are_neither_saved_nor_read(saved, bounds):
    rewrite(saved, header=header_bytes(schema=1, env_id="P-v0", action_bounds=bounds))
    assert_refused(saved, "action_bounds", "two lists of 2 finite numbers")
    with pytest.raises(InputError, match="action_bounds of a header") as caught:
        demos_of([3], action_bounds=bounds)
    assert is_one_line(str(caught.value))


def test_a_failure_while_writing_leaves_the_old_file_as_it_was(saved):
    before = saved.read_bytes()
    unwritable = demos_of([3], note=object())
    with pytest.raises(InputError, match="its header is not JSON"):
        save_demos(saved, unwritable)
    assert saved.read_bytes() == before
    assert os.listdir(saved.parent) == ["demos.npz"]


def test_a_full_disk_leaves_the_old_file_as_it_was_and_is_reported_in_one_line(saved):
    before = saved.read_bytes()
    large = demos_of([5000])
    with files_limited_to(4096), pytest.raises(InputError) as caught:
        save_demos(saved, large)
    assert is_one_line(str(caught.value))
    assert str(saved) in str(caught.value)
    assert saved.read_bytes() == before
    assert os.listdir(saved.parent) == ["demos.npz"]


def test_a_directory_that_does_not_exist_is_reported(tmp_path):
    path = tmp_path / "missing" / "demos.npz"
    with pytest.raises(InputError, match="cannot be written"):
        save_demos(path, demos_of([3]))


def test_a_missing_file_is_refused_with_what_to_do(tmp_path):
    assert_refused(tmp_path / "missing.npz", "no such demo file", "headstart demos collect")


def test_a_directory_is_refused(tmp_path):
    assert_refused(tmp_path)


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x03\x04", b"\x00" * 1000, b"\x80\x04."])
def test_garbage_is_refused(tmp_path, content):
    path = tmp_path / "demos.npz"
    path.write_bytes(content)
    assert_refused(path, "not a headstart demo file")


@pytest.mark.parametrize("share", [0.01, 0.2, 0.5, 0.9, 0.99])
def test_a_truncated_file_is_refused(saved, share):
    content = saved.read_bytes()
    saved.write_bytes(content[: int(share * len(content))])
    assert_refused(saved, "not a headstart demo file")


def test_a_zip_of_something_else_is_refused(tmp_path):
    path = tmp_path / "demos.npz"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("hello.txt", "hello")
    assert_refused(path, "not a headstart demo file")


def test_another_npz_is_refused(tmp_path):
    path = tmp_path / "demos.npz"
    np.savez(path, acs=np.zeros((10, 4)), obs=np.zeros((10, 10)))
    assert_refused(path, "not a headstart demo file")


def test_a_single_array_is_refused(tmp_path):
    path = tmp_path / "demos.npz"
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    assert_refused(path, "not a headstart demo file")


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return (open, (self.path, "w"))


@pytest.mark.parametrize("name", ["actions", "header", "extra"])
def test_a_pickle_inside_is_refused_and_never_run(saved, tmp_path, name):
    trap = tmp_path / "sprung"
    array = np.array([Trap(trap)], dtype=object)
    arrays = {**arrays_of(saved), name: array}
    np.savez(saved, **arrays)
    assert_refused(saved, "not a headstart demo file")
    assert not trap.exists()
    np.load(saved, allow_pickle=True)[name]
    assert trap.exists(), "the trap does not work"


@pytest.mark.parametrize("name", [*STEP_ARRAYS, *STATE_ARRAYS])
def test_a_wrong_number_of_rows_is_refused_by_name(saved, name):
    rewrite(saved, **{name: arrays_of(saved)[name][:-1]})
    assert_refused(saved, name, "rows")


@pytest.mark.parametrize(
    "steps",
    [
        np.array([4, 1, 6]),
        np.array([12, 0, 0]),
        np.array([4, -1, 9]),
        np.array([4.0, 1.0, 7.0]),
        np.array([[4, 1, 7]]),
        np.array(12),
        np.array(["4", "1", "7"]),
        None,
    ],
)
def test_episode_lengths_that_do_not_add_up_are_refused(saved, steps):
    rewrite(saved, episode_steps=steps)
    assert_refused(saved)


def test_a_file_without_an_episode_is_refused(saved):
    empty = {name: arrays_of(saved)[name][:0] for name in STEP_ARRAYS + STATE_ARRAYS}
    rewrite(saved, episode_steps=np.zeros(0, np.int64), **empty)
    assert_refused(saved, "episode")


@pytest.mark.parametrize("name", [*STEP_ARRAYS, *STATE_ARRAYS, "header"])
def test_a_missing_array_is_refused_by_name(saved, name):
    rewrite(saved, **{name: None})
    assert_refused(saved, name)


@pytest.mark.parametrize("name", ["observations", "achieved_goals", "desired_goals", "actions"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused_by_name(saved, name, bad):
    array = arrays_of(saved)[name]
    array[2, 0] = bad
    rewrite(saved, **{name: array})
    assert_refused(saved, f"episode.{name}")


@pytest.mark.parametrize("name", ["observations", "achieved_goals", "desired_goals", "actions"])
def test_vectors_that_are_flat_or_text_are_refused(saved, name):
    array = arrays_of(saved)[name]
    rewrite(saved, **{name: array[:, 0]})
    assert_refused(saved)
    rewrite(saved, **{name: array.astype(str)})
    assert_refused(saved)


def test_goals_of_two_widths_are_refused(saved):
    rewrite(saved, desired_goals=arrays_of(saved)["desired_goals"][:, :1])
    assert_refused(saved)


@pytest.mark.parametrize(
    ("header", "named"),
    [
        (header_bytes(schema=7, env_id="PointReach-v0"), "schema 7"),
        (header_bytes(env_id="PointReach-v0"), "schema"),
        (header_bytes(schema=1), "env_id"),
        (header_bytes(schema=1, env_id="P-v0", reward_info_keys=5), "reward_info_keys"),
        (header_bytes(schema=1, env_id="P-v0", reward_info_keys=None), "reward_info_keys"),
        (header_bytes(schema=1, env_id="P-v0", reward_info_keys=[1]), "reward_info_keys"),
        (header_bytes(schema=1, env_id="P-v0", noise=float("nan")), "NaN"),
        (np.frombuffer(b'{"schema": 1, "schema": 1, "env_id": "P-v0"}', np.uint8), "twice"),
        (np.frombuffer(b'{"env_id":' * 50_000, np.uint8), "deeper than 32"),
        (np.frombuffer(b"[]", np.uint8), ""),
        (np.frombuffer(b"{", np.uint8), ""),
        (np.frombuffer(b"\xff\xfe", np.uint8), ""),
        (np.zeros(0, np.uint8), ""),
    ],
)
def test_a_header_that_is_not_ours_is_refused(saved, header, named):
    rewrite(saved, header=header)
    assert_refused(saved, named)


def test_a_set_describes_itself():
    demos = demos_of([4, 1, 7])
    rate = np.mean([episode.success for episode in demos.episodes])
    assert demos.describe() == {
        "env_id": "PointReach-v0",
        "episodes": 3,
        "transitions": 12,
        "success_rate": rate,
        "expansion_env_steps": 0,
    }
    assert demos.first(2).episodes == demos.episodes[:2]
    assert demos.first(None).episodes == demos.episodes


def test_a_name_that_is_too_long_is_reported_in_one_line(tmp_path):
    with pytest.raises(InputError, match="cannot be written") as caught:
        save_demos(tmp_path / f"{'long' * 70}.npz", demos_of([3]))
    assert is_one_line(str(caught.value))
