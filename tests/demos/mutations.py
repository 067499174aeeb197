"""Damage to ``.npz`` files, for tests that read or refuse whatever they are given."""

import io
import os
import zipfile

import numpy as np
from builders import is_one_line
from legacy_files import write

from headstart.demos.storage import DemoSet

COUNT = int(os.environ.get("HEADSTART_FUZZ", "1500"))
"""How many damaged files a test tries."""


def flip(data, rng):
    for position in rng.integers(0, len(data), rng.integers(1, 4)):
        data[position] ^= 1 << rng.integers(0, 8)


def overwrite(data, rng):
    for position in rng.integers(0, len(data), rng.integers(1, 4)):
        data[position] = rng.integers(0, 256)


def truncate(data, rng):
    del data[rng.integers(0, len(data)) :]


def splice(data, rng):
    """Put a piece of the data somewhere else in it."""
    start, end, to = rng.integers(0, len(data), 3)
    piece = data[start : min(end, start + 200)]
    data[to : to + rng.integers(0, 2) * len(piece)] = piece


def cut_out(data, rng):
    start = rng.integers(0, len(data))
    del data[start : start + rng.integers(1, 50)]


def change_length(data, rng):
    """Put an extreme number where one may be."""
    position = rng.integers(0, len(data))
    extreme = (b"\xff" * 4, b"\x00" * 4, b"\xff" * 8, b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80")
    piece = extreme[rng.integers(len(extreme))]
    data[position : position + len(piece)] = piece


MUTATIONS = (flip, overwrite, truncate, splice, cut_out, change_length)


def damaged(content, rng):
    """A file with damage, mostly to a member, of which the archive's sums do not tell."""
    mutate = MUTATIONS[rng.integers(len(MUTATIONS))]
    if rng.random() < 0.3:
        data = bytearray(content)
        mutate(data, rng)
        return bytes(data)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        contents = {name: bytearray(archive.read(name)) for name in archive.namelist()}
    name = list(contents)[rng.integers(len(contents))]
    mutate(contents[name], rng)
    stream = io.BytesIO()
    write(stream, contents)
    return stream.getvalue()


def outcome(read, content):
    """What is read, or the message of the refusal; any other error is a defect."""
    try:
        return read(content)
    except ValueError as error:
        return f"{type(error).__name__}: {error}"


def read_damaged(read, path, files):
    """Hold ``read`` to reading or refusing ``COUNT`` damaged files; yield what it reads."""
    refused = 0
    for number in range(COUNT):
        rng = np.random.default_rng(number)
        path.write_bytes(damaged(files[rng.integers(len(files))], rng))
        found = outcome(read, path)
        if isinstance(found, DemoSet):
            assert all(np.isfinite(episode.observations).all() for episode in found.episodes)
            yield found
        else:
            assert found.startswith(f"InputError: {path}: "), number
            assert is_one_line(found), number
            assert found.isprintable(), number
            assert len(found) < len(str(path)) + 300, number
            refused += 1
    print(f"{COUNT} damaged files: {refused} refused, {COUNT - refused} read")
    assert COUNT // 2 < refused < COUNT
