"""Damaged runs: each is gone on with, from an older checkpoint too, or refused in one line.

``HEADSTART_FUZZ`` is the number of damaged runs, for longer ones.
"""

import json
import logging
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from cut_runs import BASE, cut_run
from mutations import (
    both_seen,
    damaged_files,
    harmless,
    is_short_line,
    judge,
    mutate_bytes,
    mutate_json,
    mutate_tensors,
    outcome,
    print_counts,
)
from saved_runs import newest, rewrite, standing_of
from small_runs import POINT
from test_policy_fuzz import of_policy

from headstart.runs.checkpoint import restore_saved
from headstart.runs.checkpoint_files import Entry, newest_run
from headstart.runs.preparation import prepare_run
from headstart.runs.record import read_record

# A replay of which every row can be compared.
CONFIG = replace(BASE, replay_capacity=1000)


@pytest.fixture
def run(tmp_path, point_demos):
    """A run that was cut with episodes asked for ahead, two checkpoints and parts of its replay."""
    return cut_run(tmp_path / "run", point_demos, CONFIG, after=10)


@pytest.fixture
def trainers(point_demos):
    """Return the trainer to put the run into; a new one after it was put somewhere."""
    with prepare_run(POINT, CONFIG, point_demos, 0, None, []) as (spare, _):
        kept = [spare]

        def fresh(*, used=False):
            if used:
                with prepare_run(POINT, CONFIG, point_demos, 0, None, []) as (another, _):
                    kept[0] = another
            return kept[0]

        yield fresh


@pytest.fixture
def logged(monkeypatch):
    """What is logged while a run is read."""
    lines = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())
    log = logging.getLogger("headstart")
    log.addHandler(handler)
    yield lines
    log.removeHandler(handler)


def damage_own(run, rng):
    """Change a file of the newest checkpoint, its hash too, so that only its reader notices."""
    manifest = json.loads((newest(run) / "manifest.json").read_bytes())
    names = [*manifest["files"], *(f"../replay/{name}" for name in manifest["parts"])]
    name = names[rng.integers(len(names))]
    path = newest(run) / name
    content = path.read_bytes()
    if path.suffix == ".json":
        changed = mutate_json(content, rng)
    elif path.suffix == ".jsonl":
        lines = content.splitlines()
        changed = b"\n".join([*lines[:-1], mutate_json(lines[-1], rng)]) if lines else b"{}"
    else:
        inner = of_policy if "policy" in name or "ahead" in name else mutate_json
        changed = mutate_tensors(content, rng, inner)
    return rewrite(run, {name: changed})


def damage_any(run, rng):
    """Change a file of the checkpoints and leave the hashes as they are."""
    files = sorted(path for path in (run / "checkpoints").rglob("*") if path.is_file())
    path = files[rng.integers(len(files))]
    content = path.read_bytes()
    is_json = path.suffix == ".json" and rng.random() < 0.7
    path.write_bytes(mutate_json(content, rng) if is_json else mutate_bytes(content, rng))
    return {path: content}


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.parametrize("damage", [damage_own, damage_any])
def test_a_damaged_checkpoint_is_used_passed_over_or_refused(run, trainers, logged, damage):
    """Damage by ``damage_own`` reaches the readers behind the hashes."""
    whole = newest_run(run).number
    counts = Counter()
    trainer = trainers()
    untouched = standing_of(trainer)

    def go_on(path):
        saved = newest_run(path)
        restore_saved(path, trainer, saved)
        return saved

    for number, rng in damaged_files(quick=50):
        before = damage(run, rng)
        logged.clear()
        with harmless():
            found = outcome(go_on, run)
        assert all(is_short_line(line, str(run)) for line in logged), number
        if isinstance(found, str):
            assert found.startswith(f"InputError: {run / 'checkpoints'}"), number
            assert is_short_line(found, str(run)), number
            assert standing_of(trainer) == untouched, number
            counts["refused"] += 1
        else:
            assert all(np.isfinite(column).all() for column in arrays_of(trainer)), number
            assert logged or found.number == whole or run / "checkpoints" / "LATEST" in before
            same = all(path.read_bytes() == content for path, content in before.items())
            kind = "as it was" if same else "read"
            counts[kind if found.number == whole else "the one before"] += 1
            trainer = trainers(used=True)
        for path, content in before.items():
            path.write_bytes(content)
    print_counts(counts)
    assert counts["refused" if damage is damage_own else "the one before"] > 0


def arrays_of(trainer):
    """All numbers of a trainer that another run could have broken."""
    policies = [trainer.agent.policy(deployed=deployed) for deployed in (True, False)]
    yield from (array for policy in policies for array in policy.arrays().values())
    yield trainer.replay.newest(trainer.replay.num_episodes).rows


@pytest.mark.timeout(0)
def test_a_damaged_record_is_read_or_refused_in_one_line(run):
    path = run / "config.json"
    content = path.read_bytes()
    counts = Counter()
    for number, rng in damaged_files(quick=400):
        path.write_bytes(mutate_json(content, rng))
        with harmless():
            found = outcome(read_record, run)
        counts[judge(number, found, f"{path}: ", str(path))] += 1
    both_seen(counts)


def test_the_hashes_that_damage_is_hidden_behind_are_those_of_the_reader(run):
    manifest = json.loads((newest(run) / "manifest.json").read_bytes())
    rewrite(run, {"state.json": (newest(run) / "state.json").read_bytes()})
    assert json.loads((newest(run) / "manifest.json").read_bytes()) == manifest
    entry = Entry.of((newest(run) / "state.json").read_bytes())
    assert manifest["files"]["state.json"] == {"size": entry.size, "sha256": entry.sha256}
