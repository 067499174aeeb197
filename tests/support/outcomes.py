"""What a run left behind: all of it but clocks and health, and what of it no loader takes."""

import json

import numpy as np
import safetensors.numpy

from headstart.files.run_files import CHECKPOINTS, CONFIG, DEMOS, METRICS
from headstart.policy import load_policy
from headstart.runs.checkpoint import AGENT, STATE
from headstart.runs.checkpoint_files import CheckpointFiles, newest_run
from headstart.runs.record import read_demos, read_record


def outcome(directory):
    """Return what is the same however often a finished run was killed, by name."""
    saved = newest_run(directory)
    return {
        **{path.name: path.read_bytes() for path in (directory / "policies").iterdir()},
        **{name: (directory / name).read_bytes() for name in (CONFIG, DEMOS)},
        **{f"saved {name}": content for name, content in saved.policies.items()},
        "metrics": _rows((directory / METRICS).read_bytes()),
        "saved metrics": _rows(saved.rows),
        "agent": saved.files[AGENT],
        "state": timeless(json.loads(saved.files[STATE])),
        "replay": _read_stored(saved),
        "left over": [str(path) for path in _list_staged(directory)],
    }


def differences(one, other):
    """Return the names of what differs between two outcomes."""
    return sorted(
        name for name in one.keys() | other.keys() if one.get(name, one) != other.get(name, other)
    )


def find_damage(directory):
    """Return what of a run, killed or finished, its readers call damaged."""
    if not directory.exists():
        return []
    metrics = directory / METRICS
    attempts = {
        CONFIG: lambda: read_demos(directory, read_record(directory)),
        metrics.name: lambda: _rows(metrics.read_bytes() if metrics.exists() else b""),
        CHECKPOINTS: lambda: _read_newest(CheckpointFiles(directory / CHECKPOINTS)),
        **{
            path.name: lambda path=path: load_policy(path)
            for path in (directory / "policies").glob("[!.]*.safetensors")
        },
    }
    return [printed for name, read in attempts.items() if (printed := _trouble(name, read))]


def half_written(directory):
    """Return whether a run was killed while it wrote a file."""
    return bool(_list_staged(directory))


def _list_staged(directory):
    beside = directory.with_name(f".tmp.{directory.name}")
    return [*directory.rglob(".*"), *([beside] if beside.exists() else [])]


def _trouble(name, read):
    try:
        read()
    except (OSError, ValueError) as error:
        return f"{name}: {error}"
    return None


def _read_newest(files):
    """Read the newest checkpoint; an older one may have been killed while it was deleted."""
    for number in files.numbers()[:1]:
        manifest, _ = files.read(number)
        for name, entry in manifest.parts.items():
            files.read_part(name, entry)


def _rows(content):
    return [list(timeless(json.loads(line)).items()) for line in content.splitlines()]


def timeless(value):
    """Return JSON values without those that differ from run to run."""
    if not isinstance(value, dict):
        return value
    return {
        name: timeless(inner)
        for name, inner in value.items()
        if not name.endswith("_seconds") and not name.startswith("health/")
    }


def _read_stored(saved):
    """Return where each stored episode lies in the replay, and its rows."""
    position = json.loads(saved.files[STATE])["replay"]
    episodes = {}
    for content in saved.parts.values():
        part = safetensors.numpy.load(content)
        stops = np.cumsum(part["steps"] + 1)
        rows = np.split(part["rows"], stops[:-1])
        places = zip(part["starts"].tolist(), rows, strict=True)
        for number, (start, own) in enumerate(places, int(part["first"])):
            episodes[number] = (start, own.tobytes())
    forgotten = position["num_added"] - position["num_episodes"]
    return {number: episodes[number] for number in range(forgotten, position["num_added"])}
