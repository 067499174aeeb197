"""Damaged runs to plot: their curves are read or refused in one line.

``HEADSTART_FUZZ`` is the number of files, for longer runs.
"""

import json
from collections import Counter

import numpy as np
import pytest
from mutations import (
    both_seen,
    damaged_files,
    harmless,
    is_short_line,
    judge,
    mutate_json,
    outcome,
)
from test_plots import write_run

from headstart.runs.curves import Run, read_run
from headstart.viz.plots import plot_runs


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_damaged_runs_are_read_or_refused_in_one_line(tmp_path):
    directory = write_run(tmp_path / "run-1", 1, [0.1, 0.5, 0.9])
    whole = {name: (directory / name).read_bytes() for name in ("config.json", "metrics.jsonl")}
    # The first time, matplotlib looks for fonts.
    draw(directory, tmp_path)
    counts = Counter()
    for number, rng in damaged_files(quick=150):
        name = "config.json" if rng.random() < 0.5 else "metrics.jsonl"
        (directory / name).write_bytes(damage_first_line(whole[name], rng))
        with harmless():
            found = outcome(read_run, directory)
            # Drawing takes far longer than reading.
            picture = number % 200 == 0 and outcome(lambda run: draw(run, tmp_path), directory)
        assert not isinstance(picture, str) or is_short_line(picture, str(tmp_path))
        counts[judge(number, found, f"{directory}: ", str(directory))] += 1
        if isinstance(found, Run):
            assert np.isfinite(found.env_steps).all(), number
            assert found.env_id.isprintable(), number
        (directory / name).write_bytes(whole[name])
    both_seen(counts)


def damage_first_line(content, rng):
    first, *rest = content.splitlines()
    changed = mutate_json(first, rng)
    return b"\n".join([changed, *rest])


def draw(directory, place):
    plot_runs([directory], place / "curves.png")


def test_what_looks_like_a_formula_in_a_name_is_drawn_as_it_is(tmp_path):
    directory = write_run(tmp_path / "run-1", 1, [0.1])
    record = json.loads((directory / "config.json").read_text())
    (directory / "config.json").write_text(json.dumps({**record, "env_id": "$\\frac{$"}))
    draw(directory, tmp_path)
    assert (tmp_path / "curves.png").exists()
