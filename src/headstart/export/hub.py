"""A folder for the Hugging Face Hub: policy, card, curve, and ONNX where the package is there."""

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path

from headstart.errors import InputError
from headstart.export.card import Facts, card_of
from headstart.export.onnx import to_onnx
from headstart.files.atomic import making_directory
from headstart.files.run_files import CONFIG, METRICS, read_metrics
from headstart.files.strict_json import build
from headstart.policy import Policy
from headstart.runs.changes import train_command
from headstart.runs.record import RunRecord, read_record
from headstart.training.evaluation import EvalResult
from headstart.viz.plots import plot_runs

POLICY, CARD, CURVE, ONNX = "policy.safetensors", "README.md", "curve.png", "policy.onnx"


def write_hub_folder(
    policy: Policy, path: Path, run: Path | None = None, evaluation: EvalResult | None = None
) -> list[str]:
    """Make the folder in one step, and return the names of its files.

    Args:
        policy: what it is for.
        path: of the folder, which must not exist or be empty.
        run: the run directory that the policy is from, for its curve and its settings.
        evaluation: of the policy, on episodes that did not choose it.

    Raises:
        InputError: if it cannot be written.
    """
    row: Mapping[str, float] = {}
    try:
        with making_directory(path) as folder:
            policy.save(folder / POLICY)
            if importlib.util.find_spec("onnx") is not None:
                (folder / ONNX).write_bytes(to_onnx(policy))
            if run is not None:
                row = _row_of(policy, run)
                for name in (CONFIG, METRICS):
                    (folder / name).write_bytes((run / name).read_bytes())
                if row:
                    plot_runs(run, folder / CURVE)
            files = sorted([*(each.name for each in folder.iterdir()), CARD])
            facts = Facts(
                files=files, command=_command(policy, run), evaluation=evaluation, row=row
            )
            (folder / CARD).write_text(card_of(policy, facts), encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written as a new folder ({error.strerror}); "
            f"name one that does not exist or is empty"
        ) from error
    return files


def _row_of(policy: Policy, run: Path) -> Mapping[str, float]:
    """Return the metrics of the evaluation that the policy is from."""
    try:
        rows = read_metrics(run)
    except (OSError, ValueError):
        return {}
    env_steps = policy.metadata.get("env_steps")
    return next((row for row in rows if row.get("time/env_steps") == env_steps), {})


def _command(policy: Policy, run: Path | None) -> str | None:
    """Return the line that trains the policy again, as far as its settings are known."""
    record: Callable[[], RunRecord] = (
        (lambda: read_record(run)) if run is not None else (lambda: _record_in(policy))
    )
    try:
        return train_command(record())
    except (InputError, ValueError):
        return None


def _record_in(policy: Policy) -> RunRecord:
    known = RunRecord.__dataclass_fields__
    return build(
        RunRecord, {name: value for name, value in policy.metadata.items() if name in known}
    )
