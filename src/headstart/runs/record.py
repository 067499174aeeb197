"""What a run directory says of its run: ``config.json``, written at the start, read on resume."""

import hashlib
import json
import os
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from headstart.demos.storage import MAX_BYTES, DemoSet, load_demos
from headstart.envs.names import env_option, is_at_hand
from headstart.errors import InputError
from headstart.files.atomic import replace_file
from headstart.files.run_files import CONFIG, DEMOS, read_config, why_no_run
from headstart.files.strict_json import build
from headstart.text import printable
from headstart.training.config import TrainConfig

PACKAGES = ("headstart", "torch", "numpy", "gymnasium", "gymnasium-robotics", "mujoco")


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """What a run is made of, besides its demonstrations."""

    env_id: str
    config: TrainConfig
    """As really used."""
    demos: dict[str, Any] | None
    """What is known of the demonstrations, the hash of their file included."""
    versions: dict[str, str]
    """Of the packages that results depend on, when the run began."""
    goal_strategy: str | None = None
    """Name of the user's own function for hindsight goals, if there is one."""
    goal_strategy_sha256: str | None = None
    """Hash of its content; earlier versions wrote none."""
    task_source: str | None = None
    """Name of the user's own choice of training episodes, if there is one."""
    task_source_sha256: str | None = None
    changes: list[dict[str, Any]] = field(default_factory=list)
    """Settings that were changed on resume, and at how many env steps."""
    decided: list[str] = field(default_factory=list)
    """Settings that were left open, and are in ``config`` what the run made of them."""

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)

    def with_change(
        self, config: TrainConfig, env_steps: int, changed: Mapping[str, tuple[Any, Any]]
    ) -> "RunRecord":
        """Return the record of a run that continues with other settings.

        Args:
            config: all settings, as used from now on.
            env_steps: taken so far.
            changed: the settings that differ, each with both values.
        """
        change = {"env_steps": env_steps, "changed": dict(changed)}
        # A value that is given is no longer left open.
        decided = [name for name in self.decided if name not in changed]
        return replace(self, config=config, changes=[*self.changes, change], decided=decided)

    def write(self, directory: Path) -> None:
        """Put it into a run directory.

        Raises:
            OSError: if it cannot be written.
        """
        content = json.dumps(self.to_json(), indent=2) + "\n"
        replace_file(directory / CONFIG, content.encode())


def current_versions() -> dict[str, str]:
    """Return the versions of the packages that results depend on."""
    return {name: version(name) for name in PACKAGES}


def changed_versions(record: RunRecord) -> dict[str, tuple[str, str]]:
    """Return the packages whose versions differ from when the run began, each with both."""
    now = current_versions()
    return {
        name: (before, now[name])
        for name, before in record.versions.items()
        if name in now and now[name] != before
    }


def read_record(directory: Path) -> RunRecord:
    """Read what a run directory says of its run.

    Raises:
        InputError: if it is not a run directory, or its record is not as it was written.
    """
    path = directory / CONFIG
    # Of os.path, which answers where pathlib raises: for a name that is too long.
    if not os.path.isfile(path):
        raise InputError(f"{directory}: {why_no_run(directory, CONFIG)}")
    try:
        return build(RunRecord, read_config(path))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: {printable(error)}") from error


def read_demos(directory: Path, record: RunRecord) -> DemoSet | None:
    """Read the demonstrations of a run, which lie in its directory.

    Raises:
        InputError: if they are missing, or not those that the run began with.
    """
    if record.demos is None:
        return None
    path = directory / DEMOS
    # One that is too large to be read is too large for its hash.
    fits = path.is_file() and path.stat().st_size <= MAX_BYTES
    if fits and demos_hash(path) != record.demos.get("sha256"):
        raise InputError(f"{path}: not the demonstrations that the run began with (hash differs)")
    return load_demos(path)


def demos_hash(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def resume_advice(path: Path, record: RunRecord) -> str:
    """Return how to continue a run: by a command, or in Python where no command can."""
    own = [f"{name}=..." for name in ("goal_strategy", "task_source") if getattr(record, name)]
    line = None if own else command_line("resume", path, record.env_id)
    if line is not None:
        return f"continue with: {line}"
    return f"continue in Python: {python_line('resume', path, record.env_id, *own)}"


def resume_advice_of(path: Path) -> str:
    """Return how to continue the run that a directory holds, as far as it can be read."""
    try:
        return resume_advice(path, read_record(path))
    except InputError:
        return f"continue with: headstart resume {shlex.quote(str(path))}"


def command_line(verb: str, path: Path, env_id: str, options: str = "") -> str | None:
    """Return a command for a run, if one can build its environment.

    Args:
        verb: of ``headstart``.
        path: the run directory.
        env_id: the name of its environment.
        options: what else is typed.
    """
    option = env_option(env_id)
    if option is None:
        return None
    return f"headstart {verb} {shlex.quote(str(path))}{option}{options and ' '}{options}"


def python_line(function: str, path: Path, env_id: str, *arguments: str) -> str:
    """Return a call for a run, for the script or notebook that its environment is of."""
    env = () if is_at_hand(env_id) else ("env=...",)
    return f"headstart.{function}({', '.join([repr(str(path)), *env, *arguments])})"
