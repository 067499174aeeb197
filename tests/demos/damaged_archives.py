"""Damage to ``.npz`` files, for tests that read or refuse whatever they are given."""

import io
import zipfile
from collections import Counter

import numpy as np
from legacy_files import write
from mutations import both_seen, damaged_files, harmless, judge, mutate_bytes, outcome

from headstart.demos.storage import DemoSet


def damage_archive(content, rng):
    """A file with damage, mostly to a member, of which the archive's sums do not show."""
    if rng.random() < 0.3 or not content.startswith(b"PK"):
        return mutate_bytes(content, rng)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    name = list(contents)[rng.integers(len(contents))]
    contents[name] = mutate_bytes(contents[name], rng)
    stream = io.BytesIO()
    write(stream, contents)
    return stream.getvalue()


def read_damaged(read, path, files):
    """Hold ``read`` to reading or refusing damaged files; yield what it reads."""
    counts = Counter()
    for number, rng in damaged_files(quick=400):
        path.write_bytes(damage_archive(files[rng.integers(len(files))], rng))
        with harmless():
            found = outcome(read, path)
        counts[judge(number, found, f"{path}: ", str(path))] += 1
        if isinstance(found, DemoSet):
            assert all(np.isfinite(episode.observations).all() for episode in found.episodes)
            yield found
    both_seen(counts)
    assert counts["refused"] > counts["read"]
