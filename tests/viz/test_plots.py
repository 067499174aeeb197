import json
import os
from dataclasses import replace

import numpy as np
import pytest
from builders import is_one_line
from full_disk import files_limited_to
from matplotlib.figure import Figure

from headstart.errors import InputError
from headstart.runs.curves import find_runs, moving_average, read_run
from headstart.viz.plots import draw_group, plot_runs

ROW = b'{"time/env_steps": 1, "eval/success_rate": 0.5, "eval/mean_q": -1}'


def write_run(directory, seed, success, discount=0.98):
    directory.mkdir(parents=True)
    config = {"seed": seed, "agent": {"discount": discount}}
    record = {"env_id": "PointReach-v0", "config": config, "demos": None}
    (directory / "config.json").write_text(json.dumps(record))
    rows = [
        {"time/env_steps": 100 * (index + 1), "eval/success_rate": rate, "eval/mean_q": -rate}
        for index, rate in enumerate(success)
    ]
    (directory / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return directory


def test_runs_that_differ_in_their_seed_alone_are_one_group(tmp_path):
    first = read_run(write_run(tmp_path / "a-0", 0, [0.1, 0.5]))
    second = read_run(write_run(tmp_path / "a-1", 1, [0.2, 0.6]))
    other = read_run(write_run(tmp_path / "b-0", 0, [0.2, 0.6], discount=0.95))
    assert first.group == second.group != other.group
    assert first.label == second.label == "a"


def test_moving_average_keeps_constants_and_length():
    assert np.allclose(moving_average(np.full(7, 3.0), 3), 3.0)
    assert np.allclose(moving_average(np.array([0.0, 3.0, 6.0]), 3), [1.5, 3.0, 4.5])
    assert np.allclose(moving_average(np.array([1.0, 2.0]), 1), [1.0, 2.0])


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_plot_draws_seeds_of_different_length(tmp_path, suffix):
    runs = [
        write_run(tmp_path / "a-0", 0, [0.1, 0.5, 0.9]),
        write_run(tmp_path / "a-1", 1, [0.2]),
        write_run(tmp_path / "b-0", 0, [0.3], discount=0.9),
    ]
    plot_runs(runs, tmp_path / f"curves.{suffix}", log_steps=True)
    assert (tmp_path / f"curves.{suffix}").stat().st_size > 5000


def test_evaluations_at_the_same_env_steps_are_drawn_one_above_the_other(tmp_path):
    run = read_run(write_run(tmp_path / "a-0", 0, [0.1, 0.8, 0.9]))
    run.env_steps[:] = [0, 0, 100]
    axes = Figure().subplots()
    draw_group(axes, [run], "eval/success_rate", smooth=1)
    steps, success = axes.lines[0].get_data()
    np.testing.assert_allclose(steps[:2], 0.0)
    np.testing.assert_allclose(success[[0, 1, -1]], [0.1, 0.8, 0.9])


def test_runs_without_demonstrations_are_thin(tmp_path):
    axes = Figure().subplots()
    run = read_run(write_run(tmp_path / "a-0", 0, [0.1, 0.8]))
    for has_demos in (True, False):
        draw_group(axes, [replace(run, has_demos=has_demos)], "eval/success_rate", smooth=1)
    thick, thin = (line.get_linewidth() for line in axes.lines)
    assert thin < thick


def test_a_run_without_evaluations_is_refused(tmp_path):
    directory = write_run(tmp_path / "a-0", 0, [])
    for left in (b"", b'{"time/env_steps": 10, "eval/succ', None):
        if left is None:
            (directory / "metrics.jsonl").unlink()
        else:
            (directory / "metrics.jsonl").write_bytes(left)
        with pytest.raises(InputError, match="holds no evaluation yet"):
            read_run(directory)


def test_of_a_sweep_runs_that_were_evaluated_are_found(tmp_path):
    write_run(tmp_path / "a-0", 0, [])
    write_run(tmp_path / "a-1", 1, [])
    (tmp_path / "a-1" / "metrics.jsonl").unlink()
    with pytest.raises(InputError, match="of 2 runs in it none was evaluated yet; wait") as caught:
        find_runs([tmp_path])
    assert is_one_line(str(caught.value))
    write_run(tmp_path / "a-2", 2, [0.5])
    assert find_runs([tmp_path]) == [tmp_path / "a-2"]
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "sweep.json").touch()
    with pytest.raises(InputError, match="no run of the sweep was evaluated yet"):
        find_runs([tmp_path / "empty"])


def test_an_unknown_picture_format_is_refused(tmp_path):
    directory = write_run(tmp_path / "a-0", 0, [0.1])
    with pytest.raises(InputError, match="cannot be written"):
        plot_runs([directory], tmp_path / "curves.nothing")


@pytest.mark.parametrize(
    ("record", "rows", "expected"),
    [
        (b"[]", None, "list indices"),
        (b"\x80\x04N.", None, "a pickle"),
        (b"{", None, "Expecting"),
        (b'{"env_id": "a", "config": {"seed": "(a+)+$"}, "demos": 1}', None, "config.seed must be"),
        (b'{"env_id": "a", "config": {"seed": "["}, "demos": 1}', None, "config.seed must be"),
        (b'{"env_id": "a", "config": {"seed": 1}}', None, "it lacks 'demos'"),
        (None, b"[]", "must be an object"),
        (None, b'{"time/env_steps": 1}', "it lacks 'eval/success_rate'"),
        (None, b'{"time/env_steps": "1"}', "time/env_steps must be a number"),
        (None, b'{"time/env_steps": NaN}', "NaN"),
        (None, b"[" * 100_000, "deeper than 32"),
        (None, ROW.replace(b"1", b"Infinity", 1), "infinite"),
        (None, ROW.replace(b"1", b"9" * 400, 1), "must be a number"),
        (None, b"\x1f\x8b", "a gzip archive"),
    ],
)
def test_what_is_not_a_run_is_refused(tmp_path, record, rows, expected):
    directory = write_run(tmp_path / "a-0", 0, [0.1])
    if record is not None:
        (directory / "config.json").write_bytes(record)
    if rows is not None:
        (directory / "metrics.jsonl").write_bytes(rows)
    with pytest.raises(InputError, match="cannot be read as a run") as caught:
        read_run(directory)
    assert expected in str(caught.value)
    assert is_one_line(str(caught.value))


def test_a_full_disk_leaves_the_old_picture(tmp_path):
    directory = write_run(tmp_path / "a-0", 0, [0.1])
    old = tmp_path / "curves.png"
    old.write_bytes(b"old")
    with files_limited_to(1000), pytest.raises(InputError, match="File too large") as caught:
        plot_runs([directory], old)
    assert is_one_line(str(caught.value))
    assert old.read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a-0", "curves.png"]


@pytest.mark.parametrize("name", ["config.json", "metrics.jsonl"])
@pytest.mark.parametrize(
    "make", [os.mkfifo, os.mkdir, lambda path: path.open("wb").truncate(2**37)]
)
def test_what_is_not_a_file_or_far_too_large_is_not_read(tmp_path, name, make):
    directory = write_run(tmp_path / "a-0", 0, [0.1])
    (directory / name).unlink()
    make(directory / name)
    with pytest.raises(InputError, match="cannot be read as a run") as caught:
        read_run(directory)
    assert is_one_line(str(caught.value))
    assert "Errno" not in str(caught.value)


def test_a_last_line_that_is_cut_off_is_left_out_and_others_are_named(tmp_path, caplog):
    directory = write_run(tmp_path / "a-0", 0, [0.1, 0.5, 0.9])
    metrics = directory / "metrics.jsonl"
    whole = metrics.read_bytes()
    metrics.write_bytes(whole[:-20])
    assert read_run(directory).curves["eval/success_rate"].tolist() == [0.1, 0.5]
    assert f"{metrics}: its last line is cut off and left out" in caplog.text
    metrics.write_bytes(whole.replace(b"0.5", b'0.5 "'))
    with pytest.raises(InputError, match=r"cannot be read as a run \(line 2 of metrics\.jsonl: "):
        read_run(directory)
