"""The run directory: configuration, metrics and policies of one run."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from headstart.errors import InputError
from headstart.policy import Policy
from headstart.training.config import TrainConfig
from headstart.training.evaluation import EvalResult
from headstart.training.metrics import MetricsLog
from headstart.training.schedule import Every
from headstart.training.trainer import Observer

PACKAGES = ("headstart", "torch", "numpy", "gymnasium", "gymnasium-robotics", "mujoco")


class RunDirectory(Observer):
    """Writes what a run leaves behind.

    Args:
        path: the directory; made if it is missing.
        env_id: the environment trained on.
        config: the configuration as really used.
        demos: what is known of the demonstrations, for the record.

    Raises:
        InputError: if the directory holds a run already, or cannot be written.
    """

    def __init__(
        self, path: Path, *, env_id: str, config: TrainConfig, demos: Mapping[str, Any] | None
    ) -> None:
        claim_directory(path)
        self.path = path
        self._record = {
            "env_id": env_id,
            "config": asdict(config),
            "demos": demos,
            "versions": {name: version(name) for name in PACKAGES},
        }
        _write_json(path / "config.json", self._record)
        (path / "policies").mkdir()
        self._log = MetricsLog(path)
        self._best = -1.0
        self._numbered_due = Every(config.policy_every)

    def evaluated(self, policy: Policy, result: EvalResult, metrics: dict[str, float]) -> None:
        """Write the metrics, and the policy as latest, best and numbered where it is due."""
        env_steps = int(metrics["time/env_steps"])
        self._log.write(metrics, env_steps)
        described = replace(
            policy,
            metadata={
                **self._record,
                "env_steps": env_steps,
                "success_rate": result.success_rate,
                "evaluation_episodes": result.episodes,
            },
        )
        names = ["latest"]
        # A tie goes to the later policy: it has learned from more.
        if result.success_rate >= self._best:
            self._best = result.success_rate
            names.append("best")
        if self._numbered_due.due(env_steps):
            names.append(f"{env_steps:08d}")
        for name in names:
            described.save(self.path / "policies" / f"{name}.safetensors")

    def close(self) -> None:
        """Close the metrics files."""
        self._log.close()


def claim_directory(path: Path) -> None:
    """Make sure that a new run can be written to ``path``, before any work is done.

    Raises:
        InputError: if it is a file, holds something already, or cannot be written.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise InputError(
                f"{path}: already holds files, possibly of an earlier run; choose another --out"
            )
        probe = path / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(f"{path}: cannot be written as a run directory ({error})") from error


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    staged = path.with_name(f".{path.name}.tmp")
    staged.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    staged.replace(path)
