"""Observers follow a run, may stop it, and cannot break it."""

import json
import logging
import os
import signal

import numpy as np
import pytest
from builders import is_one_line, point_expert
from small_runs import POINT, SMALL, weights_of

from headstart import InputError, Observer, RunInterrupted, evaluate, load_policy, resume, train
from headstart.runs.audience import read_id, read_seen

CONFIG = SMALL.with_({"log_every": 10, "checkpoint.seconds": 1e6})
TOTAL = 20 + 10
"""Updates of the warm start, cloning included."""


class Recorder(Observer):
    """Keeps every call; raises or acts where it is asked to."""

    def __init__(self, at=None, act=None):
        self.calls, self.logs, self.rows, self.policies = [], [], [], []
        self.at, self.act, self.run = at, act, None

    def note(self, name):
        self.calls.append(name)
        if (name, self.calls.count(name)) == self.at:
            self.act(self)

    def started(self, config, run):
        self.config, self.run = config, run
        self.note("started")

    def progressed(self, progress):
        self.note("progressed")

    def logged(self, metrics, env_steps):
        self.logs.append(metrics)
        assert metrics["time/env_steps"] == env_steps
        self.note("logged")

    def evaluated(self, policy, result, metrics):
        self.rows.append(metrics)
        self.policies.append(policy)
        self.note("evaluated")

    def finished(self, result):
        self.result = result
        self.note("finished")

    def failed(self, error):
        self.error = error
        self.note("failed")

    @property
    def updates(self):
        return [row["time/updates"] + row["time/warm_start_updates"] for row in self.logs]

    @property
    def env_steps(self):
        return [row["time/env_steps"] for row in self.rows]


def stop(recorder):
    recorder.run.stop()


def raising(error):
    def act(_):
        raise error

    return act


@pytest.fixture(scope="module")
def undisturbed(point_demos, tmp_path_factory):
    """An observed run in a directory: its observer, its directory and its result."""
    directory, recorder = tmp_path_factory.mktemp("undisturbed") / "run", Recorder()
    result = train(POINT, CONFIG, demos=point_demos, out=directory, observers=[recorder])
    return recorder, directory, result


def test_calls_come_in_the_documented_order(undisturbed):
    recorder, directory, result = undisturbed
    assert recorder.calls[0] == "started"
    assert recorder.calls[-1] == "finished"
    assert recorder.calls.count("started") == recorder.calls.count("finished") == 1
    assert "failed" not in recorder.calls
    assert recorder.config == CONFIG.with_({"demos.expand": 0})
    assert (recorder.run.env_id, recorder.run.num_demos) == (POINT, 5)
    assert (recorder.run.directory, recorder.run.resumed_at) == (directory, None)
    assert recorder.result is result


def test_means_are_logged_every_so_many_updates(undisturbed):
    recorder, _, result = undisturbed
    total = result.progress.updates + TOTAL
    assert recorder.updates == list(range(10, total + 1, 10))
    assert [row["time/env_steps"] for row in recorder.logs[:2]] == [0, 0]
    assert "updates/bc_loss" in recorder.logs[0]
    assert "updates/critic_loss" in recorder.logs[-1]


def test_what_is_logged_averages_to_what_is_evaluated():
    recorder = Recorder()
    train(POINT, CONFIG.with_(log_every=1), observers=recorder)
    done = 0
    for row in recorder.rows:
        upto = row["time/updates"] + row["time/warm_start_updates"]
        since = [log["updates/critic_loss"] for log in recorder.logs[int(done) : int(upto)]]
        done = upto
        if since:
            assert np.mean(since) == pytest.approx(row["train/critic_loss"], rel=1e-5)
    assert done > 0


def test_a_policy_that_an_observer_keeps_says_where_it_comes_from(undisturbed):
    recorder, _, result = undisturbed
    for policy, row in zip(recorder.policies, recorder.rows, strict=True):
        assert policy.metadata == {
            "env_id": POINT,
            "env_steps": row["time/env_steps"],
            "success_rate": row["eval/success_rate"],
            "evaluation_episodes": 4,
        }
    assert dict(result.policy.metadata) == recorder.policies[-1].metadata


def test_losses_are_written_for_tensorboard(undisturbed):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    recorder, directory, _ = undisturbed
    events = accumulator.EventAccumulator(str(directory / "tensorboard"))
    events.Reload()
    points = events.Scalars("updates/critic_loss")
    expected = [row for row in recorder.logs if "updates/critic_loss" in row]
    assert [point.step for point in points] == [row["time/env_steps"] for row in expected]
    np.testing.assert_allclose(
        [point.value for point in points], [row["updates/critic_loss"] for row in expected], 1e-6
    )
    rows = (directory / "metrics.jsonl").read_text().splitlines()
    assert not any(name.startswith("updates/") for row in rows for name in json.loads(row))


@pytest.mark.slow
@pytest.mark.parametrize("call", ["started", "progressed", "logged", "evaluated", "finished"])
def test_one_that_fails_is_left_out_and_the_run_is_the_same(undisturbed, point_demos, caplog, call):
    _, _, expected = undisturbed
    failing, other = Recorder((call, 1), raising(ConnectionError("no server"))), Recorder()
    with caplog.at_level(logging.WARNING, "headstart"):
        result = train(POINT, CONFIG, demos=point_demos, observers=[failing, other])
    np.testing.assert_array_equal(weights_of(result.policy), weights_of(expected.policy))
    assert failing.calls[-1] == call
    assert other.calls[-1] == "finished"
    printed = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [record.getMessage() for record in printed] == [
        "observer Recorder failed; the run continues without it"
    ]
    assert "no server" in printed[0].exc_text


def test_one_that_changes_its_row_changes_no_other(point_demos, tmp_path):
    spoiling = Recorder(("evaluated", 1), lambda recorder: recorder.rows[0].clear())
    other = Recorder()
    train(POINT, CONFIG, demos=point_demos, out=tmp_path / "run", observers=[spoiling, other])
    assert "eval/success_rate" in other.rows[0]
    first = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()[0]
    assert json.loads(first) == other.rows[0]


@pytest.mark.parametrize("call", ["started", "logged", "evaluated"])
def test_keyboard_interrupt_and_exit_pass_through_an_observer(call):
    recorder, other = Recorder((call, 1), raising(SystemExit(3))), Recorder()
    with pytest.raises(SystemExit):
        train(POINT, CONFIG, observers=[other, recorder])
    assert isinstance(other.error, SystemExit)
    assert other.calls[-1] == "failed"


def test_an_interrupt_without_a_directory_loses_nothing():
    recorder = Recorder(("evaluated", 2), raising(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt) as caught:
        train(POINT, CONFIG, observers=[recorder])
    interrupt = caught.value
    assert isinstance(interrupt, RunInterrupted)
    env_steps = recorder.env_steps[1]
    assert str(interrupt).startswith(f"interrupted after {env_steps:.0f} env steps; not saved")
    assert is_one_line(str(interrupt))
    assert (interrupt.progress.env_steps, interrupt.evaluation.episodes) == (env_steps, 4)
    np.testing.assert_array_equal(weights_of(interrupt.policy), weights_of(recorder.policies[1]))
    best = int(recorder.rows[1]["eval/success_rate"] >= recorder.rows[0]["eval/success_rate"])
    np.testing.assert_array_equal(
        weights_of(interrupt.best_policy), weights_of(recorder.policies[best])
    )
    assert evaluate(interrupt.policy, episodes=2).env_id == POINT


def test_ctrl_c_with_a_directory_says_in_a_sentence_how_to_continue(
    undisturbed, tmp_path, point_demos
):
    _, _, expected = undisturbed
    run = tmp_path / "the run"
    recorder = Recorder(("evaluated", 1), lambda _: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(RunInterrupted) as caught:
        train(POINT, CONFIG, demos=point_demos, out=run, observers=[recorder])
    message = str(caught.value)
    assert message.startswith("interrupted; saved at ")
    assert message.endswith(f"headstart resume '{run}'")
    assert caught.value.directory == run
    assert recorder.error is caught.value
    continued = Recorder()
    result = resume(run, observers=[continued])
    np.testing.assert_array_equal(weights_of(result.policy), weights_of(expected.policy))
    assert continued.run.id == recorder.run.id
    assert continued.run.resumed_at == caught.value.progress.env_steps > 0
    assert recorder.env_steps + continued.env_steps == undisturbed[0].env_steps
    assert recorder.updates + continued.updates == undisturbed[0].updates


def test_a_run_that_is_killed_shows_each_row_once(undisturbed, tmp_path, point_demos):
    class Killed(BaseException):
        pass

    run, seen = tmp_path / "run", []
    for kill in (("logged", 9), ("evaluated", 1), ("logged", 1), None):
        recorder = Recorder(kill, raising(Killed()))
        seen.append(recorder)
        try:
            if len(seen) == 1:
                train(POINT, CONFIG, demos=point_demos, out=run, observers=[recorder])
            else:
                # It was never saved: it begins from scratch, to the same bits.
                resume(run, observers=[recorder])
        except Killed:
            continue
    assert [each for it in seen for each in it.updates] == undisturbed[0].updates
    assert [each for it in seen for each in it.env_steps] == undisturbed[0].env_steps
    assert len({recorder.run.id for recorder in seen}) == 1
    assert seen[-1].calls[-1] == "finished"


def test_a_changed_course_is_shown_again(tmp_path, point_demos):
    run = tmp_path / "run"
    first = Recorder(("evaluated", 2), raising(SystemExit()))
    with pytest.raises(SystemExit):
        train(POINT, CONFIG, demos=point_demos, out=run, observers=[first])
    second = Recorder()
    resume(run, {"agent.tau": 0.5}, allow_change=True, observers=[second])
    assert second.updates[0] == 10
    assert second.env_steps[:2] == first.env_steps


def test_what_observers_have_seen_may_be_damaged(undisturbed, tmp_path):
    _, directory, _ = undisturbed
    assert len(read_id(directory)) == 16
    for content in (b"", b"{}", b'{"updates": "x"}', b"\xff" * 5000, b'{"updates": 1, "x": 2}'):
        (tmp_path / "seen.json").write_bytes(content)
        (tmp_path / "run_id").write_bytes(content + b" \n../../x")
        assert read_seen(tmp_path).env_steps == -1
        assert read_id(tmp_path).isalnum()
    assert read_id(tmp_path) != read_id(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("moment", [("logged", 1), ("logged", 3), ("evaluated", 1), ("started", 1)])
def test_an_observer_stops_a_run_which_can_be_resumed(undisturbed, tmp_path, point_demos, moment):
    _, _, expected = undisturbed
    run, recorder = tmp_path / "run", Recorder(moment, stop)
    result = train(POINT, CONFIG, demos=point_demos, out=run, observers=[recorder])
    assert result.progress.env_steps < CONFIG.env_steps
    assert recorder.calls[-2:] == ["evaluated", "finished"]
    assert recorder.env_steps[-1] == result.progress.env_steps
    assert result.evaluation.episodes == 4
    assert load_policy(run).metadata["env_steps"] == result.progress.env_steps
    continued = resume(run)
    assert continued.progress.env_steps == CONFIG.env_steps
    np.testing.assert_array_equal(weights_of(continued.policy), weights_of(expected.policy))


def test_the_best_policy_is_part_of_the_result(undisturbed, point_demos):
    recorder, directory, result = undisturbed
    rates = [row["eval/success_rate"] for row in recorder.rows]
    best = max(range(len(rates)), key=lambda index: (rates[index], index))
    expected = weights_of(recorder.policies[best])
    np.testing.assert_array_equal(weights_of(result.best_policy), expected)
    np.testing.assert_array_equal(weights_of(load_policy(directory)), expected)
    alone = train(POINT, CONFIG, demos=point_demos)
    np.testing.assert_array_equal(weights_of(alone.best_policy), expected)
    assert (alone.directory, result.directory) == (None, directory)
    assert evaluate(alone, episodes=3) == evaluate(alone.best_policy, POINT, episodes=3)


def test_progress_is_shown_where_it_is_wanted(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = train(POINT, CONFIG, out="run", progress=True)
    printed = capsys.readouterr()
    assert printed.out == ""
    lines = printed.err.splitlines()
    assert lines[0] == "run directory: run"
    assert sum("success" in line for line in lines) == 3
    assert result.directory == tmp_path / "run"
    train(POINT, CONFIG)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("observers", "named"),
    [([Recorder], "objects: Recorder"), ([print], "got builtin"), ([point_expert], "got function")],
)
def test_what_is_not_an_observer_is_refused(observers, named):
    with pytest.raises(InputError, match=named) as refusal:
        train(POINT, CONFIG, observers=observers)
    assert is_one_line(str(refusal.value))
