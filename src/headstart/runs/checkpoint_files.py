"""Checkpoints on the disk: written whole, verified when read, the last good ones kept."""

import contextlib
import errno
import hashlib
import json
import logging
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from headstart.errors import InputError
from headstart.files.atomic import making_directory, read_whole, replace_file
from headstart.files.run_files import BEST, CHECKPOINTS, LATEST, METRICS, policy_file
from headstart.files.strict_json import MAX_BYTES, build, parse_json
from headstart.text import printable

SCHEMA = 3
NEWEST = "LATEST"
MANIFEST = "manifest.json"
PARTS = "replay"
_MAX_TOTAL = 2**34  # bytes of a whole checkpoint; the largest replay by default takes 2**28
_OURS = re.compile(r"(\.tmp\.)?(LATEST|[0-9]{8}|([0-9]{4}-)?[0-9]{10}\.safetensors)", re.ASCII)
_log = logging.getLogger("headstart")


@dataclass(frozen=True)
class Entry:
    """A file as it was written."""

    size: int
    sha256: str

    def __post_init__(self) -> None:
        if self.size < 0:
            raise ValueError(f"a file of {self.size} bytes")

    @classmethod
    def of(cls, content: bytes) -> "Entry":
        """Return the entry of a file with this content."""
        return cls(len(content), hashlib.sha256(content).hexdigest())


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a checkpoint consists of."""

    schema: int
    files: dict[str, Entry]
    """Its own files."""
    parts: dict[str, Entry]
    """Files that it shares with other checkpoints, oldest first."""

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(entry.size for entry in (*self.files.values(), *self.parts.values()))


class CheckpointFiles:
    """The checkpoints of one run, numbered from 0 on, below one directory.

    ``NNNNNNNN/`` holds the files of a checkpoint and ``manifest.json``, their sizes and hashes;
    ``replay/`` what checkpoints share, each file written once; ``LATEST`` the newest one's name.

    Args:
        path: the directory; made when the first checkpoint is written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def numbers(self) -> list[int]:
        """Return the checkpoints that are there, whole or not, the likeliest to be good first."""
        names = [] if not self.path.is_dir() else [entry.name for entry in self.path.iterdir()]
        numbers = sorted((int(name) for name in names if _is_number(name)), reverse=True)
        newest = self._newest()
        return sorted(numbers, key=lambda number: number != newest)

    def write(self, number: int, files: Mapping[str, bytes], parts: Mapping[str, Entry]) -> None:
        """Write a checkpoint, whole or not at all.

        Raises:
            OSError: if it cannot be written; all others are as they were.
        """
        manifest = Manifest(
            schema=SCHEMA,
            files={name: Entry.of(content) for name, content in files.items()},
            parts=dict(parts),
        )
        if manifest.size > _MAX_TOTAL:
            # Now rather than on resume.
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        target = self._directory(number)
        self.path.mkdir(parents=True, exist_ok=True)
        # Of a run that was resumed from before it, because it was damaged or the run was cut.
        shutil.rmtree(target, ignore_errors=True)
        with making_directory(target) as staged:
            for name, content in files.items():
                (staged / name).write_bytes(content)
            (staged / MANIFEST).write_text(json.dumps(asdict(manifest)) + "\n", encoding="utf-8")
        replace_file(self.path / NEWEST, f"{target.name}\n".encode())

    def read(self, number: int) -> tuple[Manifest, dict[str, bytes]]:
        """Return a checkpoint's manifest and its own files.

        Raises:
            InputError: if another version of headstart has written it.
            ValueError: if anything differs from what was written.
            OSError: if a file cannot be read.
        """
        directory = self._directory(number)
        content = parse_json(read_whole(directory / MANIFEST, MAX_BYTES))
        schema = content.get("schema") if isinstance(content, dict) else None
        if isinstance(schema, int) and schema != SCHEMA and schema > 0:
            # Not passed over as damaged are: the run would continue from before it, and delete it.
            age = "a later" if schema > SCHEMA else "an earlier"
            raise InputError(
                f"{directory}: of {age} version of headstart (schema {schema}, this one reads "
                f"{SCHEMA}); resume with that one"
            )
        manifest = build(Manifest, content)
        if manifest.schema != SCHEMA:
            raise ValueError(f"schema {manifest.schema}, this version reads {SCHEMA}")
        if manifest.size > _MAX_TOTAL:
            raise ValueError(f"its files have {manifest.size} bytes, more than {_MAX_TOTAL}")
        files = {name: _verified(directory, name, it) for name, it in manifest.files.items()}
        return manifest, files

    def write_part(self, name: str, content: bytes) -> Entry:
        """Write a file that checkpoints can share.

        Raises:
            OSError: if it cannot be written.
        """
        directory = self.path / PARTS
        directory.mkdir(parents=True, exist_ok=True)
        replace_file(directory / name, content)
        return Entry.of(content)

    def read_part(self, name: str, entry: Entry) -> bytes:
        """Return a shared file.

        Raises:
            ValueError: if it differs from what was written.
            OSError: if it cannot be read.
        """
        return _verified(self.path / PARTS, name, entry)

    def has_parts(self, parts: Mapping[str, Entry]) -> bool:
        """Return whether shared files are all there still, by name and size."""
        paths = {self.path / PARTS / name: it.size for name, it in parts.items()}
        return all(path.is_file() and path.stat().st_size == size for path, size in paths.items())

    def prune(self, kept: Iterable[int], parts: Iterable[str]) -> None:
        """Delete all but some checkpoints and their shared files, what a crash left included."""
        names = {NEWEST, PARTS, *(self._directory(number).name for number in kept)}
        for directory, wanted in ((self.path, names), (self.path / PARTS, set(parts))):
            with contextlib.suppress(OSError):
                for path in directory.iterdir():
                    # In an untrusted run the directory may be a link to another one.
                    if path.name not in wanted and _OURS.fullmatch(path.name):
                        _delete(path)

    def _directory(self, number: int) -> Path:
        return self.path / f"{number:08d}"

    def _newest(self) -> int | None:
        try:
            name = read_whole(self.path / NEWEST, 16).decode("ascii").strip()
        except (OSError, ValueError):
            return None
        return int(name) if _is_number(name) else None


@dataclass(frozen=True)
class SavedRun:
    """A checkpoint that has been read and verified."""

    number: int
    manifest: Manifest
    files: Mapping[str, bytes]
    parts: Mapping[str, bytes] = field(repr=False)

    @property
    def rows(self) -> bytes:
        """The metrics of the evaluations so far."""
        return self.files[METRICS]

    @property
    def policies(self) -> dict[str, bytes]:
        """Best and latest policy so far."""
        names = {name: saved_policy_file(name) for name in (BEST, LATEST)}
        return {name: self.files[file] for name, file in names.items() if file in self.files}


def newest_run(directory: Path) -> SavedRun | None:
    """Return the newest checkpoint of a run directory that is whole, or ``None`` without any.

    What is damaged is logged, and passed over.

    Raises:
        InputError: if there are checkpoints, but none is whole, or the newest one is of another
            version of headstart.
    """
    files = CheckpointFiles(directory / CHECKPOINTS)
    numbers = files.numbers()
    for number in numbers:
        try:
            manifest, content = files.read(number)
            parts = {name: files.read_part(name, it) for name, it in manifest.parts.items()}
            return SavedRun(number, manifest, content, parts)
        except InputError:
            raise
        except (OSError, ValueError) as error:
            reason = printable(error)
            _log.warning("%s: checkpoint %d is not whole (%s)", files.path, number, reason)
    if numbers:
        raise InputError(f"{files.path}: none is whole; delete it to begin the run again")
    return None


def saved_policy_file(name: str) -> str:
    """Return what a checkpoint calls the file of a policy."""
    return f"policy.{policy_file(name)}"


def _verified(directory: Path, name: str, entry: Entry) -> bytes:
    path = directory / name
    if Path(name).name != name or path.is_symlink() or not path.is_file():
        raise ValueError(f"{name} is missing")
    # The size first: a file that has grown to gigabytes must not be read.
    if path.stat().st_size != entry.size:
        raise ValueError(f"{name} has {path.stat().st_size} bytes, {entry.size} were written")
    content = read_whole(path, entry.size)
    if Entry.of(content) != entry:
        raise ValueError(f"{name} is damaged, its hash differs from what was written")
    return content


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _is_number(name: str) -> bool:
    return re.fullmatch(r"[0-9]{8}", name, re.ASCII) is not None
