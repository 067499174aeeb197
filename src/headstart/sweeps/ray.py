"""Runs as tasks of a Ray cluster."""

import os
from pathlib import Path
from typing import Any

from headstart.errors import InputError
from headstart.files.strict_json import plain
from headstart.rollout.cluster import find_cluster
from headstart.rollout.ray_protocol import LOCAL, RAY
from headstart.sweeps.job import be_task
from headstart.sweeps.spec import RunSpec

_RETRIES = 20
"""How often Ray runs a task again whose node is lost, from the checkpoint of its run."""


class RayRuns:
    """Runs as tasks of a cluster, which ends them with this process.

    Args:
        address: ``"ray"`` for the cluster that ``RAY_ADDRESS`` names, or ``ray://HOST:PORT``.

    Raises:
        InputError: if Ray is missing, or there is no cluster.
    """

    def __init__(self, address: str = RAY) -> None:
        found = find_cluster(address, "--ray")
        if found == LOCAL:
            raise InputError(
                "--ray needs a cluster: RAY_ADDRESS, or --ray ray://HOST:PORT; on this machine "
                "alone runs need no Ray"
            )
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            import ray
        except ImportError as error:
            raise InputError("--ray needs Ray: pip install 'headstart[cluster]'") from error
        quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
        try:
            ray.init(address=found, **quiet)
        except Exception as error:  # It has many reasons.
            raise InputError(f"--ray {found}: {_one_line(error)}") from error
        self._ray, self._task = ray, ray.remote(max_retries=_RETRIES)(be_task)

    def has_room(self, spec: RunSpec) -> bool:
        """Return True: to queue is the cluster's business."""
        return True

    def start(self, spec: RunSpec, sweep: Path) -> "_RayRun":
        """Hand a run to the cluster."""
        task = self._task.options(num_cpus=spec.cores, name=spec.name)
        return _RayRun(self._ray, task.remote(plain(spec), str(sweep.absolute())))


class _RayRun:
    """A task."""

    def __init__(self, ray: Any, task: Any) -> None:
        self._ray, self._task = ray, task

    def ended(self) -> str | None:
        """Return how the task ended, or ``None`` while it waits or runs."""
        if not self._ray.wait([self._task], timeout=0)[0]:
            return None
        try:
            self._ray.get(self._task)
        except Exception as error:
            return f"on the Ray cluster: {_one_line(error)}"
        return "its task on the Ray cluster ended without a word"

    def stop(self) -> None:
        """Ask it to stop, as Ctrl-C does."""
        self._ray.cancel(self._task, force=False)

    def kill(self) -> None:
        """End it."""
        self._ray.cancel(self._task, force=True)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
