"""What a person watches while a policy is trained: a live table on a terminal, lines elsewhere."""

from pathlib import Path

from rich.console import Group
from rich.live import Live
from rich.table import Table

from headstart.policy import Policy
from headstart.terminal import bar, console
from headstart.training.config import TrainConfig
from headstart.training.evaluation import EvalResult
from headstart.training.observer import Observer, RunHandle, TrainResult
from headstart.training.progress import Progress


class TrainingDisplay(Observer):
    """Progress of a training run."""

    def __init__(self) -> None:
        self._directory: Path | None = None  # until it has been shown
        self._console = console()
        self._bar = bar(self._console)
        self._rows: list[dict[str, float]] = []
        self._live = Live(self._bar, console=self._console, refresh_per_second=4)

    def started(self, config: TrainConfig, run: RunHandle) -> None:
        """Show empty bars."""
        warm_start = config.warm_start
        updates = warm_start.critic_updates + (run.num_demos > 0) * (warm_start.bc_updates or 0)
        self._directory = run.directory
        self._warm_up = self._bar.add_task("warm start", total=updates or None)
        self._bar.update(self._warm_up, visible=updates > 0)
        self._training = self._bar.add_task("env steps", total=config.env_steps)
        if self._console.is_terminal:
            self._live.start()

    def finished(self, result: TrainResult) -> None:
        """Leave the terminal as it is."""
        self._live.stop()

    def failed(self, error: BaseException) -> None:
        """Leave the terminal as it is."""
        self._live.stop()

    def progressed(self, progress: Progress) -> None:
        """Move the bars."""
        if self._directory is not None:
            self._console.print(
                f"run directory: {_shown(self._directory)}", highlight=False, soft_wrap=True
            )
            self._directory = None
        self._bar.update(self._warm_up, completed=progress.warm_start_updates)
        self._bar.update(self._training, completed=progress.env_steps, description=progress.phase)

    def evaluated(self, policy: Policy, result: EvalResult, metrics: dict[str, float]) -> None:
        """Show the evaluation: a row of the table, or a line."""
        self._rows.append(metrics)
        if self._console.is_terminal:
            self._live.update(Group(self._table(), self._bar))
        else:
            cells = ", ".join(f"{name} {cell}" for name, cell in _cells(metrics).items())
            self._console.print(cells, soft_wrap=True, highlight=False)

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False, header_style="bold")
        shown = self._rows[-12:]
        for name in _cells(shown[-1]):
            table.add_column(name, justify="right")
        for row in shown:
            cells = _cells(row)
            table.add_row(*(cells.get(name, "0") for name in _cells(shown[-1])))
        return table


def _shown(directory: Path) -> Path:
    """Return a directory as a person would type it here."""
    here = Path.cwd()
    return directory.relative_to(here) if directory.is_relative_to(here) else directory


def _cells(row: dict[str, float]) -> dict[str, str]:
    """Return what a person wants to see of one row of metrics."""

    def number(name: str, digits: int) -> str:
        return f"{row[name]:.{digits}f}" if name in row else "-"

    seconds = max(row["time/wall_seconds"] - row["time/evaluation_seconds"], 1e-6)
    updates = row["time/updates"] + row["time/warm_start_updates"]
    cells = {
        "env steps": f"{row['time/env_steps']:,.0f}",
        "success": f"{row['eval/success_rate']:.1%}",
        "mean Q": number("eval/mean_q", 2),
        "critic loss": number("train/critic_loss", 3),
        "actor loss": number("train/actor_loss", 3),
        "BC loss": number("train/bc_loss", 4),
        "Q-filter": number("train/q_filter_pass_rate", 2),
        "updates/s": f"{updates / seconds:.0f}",
        "env steps/s": f"{row['time/env_steps'] / seconds:.0f}",
        "seconds": f"{seconds:.0f}",
    }
    if row.get("health/dropped_episodes"):
        cells["dropped"] = f"{row['health/dropped_episodes']:.0f}"
    return cells
