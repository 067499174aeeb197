"""Damaged files of plain arrays: each is read or refused in one line, whatever was damaged.

``HEADSTART_FUZZ`` is the number of files, for longer runs.
"""

import io
import pickle
from functools import partial

import numpy as np
import pytest
from damaged_archives import read_damaged
from demo_files import array_each, her_buffer, lengths_of, one_row, row_each
from legacy_files import SPEC, some_episodes

from headstart.demos.reading import read_demos
from headstart.files import restricted_pickle

EPISODES = some_episodes([2, 3])


def good_files():
    """A small file of every layout, as bytes."""
    lengths = lengths_of(EPISODES)
    layouts = [
        {**one_row(EPISODES), "episode_lengths": lengths},
        {**one_row(EPISODES, last=False), "terminals": np.isin(np.arange(5), (1, 4))},
        {**row_each(EPISODES), "episode_lengths": lengths},
        her_buffer(EPISODES[1:]),
        array_each(EPISODES),
    ]
    files = [pickle.dumps(layouts[3]), pickle.dumps([one_row([ep]) for ep in EPISODES], 2)]
    for write, arrays in [(np.savez, layout) for layout in layouts] + [(np.save, layouts[3])]:
        stream = io.BytesIO()
        write(stream, arrays, allow_pickle=True) if write is np.save else write(stream, **arrays)
        files.append(stream.getvalue())
    return files


@pytest.mark.slow
@pytest.mark.filterwarnings("error")
def test_damaged_files_are_read_or_refused_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(restricted_pickle, "MAX_OPERATIONS", 20_000)
    read = partial(read_demos, spec=SPEC, log=False)
    assert list(read_damaged(read, tmp_path / "demos.npz", good_files()))


@pytest.mark.parametrize("content", good_files())
def test_the_files_are_good_before_they_are_damaged(tmp_path, content):
    path = tmp_path / "demos.npz"
    path.write_bytes(content)
    assert len(read_demos(path, SPEC).episodes) >= 1
