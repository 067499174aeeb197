"""What ``train`` and ``resume`` show: progress, how to go on after an interruption, the outcome."""

import contextlib
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from headstart.errors import RunError
from headstart.run_files import CONFIG

if TYPE_CHECKING:  # It imports torch.
    from headstart.training.result import TrainResult


@contextlib.contextmanager
def explain_failure(out: Path) -> Iterator[None]:
    """Add to the message of a run that fails where its last checkpoint is, and how to continue."""
    try:
        yield
    except RunError as error:
        if not (out / CONFIG).is_file():
            raise
        raise RunError(
            f"{error}\nthe run up to its last checkpoint is in {out}; when the cause is mended, go "
            f"on with: headstart resume {shlex.quote(str(out))}"
        ) from error


def print_outcome(result: "TrainResult", out: Path) -> None:
    """Print what a run came to, and what to do next.

    Raises:
        RunError: if standard output goes to a full disk, for instance.
    """
    evaluation, progress = result.evaluation, result.progress
    told = (
        f"success rate {evaluation.success_rate:.1%} over {evaluation.episodes} episodes after "
        f"{progress.env_steps} env steps and {progress.wall_seconds:.0f} s "
        f"({progress.evaluation_seconds:.0f} s of them evaluation)\n"
        f"policies: {out / 'policies'}\n"
        f"next:     headstart evaluate {shlex.quote(str(out))} --episodes 500"
    )
    try:
        print(told, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise RunError(f"standard output cannot be written ({error.strerror})") from error
