"""The checkpoints of a run on the disk, changed as anyone could change them."""

import hashlib
import json

from outcomes import timeless

from headstart.agents.state import agent_state
from headstart.files.strict_json import plain


def newest(run):
    """The directory of the newest checkpoint."""
    return run / "checkpoints" / (run / "checkpoints" / "LATEST").read_text().strip()


def rewrite(run, files):
    """Put files in place of those of the newest checkpoint, and their hashes in its manifest.

    Args:
        run: the run directory.
        files: contents by name; those of the replay begin with ``../replay/``.

    Returns:
        What was there before, by path.
    """
    directory = newest(run)
    paths = [directory / name for name in (*files, "manifest.json")]
    before = {path: path.read_bytes() for path in paths}
    manifest = json.loads(before[directory / "manifest.json"])
    for name, content in files.items():
        (directory / name).write_bytes(content)
        group = "parts" if name.startswith("../replay/") else "files"
        entry = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        manifest[group][name.removeprefix("../replay/")] = entry
    (directory / "manifest.json").write_text(json.dumps(manifest))
    return before


def standing_of(trainer):
    """All of where a trainer stands that a checkpoint could change."""
    replay = trainer.replay
    return (
        {name: tensor.numpy().tobytes() for name, tensor in agent_state(trainer.agent).items()},
        replay.position,
        replay.num_transitions,
        replay._steps.tobytes(),
        trainer.streams.state(),
        timeless(plain(trainer.state)),
        trainer.ahead,
    )
