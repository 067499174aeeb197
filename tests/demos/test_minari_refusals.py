import importlib.util
import json
import zlib
from dataclasses import replace

import h5py
import numpy as np
import pytest
from builders import is_one_line
from minari_datasets import (
    DEMOS,
    ID,
    MARKS,
    SPEC,
    edit_metadata,
    episode_of,
    export,
    refusal,
    replace_array,
)

from headstart.cli.main import main
from headstart.demos.foreign import minari_files
from headstart.demos.foreign.minari import load_minari_demos
from headstart.errors import InputError

pytestmark = MARKS


@pytest.fixture
def dataset(store):
    return export()


def contents(directory):
    return {path: path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()}


def test_what_is_not_a_dataset_is_refused(store, tmp_path):
    assert "not in the local Minari store" in refusal("fetch/reach-v0")
    for source in (tmp_path / "nothing", str(tmp_path), "../point-v0", ""):
        with pytest.raises(InputError, match="not a Minari dataset") as caught:
            load_minari_demos(source, SPEC)
        assert is_one_line(str(caught.value))
    assert not store.exists()


def test_without_the_extra_the_command_is_reported(dataset, monkeypatch):
    found = importlib.util.find_spec
    for missing in ("h5py", "minari"):
        gone = {missing: None}
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name, gone=gone: gone.get(name, found(name))
        )
        message = f"needs {missing}: run `pip install -e '.\\[minari\\]'`"
        with pytest.raises(InputError, match=message):
            export(dataset_id="test/other-v0")
        if missing == "h5py":
            with pytest.raises(InputError, match=message):
                load_minari_demos(ID, SPEC)
        else:
            assert load_minari_demos(ID, SPEC).episodes == DEMOS.episodes


METADATA = {
    "missing": (None, "it lacks data/metadata.json"),
    "not JSON": ("{", "damaged"),
    "not UTF-8": (b"\xff\xfe", "damaged"),
    "a list": ("[]", "damaged"),
    "deep": ("[" * 100_000, "damaged"),
    "long number": ("1" * 10_000, "damaged"),
    "no text as spec": ('{"env_spec": 3}', "damaged"),
    "spec not JSON": ('{"env_spec": "PointReach-v0"}', "damaged"),
    "spec a list": ('{"env_spec": "[]"}', "damaged"),
    "id a list": ('{"env_spec": "{\\"id\\": [1]}"}', "damaged"),
    "episodes a text": ('{"total_episodes": "3"}', "has '3' episodes"),
    "arrow": ('{"data_format": "arrow"}', "data_format is 'arrow'; only 'hdf5' can be read"),
    "other count": ('{"total_episodes": 4}', "says 4 episodes, data/main_data.hdf5 holds 3"),
    "huge": (" " * (17 << 20), "larger than"),
}


@pytest.mark.parametrize("case", METADATA)
def test_damaged_metadata_is_refused(dataset, case):
    content, said = METADATA[case]
    path = dataset / "data" / "metadata.json"
    path.unlink()
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    before = contents(dataset)
    assert said in refusal(ID)
    assert contents(dataset) == before


@pytest.mark.usefixtures("read_here")
def test_an_environment_that_a_dataset_describes_is_never_built(dataset, tmp_path, monkeypatch):
    canary = tmp_path / "canary"
    tmp_path.joinpath("hostile.py").write_text(f"open({str(canary)!r}, 'w').close()")
    monkeypatch.syspath_prepend(tmp_path)
    points = [
        {"entry_point": "os:system", "kwargs": {"command": f"touch {canary}"}},
        {"entry_point": "hostile:Env", "kwargs": {}},
    ]
    for point in points:
        for env_id in ("PointReach-v0", "hostile:PointReach-v0"):
            spec = json.dumps({"id": env_id, **point, "additional_wrappers": []})
            # Without the spaces, minari.load_dataset would build the environment to learn them.
            edit_metadata(dataset, env_spec=spec, observation_space=None, action_space=None)
            assert load_minari_demos(ID, SPEC).episodes == DEMOS.episodes
            assert not canary.exists()


def test_a_name_in_a_dataset_cannot_steer_a_terminal(dataset, tmp_path, capsys):
    edit_metadata(dataset, env_spec=json.dumps({"id": "Other,\n\x1b[31mred"}))
    out = tmp_path / "demos.npz"
    main(["demos", "import", ID, "--env", "PointReach-v0", "--out", str(out)])
    printed = capsys.readouterr().out.splitlines()
    assert any("Recorded with Other, ?[31mred, used for" in line for line in printed)
    assert all(map(str.isprintable, printed))


@pytest.mark.usefixtures("read_here")
def test_a_file_that_is_not_hdf5_is_refused(dataset):
    path = dataset / "data" / "main_data.hdf5"
    whole = path.read_bytes()
    for content in (b"", b"no HDF5", whole[: len(whole) // 2], whole[:100]):
        path.write_bytes(content)
        assert "data/main_data.hdf5: " in refusal(ID)
    with h5py.File(path, "w"):
        pass
    assert "it holds no episode" in refusal(ID)
    path.unlink()
    assert "it lacks data/main_data.hdf5" in refusal(ID)
    path.mkdir()
    assert "it lacks data/main_data.hdf5" in refusal(ID)


def change(key, edit):
    """A change of one array of an episode."""
    return lambda group: replace_array(group, key, edit(group[key][()]))


def with_nan(array):
    array[3] = np.nan
    return array


def with_end(array):
    array[3] = True
    return array


def drop(key):
    return lambda group: group.__delitem__(key)


OBSERVATION, GOAL = "observations/observation", "observations/desired_goal"
EPISODES = {
    "no observations": (drop("observations"), "lacks observations/observation"),
    "no desired goal": (drop(GOAL), "lacks observations/desired_goal"),
    "no achieved goal": (drop("observations/achieved_goal"), "lacks observations/achieved_goal"),
    "no actions": (drop("actions"), "lacks actions"),
    "no truncations": (drop("truncations"), "lacks truncations"),
    "flat observations": (
        lambda group: replace_array(group, "observations", np.zeros((31, 2))),
        "lacks observations/observation",
    ),
    "T observations": (
        change(OBSERVATION, lambda array: array[:-1]),
        "observations/achieved_goal has shape (31, 2) instead of (30, 2)",
    ),
    "two states missing": (
        change(OBSERVATION, lambda array: array[:-2]),
        "observations/observation has shape (29, 2) instead of (31, 2)",
    ),
    "wide observations": (
        change(OBSERVATION, lambda array: np.zeros((31, 3))),
        "observations/observation has shape (31, 3) instead of (31, 2)",
    ),
    "wide actions": (
        change("actions", lambda array: np.zeros((30, 4))),
        "actions has shape (30, 4) instead of (30, 2)",
    ),
    "discrete actions": (
        change("actions", lambda array: np.zeros(30, int)),
        "actions has shape (30,) instead of (30, 2)",
    ),
    "long infos": (
        change("infos/is_success", lambda array: np.zeros(40)),
        "infos/is_success has shape (40,) instead of (30,)",
    ),
    "texts": (change("truncations", lambda array: ["a"] * 30), "truncations holds object"),
    "complex": (change("actions", lambda array: array * 1j), "actions holds complex"),
    "NaN in a goal": (change(GOAL, with_nan), "its desired goals hold NaN or infinity"),
    "NaN in an action": (change("actions", with_nan), "its actions hold NaN or infinity"),
    "too large": (change(OBSERVATION, lambda array: array + 1e300), "holds NaN or infinity"),
    "two in one": (change("truncations", with_end), "it continues after step 3, which ended it"),
    "a scalar": (change("actions", lambda array: 3.0), "actions is not an array"),
    "a group": (change("actions", lambda array: h5py.Empty("f")), "actions is not an array"),
    "soft link": (
        lambda group: replace_array(group, "actions", h5py.SoftLink("/episode_0/actions")),
        "actions is a link to elsewhere",
    ),
    "external link": (
        lambda group: replace_array(group, "actions", h5py.ExternalLink("/dev/zero", "/x")),
        "actions is a link to elsewhere",
    ),
    "link to a group": (
        lambda group: replace_array(group, "observations", h5py.ExternalLink("other.h5", "/x")),
        "observations/observation is a link to elsewhere",
    ),
}


@pytest.mark.slow
@pytest.mark.usefixtures("read_here")
@pytest.mark.parametrize("case", EPISODES)
def test_a_damaged_episode_is_refused_by_its_number(dataset, case):
    edit, said = EPISODES[case]
    with episode_of(dataset, 1) as group:
        edit(group)
    before = contents(dataset)
    message = refusal(ID)
    assert "episode_1" in message
    assert said in message
    assert contents(dataset) == before


@pytest.mark.usefixtures("read_here")
def test_other_widths_than_those_of_the_environment_are_refused(dataset):
    changes = ({"observation_dim": 3}, {"goal_dim": 3}, {"action_low": (-1.0,)})
    for changed in changes:
        assert "instead of" in refusal(ID, replace(SPEC, **changed))


@pytest.mark.usefixtures("read_here")
def test_the_content_of_other_files_is_not_read(dataset, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(np.zeros((30, 2)).tobytes())
    with h5py.File(tmp_path / "source.h5", "w") as file:
        file["x"] = np.zeros((30, 2))
    layout = h5py.VirtualLayout((30, 2), float)
    layout[:] = h5py.VirtualSource(tmp_path / "source.h5", "x", (30, 2))
    with episode_of(dataset) as group:
        del group["actions"]
        external = [(str(secret), 0, h5py.h5f.UNLIMITED)]
        group.create_dataset("actions", (30, 2), float, external=external)
    assert "episode_0: actions lies outside of the file" in refusal(ID)
    with episode_of(dataset) as group:
        del group["actions"]
        group.create_virtual_dataset("actions", layout)
    assert "episode_0: actions lies outside of the file" in refusal(ID)


def test_a_file_that_claims_too_much_is_refused_before_it_is_read(dataset):
    steps = 10**8
    with episode_of(dataset) as group:
        del group["actions"]
        group.create_dataset("actions", (steps, 2), float, chunks=(1024, 2), compression="gzip")
        replace_array(group, "truncations", np.zeros(0, bool))
        for key in ("observation", "achieved_goal", "desired_goal"):
            del group["observations"][key]
            group["observations"].create_dataset(key, (steps + 1, 2), float, chunks=(1024, 2))
    message = refusal(ID)
    assert "with observations/observation the arrays hold 1600000016 bytes, more than" in message


def test_many_episodes_that_are_one_claim_too_much_together(dataset, monkeypatch):
    monkeypatch.setattr(minari_files, "CLAIM", 1 << 20)
    steps = 2000
    with episode_of(dataset) as group:
        file = group.file
        big = file.create_group("big")
        big.create_dataset("actions", (steps, 2), chunks=(1024, 2))
        for key in ("terminations", "truncations"):
            big.create_dataset(key, (steps,), bool, chunks=(1024,))
        for key in ("observation", "achieved_goal", "desired_goal"):
            big.create_dataset(f"observations/{key}", (steps + 1, 2), chunks=(1024, 2))
        for number in range(100):
            file[f"episode_{number + 3}"] = big
    assert "more than the 1048576 that are read" in refusal(ID)


@pytest.mark.slow
def test_a_chunk_that_unpacks_to_more_than_it_says_is_refused(dataset, monkeypatch):
    monkeypatch.setattr(minari_files, "MEMORY", 1 << 29)
    packer = zlib.compressobj(9)
    zeros = bytes(1 << 24)
    start, block = (packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    bomb = start + 64 * block  # of 1 GiB
    with episode_of(dataset) as group:
        del group["actions"]
        array = group.create_dataset("actions", (30, 2), float, chunks=(30, 2), compression="gzip")
        array.id.write_direct_chunk((0, 0), bomb)
    assert "data/main_data.hdf5" in refusal(ID)


def test_filters_that_would_be_loaded_from_libraries_are_not_used(dataset):
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_chunk((30, 2))
    properties.set_filter(32_015, h5py.h5z.FLAG_OPTIONAL, ())  # Zstandard, a plug-in
    with episode_of(dataset) as group:
        del group["actions"]
        space = h5py.h5s.create_simple((30, 2))
        array = h5py.h5d.create(group.id, b"actions", h5py.h5t.NATIVE_DOUBLE, space, properties)
        array.write_direct_chunk((0, 0), bytes(480))
    assert "episode_0" in refusal(ID)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import os; os.abort()", "the HDF5 library fails on it (code -6)"),
        ("import sys; sys.exit(1)", "the HDF5 library fails on it (code 1)"),
        ("import time; time.sleep(3600)", "it was not read in 1 s"),
        ("print('one\\ntwo'); raise SystemExit(2)", "data/main_data.hdf5: one two"),
    ],
)
def test_a_file_that_ends_the_reader_or_holds_it_up_is_refused(
    dataset, tmp_path, monkeypatch, program, said
):
    reader = tmp_path / "reader.py"
    reader.write_text(program)
    monkeypatch.setattr(minari_files, "_READER", reader)
    if "sleep" in program:
        monkeypatch.setattr(minari_files, "_SECONDS", 1.0)
    assert said in refusal(ID)
