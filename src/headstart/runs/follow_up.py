"""Commands that are printed for what comes next, as they work when they are typed."""

import shlex
from pathlib import Path

from headstart.envs.names import env_option, is_at_hand
from headstart.errors import InputError
from headstart.runs.record import RunRecord, read_record


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
