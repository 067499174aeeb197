"""What a person watches while a sweep runs: a live table on a terminal, lines elsewhere."""

import time
from collections.abc import Sequence

from rich.console import Group
from rich.live import Live
from rich.table import Table

from headstart.sweeps.results import Result
from headstart.sweeps.spec import RunSpec
from headstart.terminal import console
from headstart.text import counted

_MOST_ROWS = 16


class SweepDisplay:
    """Progress of a sweep; to be used in a ``with`` block."""

    def __init__(self) -> None:
        self._console = console()
        self._live = Live(console=self._console, refresh_per_second=4, transient=True)
        self._begun: dict[str, tuple[float, int | None]] = {}

    def __enter__(self) -> "SweepDisplay":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def begun(self, spec: RunSpec) -> None:
        """Say so, and begin to time it."""
        # How far it was before is known once it says so.
        self._begun[spec.name] = time.monotonic(), None
        if not self._console.is_terminal:
            self._print(f"{spec.name}: started")

    def ended(self, result: Result) -> None:
        """Say how."""
        self._print(f"{result.spec.name}: {outcome_of(result)}")

    def looked(self, results: Sequence[Result]) -> None:
        """Show all that run."""
        if self._console.is_terminal:
            self._live.update(Group(self._table(results), self._summary(results)))

    def _print(self, line: str) -> None:
        self._console.print(line, highlight=False, soft_wrap=True, markup=False)

    def _table(self, results: Sequence[Result]) -> Table:
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("run", overflow="ellipsis", no_wrap=True)
        for name in ("doing", "env steps", "success", "left"):
            table.add_column(name, justify="right", no_wrap=True)
        running = [result for result in results if result.state.stage == "running"]
        for result in running[:_MOST_ROWS]:
            state, total = result.state, result.spec.config.env_steps
            rate = "-" if state.success_rate is None else f"{state.success_rate:.1%}"
            table.add_row(
                result.spec.name,
                state.phase or "starting",
                f"{state.env_steps:,} of {total:,}",
                rate,
                _duration(self._left(result)),
            )
        return table

    def _left(self, result: Result) -> float | None:
        """Return how many seconds a run still takes, at the pace that it has had."""
        start, steps = self._begun.get(result.spec.name, (None, None))
        taken = result.state.env_steps
        if start is None or not taken:
            return None
        if steps is None:
            self._begun[result.spec.name] = time.monotonic(), taken
            return None
        pace = (taken - steps) / max(time.monotonic() - start, 1e-6)
        return (result.spec.config.env_steps - taken) / pace if pace > 0 else None

    def _summary(self, results: Sequence[Result]) -> str:
        stages = [result.state.stage for result in results]
        failed = stages.count("failed")
        words = f"{stages.count('finished')} of {counted(len(stages), 'run')} finished"
        words += f", {failed} failed" if failed else ""
        left = self._left_of_all(results)
        return words if left is None else f"{words}, about {_duration(left)} left"

    def _left_of_all(self, results: Sequence[Result]) -> float | None:
        """Return how many seconds all still take, where those that run keep their pace."""
        running = [result for result in results if result.state.stage == "running"]
        left = [seconds for result in running if (seconds := self._left(result)) is not None]
        if not left:
            return None
        paces = sum(
            (it.spec.config.env_steps - it.state.env_steps) / max(seconds, 1e-6)
            for it in running
            if (seconds := self._left(it)) is not None
        )
        open_ = [it for it in results if not it.state.is_over]
        steps = sum(max(0, it.spec.config.env_steps - it.state.env_steps) for it in open_)
        return max(steps / paces, *left) if paces > 0 else None


def outcome_of(result: Result) -> str:
    """Return how a run has ended, in a few words."""
    if result.state.stage == "failed":
        return f"failed: {result.state.error}"
    if not result.rows:
        return result.state.stage
    steps, seconds = result.rows[-1]["time/env_steps"], result.seconds
    return (
        f"{result.state.stage}, {steps:,.0f} env steps, success {result.success_rate:.1%}, "
        f"{_duration(seconds)}"
    )


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes / 60:.1f} h"
