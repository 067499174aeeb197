"""Pictures on the disk."""

from pathlib import Path

from matplotlib.figure import Figure

from headstart.errors import InputError
from headstart.files.atomic import replacing


def save_picture(figure: Figure, path: Path, *, dpi: int) -> None:
    """Write a figure: the file holds the old picture or the whole new one, never a part.

    Raises:
        InputError: if it cannot be written.
    """
    try:
        with replacing(path) as staged:
            figure.savefig(staged, dpi=dpi)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be written ({reason})") from error
