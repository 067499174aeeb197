"""All checks of a machine, in the order in which one explains the next."""

from collections.abc import Callable, Iterator

from headstart.doctor.check import Check
from headstart.doctor.machine import check_cores, check_memory
from headstart.doctor.packages import check_installation, check_packages, check_python
from headstart.doctor.places import check_current_directory, check_gone, check_temporary_files
from headstart.doctor.simulation import check_ffmpeg, check_simulation
from headstart.text import printable


def examine(env_id: str) -> Iterator[Check]:
    """Yield what is found on this machine, as it is found.

    Args:
        env_id: an environment that the main job should run on, and that can be drawn.
    """
    if gone := list(check_gone()):
        # Nothing can be started there.
        yield from gone
        return
    parts: dict[str, Callable[[], Iterator[Check]]] = {
        "python": check_python,
        "headstart": check_installation,
        "packages": check_packages,
        "simulator": lambda: check_simulation(env_id),
        "ffmpeg": check_ffmpeg,
        "cores": check_cores,
        "memory": check_memory,
        "temporary files": check_temporary_files,
        "directory": check_current_directory,
    }
    for name, part in parts.items():
        try:
            yield from part()
        except (
            Exception
        ) as error:  # On a broken machine anything may break, and the other checks still run.
            found = f"could not be checked ({printable(repr(error))})"
            repair = "install headstart again; if that does not help, report this as its defect"
            yield Check(name, "problem", found, repair)
