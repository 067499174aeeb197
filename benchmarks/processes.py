"""Processor time of this process and of all that it has started, by what they are."""

import contextlib
import os
from collections import Counter
from pathlib import Path


class Tree:
    """Counts the processor seconds that pass within a ``with`` block, as Linux reports them.

    ``spent`` has those of the ``learner``, which is this process, of the ``driver`` that speaks
    with Ray, of ``collectors``, and of Ray's own processes.
    """

    def __enter__(self) -> "Tree":
        self._before = _seconds()
        return self

    def __exit__(self, *_: object) -> None:
        spent: Counter[str] = Counter(learner=0.0, driver=0.0, collectors=0.0, ray=0.0)
        for (pid, part), seconds in _seconds().items():
            spent[part] += seconds - self._before.get((pid, part), 0.0)
        self.spent: dict[str, float] = dict(spent)


def _seconds() -> dict[tuple[int, str], float]:
    """Return processor seconds so far, by process and its part."""
    stats = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            fields = (path / "stat").read_text().rpartition(")")[2].split()
            command = (path / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        stats[int(path.name)] = int(fields[1]), _on_processor(path), command
    own = {os.getpid()}
    while more := {pid for pid, (parent, *_) in stats.items() if parent in own} - own:
        own |= more
    return {(pid, _part(pid, stats[pid][2])): stats[pid][1] for pid in own}


def _on_processor(process: Path) -> float:
    """Return the seconds that the threads of a process have run, which ``stat`` has in ticks."""
    total = 0
    for path in process.glob("task/*/schedstat"):
        with contextlib.suppress(OSError):
            total += int(path.read_text().split()[0])
    return total * 1e-9


def _part(pid: int, command: str) -> str:
    if pid == os.getpid():
        return "learner"
    for part, program in (("driver", "rollout.ray_driver"), ("collectors", "rollout.collector")):
        if program in command:
            return part
    return "ray"
