"""TensorBoard's event file.

Its bytes are made here: the writer that comes with TensorBoard hands them to a thread that ends
with a traceback, and for good, at the first full disk.
"""

import contextlib
import io
import itertools
import socket
import time
from collections.abc import Mapping
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter


def new_event_file(directory: Path) -> Path:
    """Return a name that TensorBoard knows for an event file, and that no file has yet.

    What a process left that was killed while it wrote another is deleted.
    """
    for staged in directory.glob(".tmp.events.out.tfevents.*"):
        with contextlib.suppress(OSError):
            staged.unlink()
    begun = directory / f"events.out.tfevents.{int(time.time()):010d}.{socket.gethostname()}"
    names = (begun.with_name(f"{begun.name}.{number}") for number in itertools.count())
    return next(path for path in names if not path.exists())


def beginning(purge_step: int | None) -> bytes:
    """Return what an event file begins with.

    Args:
        purge_step: the env steps from which on earlier files do not count any more.
    """
    events = [Event(wall_time=time.time(), file_version="brain.Event:2")]
    if purge_step is not None:
        start = SessionLog(status=SessionLog.START)
        events.append(Event(wall_time=time.time(), step=purge_step, session_log=start))
    return _records(events)


def scalars(metrics: Mapping[str, float], env_steps: int) -> bytes:
    """Return one row of metrics as events."""
    now = time.time()
    values = [Summary.Value(tag=name, simple_value=value) for name, value in metrics.items()]
    rows = [Summary(value=[value]) for value in values]
    return _records([Event(wall_time=now, step=env_steps, summary=row) for row in rows])


def _records(events: list[Event]) -> bytes:
    written = io.BytesIO()
    writer = RecordWriter(written)
    for event in events:
        writer.write(event.SerializeToString())
    return written.getvalue()
