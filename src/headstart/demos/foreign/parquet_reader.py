"""Reads columns of Parquet files; a program of its own, not to be imported.

As ``hdf5_reader``: the library is large and the file untrusted, so ``lerobot`` runs this in a
process that may die, under limits. It imports nothing else of headstart.
"""

import contextlib
import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

_FILES = re.compile(r"chunk-[0-9]{3,9}/(file-[0-9]{3,9}|episode_[0-9]{6,12})\.parquet")
_MOST_FILES = 100_000


def main(path: str, out: str, request: str) -> int:
    """Write columns of the directory ``path`` to the ``.npz`` ``out``, or print what is wrong."""
    wanted = json.loads(request)
    _limit(wanted["memory"])
    try:
        np.savez(out, allow_pickle=False, **_columns(Path(path), wanted))
    # Any: damages of a file become exceptions of many kinds.
    except Exception as error:
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        print(" ".join((str(error) or type(error).__name__).split()))
        return 2
    return 0


def _limit(memory: int) -> None:
    """Where the system can, bound the bytes of memory, and leave no core file behind."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _columns(directory: Path, wanted: dict[str, Any]) -> dict[str, Any]:
    """Return each wanted column of all files end to end, called by its number."""
    paths = [path for path in directory.glob("chunk-*/*.parquet") if not path.is_symlink()]
    names = sorted(path.relative_to(directory).as_posix() for path in paths)
    names = [name for name in names if _FILES.fullmatch(name)]
    if not names or len(names) > _MOST_FILES:
        raise ValueError(f"it holds {len(names)} files of rows")
    claimed, tables = 0, []
    for name in names:
        file = pq.ParquetFile(directory / name)
        known = set(file.schema_arrow.names)
        for column in wanted["columns"]:
            if column not in known:
                raise ValueError(
                    f"{name} has no column {column}; it has {', '.join(sorted(known))}"[:400]
                )
        for group in range(file.metadata.num_row_groups):
            claimed += file.metadata.row_group(group).total_byte_size
        if claimed > wanted["claim"]:
            raise ValueError(
                f"its rows hold {claimed} bytes, more than the {wanted['claim']} that are read"
            )
        tables.append(file.read(columns=wanted["columns"], use_threads=False))
    table = pa.concat_tables(tables)
    return {f"{number}": _numbers(table.column(column), column)
            for number, column in enumerate(wanted["columns"])}  # fmt: skip


def _numbers(column: Any, name: str) -> Any:
    """Return a column of numbers, or of lists of numbers of one length, as an array."""
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):  # of a table without rows
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], pa.float32())
    if array.null_count:
        raise ValueError(f"{name} has rows without a value")
    kind, rows = array.type, len(array)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        values = array.flatten()
        lengths = (
            np.asarray(array.value_lengths()) if not pa.types.is_fixed_size_list(kind) else None
        )
        if values.null_count or (lengths is not None and len(set(lengths.tolist())) > 1):
            raise ValueError(f"{name} has rows of different lengths")
        width = len(values) // rows if rows else 0
        return _plain(values, name).reshape(rows, width)
    return _plain(array, name)


def _plain(values: Any, name: str) -> Any:
    kind = values.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        raise ValueError(f"{name} holds {kind} instead of numbers"[:200])
    return values.to_numpy(zero_copy_only=False)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
