"""Minari datasets with bytes changed at random.

``HEADSTART_FUZZ`` is the number of datasets, for longer runs.
"""

from collections import Counter

import numpy as np
import pytest
from minari_datasets import ID, MARKS, SPEC, buffer, write
from mutations import both_seen, damaged_files, judge, outcome

from headstart.demos.foreign import minari_files
from headstart.demos.foreign.minari import load_minari_demos
from headstart.demos.storage import DemoSet

pytestmark = MARKS


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_a_file_with_wrong_bytes_is_read_or_refused_in_one_line(store, monkeypatch):
    monkeypatch.setattr(minari_files, "_SECONDS", 20.0)
    write(buffer(3, infos={"is_success": np.ones(4, bool)}))
    files = [store / ID / "data" / name for name in ("main_data.hdf5", "metadata.json")]
    whole = [path.read_bytes() for path in files]
    counts = Counter()
    for number, rng in damaged_files(quick=12):
        which = int(rng.random() < 0.1)
        files[which].write_bytes(mutate_file(whole[which], rng))
        counts[judge(number, outcome(read, ID), f"{ID}: ")] += 1
        files[which].write_bytes(whole[which])
    both_seen(counts)
    assert isinstance(read(ID), DemoSet)


def read(dataset):
    return load_minari_demos(dataset, SPEC)


def mutate_file(content, rng):
    """Cut a file, or change some of its bytes, most often among the first, which say what it is."""
    if rng.random() < 0.2:
        return content[: rng.integers(len(content))]
    array = np.frombuffer(content, np.uint8).copy()
    end = len(array) if rng.random() < 0.5 else min(len(array), 6000)
    if rng.random() < 0.4:
        start = rng.integers(len(array) - 8)
        values = (bytes(8), b"\xff" * 8, b"\xff\xff\xff\x7f\0\0\0\0", rng.bytes(8))
        array[start : start + 8] = np.frombuffer(values[rng.integers(4)], np.uint8)
    else:
        places = rng.integers(end, size=rng.integers(1, 30))
        array[places] = rng.integers(256, size=len(places))
    return array.tobytes()
