"""A policy in another form, by one function."""

from pathlib import Path
from typing import Literal, get_args

from headstart.errors import InputError
from headstart.export.c99 import to_c
from headstart.export.hub import write_hub_folder
from headstart.export.onnx import to_onnx
from headstart.files.atomic import replace_file
from headstart.files.output import check_output
from headstart.files.paths import user_path
from headstart.files.run_files import CONFIG
from headstart.policy import Policy
from headstart.rollout.behaviour import Trained, open_behaviour
from headstart.training.evaluation import EvalResult

Format = Literal["onnx", "c", "hub"]
SUFFIXES: dict[Format, tuple[str]] = {"onnx": (".onnx",), "c": (".c",)}


def export_policy(
    policy: Policy | Trained | str | Path,
    path: str | Path,
    format: Format | None = None,
    *,
    evaluation: EvalResult | None = None,
) -> None:
    """Write a policy as ONNX, as one file of C99, or as a folder for the Hugging Face Hub.

    Normaliser, selection of inputs and action scale are inside: what goes in is what the
    environment gives, and what comes out is what it takes.

    Args:
        policy: a ``Policy``, the path of a policy file or of a run directory (its best policy), or
            what ``train`` returned.
        path: the file, or the folder, which must be new or empty.
        format: ``"onnx"``, ``"c"`` or ``"hub"``; by default what the suffix of the path says.
        evaluation: for the card on the Hub, on episodes that did not choose the policy; by default
            it reports the success that the policy was chosen by, and says so.

    Raises:
        InputError: if the policy cannot be read or written so, or a package is missing.
    """
    path = user_path(path)
    format = format or format_of(path)
    if format not in get_args(Format):
        raise InputError(f"format must be one of {', '.join(get_args(Format))}, got {format!r}")
    if format != "hub":
        check_output(path, "a policy", SUFFIXES[format])
    opened = open_behaviour(policy)
    if not isinstance(opened, Policy):
        raise InputError(f"only a Policy can be exported, got {type(opened).__name__}")
    if format == "hub":
        write_hub_folder(opened, path, _run_of(policy), evaluation)
        return
    content = to_onnx(opened) if format == "onnx" else to_c(opened).encode()
    try:
        replace_file(path, content)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error


def format_of(path: Path) -> Format:
    """Return the format that the suffix of a path says.

    Raises:
        InputError: if it says none.
    """
    for format, suffixes in SUFFIXES.items():
        if path.suffix.lower() in suffixes:
            return format
    raise InputError(
        f"{path}: its name says no format; call it something.onnx or .c, or give the format: "
        f"--format {', '.join(get_args(Format))}"
    )


def _run_of(policy: object) -> Path | None:
    """Return the run directory that a policy was given by, if it was."""
    given = getattr(policy, "directory", policy)
    if not isinstance(given, str | Path):
        return None
    path = user_path(given)
    return path if (path / CONFIG).is_file() else None
