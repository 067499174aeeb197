import subprocess
import sys

import numpy as np
import pytest

from headstart.seeding import Streams, generator, integer_seed, seed_sequence


def draws(*key):
    return tuple(generator(*key).integers(0, 2**62, 4))


def test_the_same_name_gives_the_same_stream():
    assert draws(3, "replay") == draws(3, "replay")
    assert draws(3, "rollout", 7) == draws(3, "rollout", 7)


def test_seeds_names_and_indices_all_give_different_streams():
    keys = [
        (seed, name, *index)
        for seed in (0, 1, 2**31)
        for name in ("replay", "networks", "rollout/env", "rollout/exploration", "")
        for index in ((), (0,), (1,), (0, 0), (10_000,))
    ]
    assert len({draws(*key) for key in keys}) == len(keys)


def test_drawing_more_from_one_stream_does_not_move_another():
    first, second = generator(0, "replay"), generator(0, "mixture")
    first.random(1000)
    assert second.random() == generator(0, "mixture").random()


def test_streams_of_neighbouring_episodes_are_not_correlated():
    rows = np.stack([generator(0, "rollout", index).random(2000) for index in range(20)])
    correlation = np.corrcoef(rows) - np.eye(20)
    assert np.abs(correlation).max() < 5.0 / np.sqrt(2000)


def test_integer_seeds_are_what_env_reset_and_torch_take():
    seeds = [integer_seed(0, "rollout/env", index) for index in range(2000)]
    assert all(type(seed) is int and 0 <= seed < 2**31 for seed in seeds)
    assert len(set(seeds)) == 2000


def test_streams_are_the_same_in_every_process():
    program = "from headstart.seeding import integer_seed; print(integer_seed(5, 'rollout', 2))"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert outputs == {f"{integer_seed(5, 'rollout', 2)}\n"}


def test_the_streams_do_not_change_between_versions():
    # A change here changes every published run; it belongs into the CHANGELOG.
    assert integer_seed(0, "networks") == 621273999
    assert seed_sequence(0, "rollout", 3).generate_state(1) == 3957138366


@pytest.mark.parametrize(
    "damage",
    [
        lambda state: {**state, "more": state["one"]},
        lambda state: {"one": state["one"]},
        lambda state: {**state, "two": None},
        lambda state: {**state, "two": []},
        lambda state: {**state, "two": {}},
        lambda state: {**state, "two": {**state["two"], "bit_generator": "MT19937"}},
        lambda state: {**state, "two": {**state["two"], "state": {"state": -1, "inc": 1}}},
        lambda state: {**state, "two": {**state["two"], "state": {"state": 2**128, "inc": 1}}},
        lambda state: {**state, "two": {**state["two"], "state": {"state": 0.5, "inc": 1}}},
        lambda state: {**state, "two": {**state["two"], "has_uint32": "x"}},
    ],
)
def test_streams_that_are_none_are_refused_and_none_is_moved(damage):
    streams = Streams(0)
    for name in ("one", "two"):
        streams[name].random()
    state = streams.state()
    drawn = [streams[name].random() for name in ("one", "two")]
    moved = streams.state()
    with pytest.raises(ValueError, match="stream"):
        streams.restore(damage(state))
    assert streams.state() == moved
    streams.restore(state)
    assert [streams[name].random() for name in ("one", "two")] == drawn
