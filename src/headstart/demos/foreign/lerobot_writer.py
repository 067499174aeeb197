"""Demonstrations as datasets of LeRobot, version 3, out; needs pyarrow and not LeRobot."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.data.episode import Episode
from headstart.demos.foreign.lerobot import ACHIEVED, ACTION, DESIRED, INFO, STATE, SUCCESS
from headstart.demos.foreign.reader_process import need
from headstart.demos.storage import DemoSet
from headstart.envs.goal_env import GoalReward
from headstart.errors import InputError
from headstart.files.atomic import making_directory
from headstart.text import counted, printable

Columns = dict[str, NDArray[Any]]
_INDICES = ("timestamp", "frame_index", "episode_index", "index", "task_index")
_QUANTILES = {"q01": 0.01, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q99": 0.99}
_DATA, _EPISODES = (
    "data/chunk-000/file-000.parquet",
    "meta/episodes/chunk-000/file-000.parquet",
)
_CARD = """\
---
tags: [LeRobot, robotics]
---

# {title}

{count} of `{env_id}`, written by headstart. `{state}` is the observation, `{achieved}`
and `{desired}` are the goals; `next.success` says whether a step leads to a state that
fulfils the goal.

LeRobot has a row for each action. An episode has one row more here: the state after the last
action, with an action of zeros, and reward and success of the step before. `next.done` is true
on it and on the step before.
"""


def save_lerobot_demos(
    demos: DemoSet, path: Path, reward: GoalReward, frames_per_second: float
) -> None:
    """Write demonstrations as a new dataset, whole or not at all.

    Args:
        demos: what to write, simulator snapshots aside.
        path: of the dataset, which must not exist or be empty.
        reward: computes the rewards of the steps.
        frames_per_second: env steps in a second of the environment's own time.

    Raises:
        InputError: if pyarrow is missing, the demonstrations are not of this environment, or the
            directory cannot be written.
    """
    need("pyarrow", f"{path}: writing a LeRobot dataset", "lerobot")
    if not (0.0 < frames_per_second < 1e6 and float(frames_per_second).is_integer()):
        raise InputError(
            f"a LeRobot dataset needs a whole number of frames per second, got "
            f"{frames_per_second:g}: --fps says how many env steps are a second"
        )
    demos.check_fits(reward.spec)
    task = printable(demos.env_id)
    try:
        with making_directory(path) as folder:
            _write(folder, [_columns(it, reward) for it in demos.episodes], frames_per_second, task)
            card = _CARD.format(
                title=task, count=counted(len(demos.episodes), "demonstration"), env_id=task,
                state=STATE, achieved=ACHIEVED, desired=DESIRED,
            )  # fmt: skip
            (folder / "README.md").write_text(card, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written as a new directory ({error.strerror}); name one that does "
            f"not exist or is empty"
        ) from error


def _columns(episode: Episode, reward: GoalReward) -> Columns:
    """Return the rows of an episode, ``T + 1`` of them."""
    goals = episode.desired_goals
    paid, _ = reward(episode.achieved_goals[1:], goals, episode.reward_infos)

    def and_again(array: NDArray[Any]) -> NDArray[Any]:
        return np.concatenate([array, array[-1:]])

    return {
        STATE: episode.observations,
        ACHIEVED: episode.achieved_goals,
        DESIRED: and_again(goals),
        ACTION: np.concatenate([episode.actions, np.zeros_like(episode.actions[:1])]),
        "next.reward": and_again(paid.astype(np.float32)),
        "next.done": np.arange(len(episode) + 1) >= len(episode) - 1,
        SUCCESS: and_again(episode.is_success),
    }


def _write(folder: Path, episodes: Sequence[Columns], rate: float, task: str) -> None:
    lengths = [len(episode[ACTION]) for episode in episodes]
    total = sum(lengths)
    columns = {name: np.concatenate([it[name] for it in episodes]) for name in episodes[0]}
    frames = np.concatenate([np.arange(length) for length in lengths])
    columns |= dict(
        zip(
            _INDICES,
            [
                (frames / rate).astype(np.float32),
                frames,
                np.repeat(np.arange(len(lengths)), lengths),
                np.arange(total),
                np.zeros(total, np.int64),
            ],
            strict=True,
        )
    )
    for name in (_DATA, _EPISODES):
        (folder / name).parent.mkdir(parents=True)
    _write_rows(folder / _DATA, columns)
    _write_episodes(folder / _EPISODES, columns, lengths, task)
    _write_tasks(folder / "meta" / "tasks.parquet", task)
    stats = {name: _plain(_stats(values)) for name, values in columns.items()}
    (folder / "meta" / "stats.json").write_text(json.dumps(stats, indent=2))
    info = _info(columns, len(lengths), total, int(rate))
    (folder / INFO).write_text(json.dumps(info, indent=2))


def _write_rows(path: Path, columns: Columns) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    def column(values: NDArray[Any]) -> Any:
        if values.ndim == 1:
            return pa.array(values)
        return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), values.shape[1])

    pq.write_table(pa.table({name: column(it) for name, it in columns.items()}), path)


def _write_episodes(path: Path, columns: Columns, lengths: Sequence[int], task: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = []
    stops = np.cumsum(lengths).tolist()
    for index, (length, stop) in enumerate(zip(lengths, stops, strict=True)):
        row: dict[str, Any] = {
            "episode_index": index,
            "tasks": [task],
            "length": length,
            "data/chunk_index": 0,
            "data/file_index": 0,
            "dataset_from_index": stop - length,
            "dataset_to_index": stop,
            "meta/episodes/chunk_index": 0,
            "meta/episodes/file_index": 0,
        }
        for name, values in columns.items():
            stats = _plain(_stats(values[stop - length : stop]))
            row |= {f"stats/{name}/{stat}": value for stat, value in stats.items()}
        rows.append(row)
    pq.write_table(pa.Table.from_pylist(rows), path)


def _write_tasks(path: Path, task: str) -> None:
    """Write the tasks as pandas does, whose index they are."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    index = "__index_level_0__"

    def described(name: str | None, field: str, kind: str, numpy_kind: str, more: Any) -> Any:
        return {"name": name, "field_name": field, "pandas_type": kind,
                "numpy_type": numpy_kind, "metadata": more}  # fmt: skip

    pandas = {
        "index_columns": [index],
        "column_indexes": [
            described(None, None, "unicode", "object", {"encoding": "UTF-8"})  # type: ignore[arg-type]
        ],
        "columns": [
            described("task_index", "task_index", "int64", "int64", None),
            described(None, index, "unicode", "object", None),
        ],
        "creator": {"library": "pyarrow", "version": pa.__version__},
        "pandas_version": "2.0.0",
    }
    table = pa.table({"task_index": [0], index: [task]})
    pq.write_table(table.replace_schema_metadata({"pandas": json.dumps(pandas)}), path)


def _stats(values: NDArray[Any]) -> Mapping[str, NDArray[Any]]:
    """Return what LeRobot normalises by, each ``(width,)``."""
    rows = values.astype(np.float64).reshape(len(values), -1)
    quantiles = np.quantile(rows, list(_QUANTILES.values()), axis=0)
    return {
        "min": rows.min(axis=0),
        "max": rows.max(axis=0),
        "mean": rows.mean(axis=0),
        "std": rows.std(axis=0),
        "count": np.array([len(rows)]),
        **dict(zip(_QUANTILES, quantiles, strict=True)),
    }


def _plain(stats: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    return {name: values.tolist() for name, values in stats.items()}


def _info(columns: Columns, num_episodes: int, num_frames: int, rate: int) -> dict[str, Any]:
    features = {
        name: {"dtype": str(it.dtype), "shape": list(it.shape[1:]) or [1], "names": None}
        for name, it in columns.items()
    }
    return {
        "codebase_version": "v3.0",
        "robot_type": None,
        "total_episodes": num_episodes,
        "total_frames": num_frames,
        "total_tasks": 1,
        "chunks_size": 1000,
        "data_files_size_in_mb": 100,
        "video_files_size_in_mb": 200,
        "fps": rate,
        "splits": {"train": f"0:{num_episodes}"},
        "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
        "video_path": None,
        "features": features,
    }
