"""All checks of a machine, in the order in which one explains the next."""

from collections.abc import Callable, Iterator

from headstart.doctor.check import Check
from headstart.doctor.machine import check_bfloat16, check_cores, check_memory, check_torch
from headstart.doctor.packages import check_installation, check_packages, check_python
from headstart.doctor.places import check_current_directory, check_temporary_files
from headstart.doctor.simulation import check_environment, check_ffmpeg, check_opengl
from headstart.text import printable


def examine(env_id: str) -> Iterator[Check]:
    """Yield what is found on this machine, as it is found.

    Args:
        env_id: an environment that the main job should run on, and that can be drawn.
    """
    parts: dict[str, Callable[[], Iterator[Check]]] = {
        "python": check_python,
        "headstart": check_installation,
        "packages": check_packages,
        "simulator": lambda: check_environment(env_id),
        "opengl": lambda: check_opengl(env_id),
        "ffmpeg": check_ffmpeg,
        "torch": check_torch,
        "bfloat16": check_bfloat16,
        "cores": check_cores,
        "memory": check_memory,
        "temporary files": check_temporary_files,
        "directory": check_current_directory,
    }
    for name, part in parts.items():
        try:
            yield from part()
        except Exception as error:  # On a broken machine anything may break, the others still tell.
            found = f"could not be checked ({printable(repr(error))})"
            yield Check(name, "problem", found, "report this as a defect of headstart")
