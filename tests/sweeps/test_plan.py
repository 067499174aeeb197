"""What a sweep is asked to run: refused in one line, before anything runs, or named and counted."""

import json
import math
import shlex
import signal
from dataclasses import replace

import pytest
from builders import is_one_line

from headstart.cli.main import main, parse
from headstart.cli.train import settings_of
from headstart.demos.storage import save_demos
from headstart.errors import InputError
from headstart.presets import FAST
from headstart.sweeps.plan import Grid, Listed
from headstart.sweeps.results import Cell, Result, write_results
from headstart.sweeps.spec import Base
from headstart.sweeps.state import RunState, write_state
from headstart.sweeps.sweep import open_directory, run_sweep
from headstart.sweeps.tune import Range, Tuning

ENV = "PointReach-v0"
BASE = Base(env_id=ENV, config=FAST)


def refused(capsys, *words):
    with pytest.raises(SystemExit) as end:
        main(["sweep", ENV, *words])
    assert end.value.code == 2
    message = capsys.readouterr().err.removesuffix("\n")
    assert is_one_line(message)
    return message


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("--grid agent.q-wieght=1", "no setting 'agent.q-wieght'; did you mean agent.q-weight"),
        ("--grid agent.q-weight=", "--grid agent.q-weight= has no values; give NAME=VALUE"),
        ("--grid agent.q-weight=1,,2", "agent.q-weight has an empty value between commas"),
        ("--grid agent.q-weight=1,x", "--grid agent.q-weight must be a number, got x"),
        ("--grid agent.q-weight=1,-1", "agent.q_weight must"),
        ("--grid agent.q-weight=1,1.0", "agent.q_weight is given the value 1.0 twice"),
        ("--grid agent.q-weight=1 --agent.q-weight 2", "agent.q-weight is given twice"),
        ("--grid agent.q-weight=1 agent.q_weight=2", "agent.q_weight is given twice"),
        ("--grid seed=1,2", "seeds are given by --seeds"),
        ("--grid agent.q-filter=maybe", "--grid agent.q-filter must be True or False, got maybe"),
        ("--seed 3", "unknown option '--seed'"),
        ("--seeds 4-0", "--seeds goes up, 0-4 for instance, got 4-0"),
        ("--seeds a", "--seeds must be numbers and ranges of them"),
        ("--seeds 1,1", "a seed is given twice, got 1"),
        ("--trials 3", "--trials and --trials-per-round need --tune"),
        ("--tune agent.tau=1:2 --grid agent.q-weight=1", "--grid and --tune exclude each other"),
        ("--tune agent.tau=0.1:0.01", "--tune agent.tau: a range goes up, got 0.1:0.01"),
        ("--tune agent.tau=log:0:0.1", "--tune agent.tau: a range with log: lies above 0"),
        ("--tune agent.tau=0.1:7", "agent.tau must lie in"),
        ("--tune agent.q-filter=0:1", "is no range; give LOW:HIGH or log:LOW:HIGH"),
        ("--tune agent.tau=0.1:0.2 --trials 0", "--trials must be at least 1, got 0"),
        ("--grid replay-capacity=1000,20", "replay_capacity 20 cannot hold one episode"),
        ("--grid init-policy=None,no.safetensors", "no.safetensors: no such policy file"),
        ("--actor-inputs component", "declares no component_layout of two or more components"),
        ("--cores 0", "--cores must be at least 1, got 0"),
        ("--cores 1 --slurm", "--cores and --slurm exclude each other"),
        (f"--out {'x' * 300}", "cannot be written (File name too long)"),
        ("--ray", "--ray needs a cluster: RAY_ADDRESS, or --ray ray://HOST:PORT"),
        ("--ray ray://127.0.0.1:1", "--ray 'ray://127.0.0.1:1': nothing answers there"),
        ("--slurm time", "--slurm takes NAME=VALUE, each name once, got time"),
        ("--slurm time=60", "--slurm needs Slurm: there is no srun on this machine"),
        ("--demos missing-{seed}.npz", "missing-0.npz: no such file of demonstrations"),
    ],
)
def test_what_cannot_be_run_is_refused_in_one_line(capsys, tmp_path, monkeypatch, words, what):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    assert what in refused(capsys, *words.split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("env", "words", "what"),
    [
        ("BitFlip-v0", "", "it is of 'PointReach-v0', not of BitFlip-v0"),
        (ENV, "--demos.num-episodes 6", "demos.num_episodes is 6, but the demo file holds 5"),
        (ENV, "--resets.probability 0.5", "5 of 5 demonstrations hold no snapshots"),
        (ENV, "--expand 7", "nothing is declared about its hand"),
    ],
)
def test_demonstrations_that_fit_no_run_are_refused_as_train_refuses_them(
    capsys, tmp_path, point_demos, env, words, what
):
    path = tmp_path / "demos.npz"
    bare = [replace(it, snapshots=it.snapshots[:, :0]) for it in point_demos.episodes]
    save_demos(path, replace(point_demos, episodes=bare))
    given = [env, "--demos", str(path), *words.split(), "--out", str(tmp_path / "out")]
    lines = []
    for verb in ("train", "sweep"):
        with pytest.raises(SystemExit) as end:
            main([verb, *given])
        assert end.value.code == 2
        lines.append(capsys.readouterr().err)
    assert what in lines[0]
    assert lines[0] == lines[1]
    assert list(tmp_path.iterdir()) == [path]


def test_an_environment_that_no_run_could_build_is_refused_first(capsys, tmp_path):
    with pytest.raises(SystemExit):
        main(["sweep", "PointRaech-v0", "--out", str(tmp_path / "sweep")])
    assert "PointReach-v0" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_prints_commands_that_train_the_same(capsys, tmp_path):
    given = ["--seeds", "0,2", "--preset", "her", "--agent.no-critic-layer-norm"]
    grid = ["--grid", "agent.hidden-sizes=8 8,16", "demos.other-goals=true,None"]
    out = tmp_path / "sweep"
    main(["sweep", ENV, *given, *grid, "--out", str(out), "--dry-run"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 8
    assert not out.exists()
    arguments = parse(shlex.split(lines[-1])[1:])
    assert arguments.out == out / "agent.hidden-sizes=16,demos.other-goals=None-seed2"
    expected = {"seed": 2, "agent.hidden_sizes": (16,), "demos.other_goals": None}
    command = parse(["sweep", ENV, *given, "--agent.no-critic-layer-norm"])
    assert settings_of(arguments) == settings_of(command).with_(expected)


def test_a_directory_belongs_to_one_sweep_which_may_grow(tmp_path):
    two, three = (Grid(base=BASE, seeds=range(number)).identity for number in (2, 3))
    grid = Grid(base=BASE, seeds=[0, 1], values={"agent.q_weight": [1.0]}).identity
    wider = [
        Grid(base=Base(env_id=ENV, config=FAST.with_({"agent.hidden_sizes": sizes})), seeds=[0])
        for sizes in ([8], [8, 8])
    ]
    open_directory(tmp_path / "wide", wider[0].identity)
    with pytest.raises(InputError, match=r"settings agent.hidden_sizes \[8\] and not \[8, 8\]"):
        open_directory(tmp_path / "wide", wider[1].identity)
    open_directory(tmp_path / "a", two)
    open_directory(tmp_path / "a", two)
    open_directory(tmp_path / "a", three)
    with pytest.raises(
        InputError, match=r"sweep, grid agent.q_weight None and not \[1.0\]; choose"
    ):
        open_directory(tmp_path / "a", grid)
    write_results(tmp_path / "a", three, [])
    with pytest.raises(InputError, match=r"seeds \[0, 1, 2\] and not \[0, 1\]"):
        open_directory(tmp_path / "a", two)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "thesis.tex").touch()
    with pytest.raises(InputError, match="already holds something else than a sweep"):
        open_directory(tmp_path / "b", two)


def results(specs, success, stage="finished"):
    def rows(spec):
        rates = [0.0, *success(spec.config)] if stage == "finished" else []
        return [{"time/env_steps": 9, "eval/success_rate": rate} for rate in rates]

    return [Result(spec=it, state=RunState(stage=stage), rows=rows(it)) for it in specs]


def test_a_score_is_the_mean_of_the_last_evaluations_over_seeds():
    specs = Grid(base=BASE, seeds=[0, 1]).more(())
    done = results(specs, lambda config: [0.3, 0.5, 0.7 + 0.1 * config.seed])
    assert math.isclose(Cell(settings={}, results=done).score, (0.5 + 1.6 / 3) / 2)
    assert Cell(settings={}, results=[*done, *results(specs, None, "failed")]).score is None


def tuned(trials, per_round=4):
    ranges = {
        "agent.q_weight": Range(low=1e-4, high=0.1, log=True),
        "agent.num_critics": Range(low=1, high=3, whole=True),
        "hindsight.strategy": Range(values=("future", "final")),
    }
    return Tuning(base=BASE, seeds=[0, 1], ranges=ranges, trials=trials, per_round=per_round)


def peak(config):
    """Success is greatest where the weight of Q is 0.01."""
    return [1.0 - abs(math.log10(config.agent.q_weight) + 2.0) / 3.0] * 3


@pytest.mark.slow
def test_tuning_finds_the_best_settings_and_chooses_the_same_after_a_kill():
    plan, done = tuned(32), []
    while specs := plan.more(done):
        assert len(specs) == 8
        done += results(specs, peak)
        # Choosing depends on nothing else than what is done.
        assert tuned(32).more(done) == plan.more(done)
    weights = [math.log10(it.spec.config.agent.q_weight) for it in done[::2]]
    assert len(weights) == 32
    assert len({it.spec.name for it in done}) == 64
    assert all(-4 <= weight <= -1 for weight in weights)
    first, last = weights[:10], weights[-10:]
    assert sum(abs(it + 2) for it in last) < 0.7 * sum(abs(it + 2) for it in first)


def test_trials_whose_runs_failed_count_and_are_learned_nothing_from():
    plan = tuned(8)
    done = results(plan.more([]), peak, "failed")
    assert [it.name[:8] for it in plan.more(done)] == [
        f"trial00{trial}" for trial in (4, 4, 5, 5, 6, 6, 7, 7)
    ]


def test_results_are_strict_json(tmp_path):
    config = FAST.with_(episode_timeout=math.inf)
    plan = Grid(base=Base(env_id=ENV, config=config), seeds=[0])
    open_directory(tmp_path / "sweep", plan.identity)
    text = (tmp_path / "sweep" / "sweep.json").read_text()
    content = json.loads(text, parse_constant=lambda name: pytest.fail(name))
    assert content["sweep"]["settings"] == {"episode_timeout": "inf"}
    listed = Listed(specs=plan.more(()), identity={})
    assert listed.more(()) == plan.more(())
    assert listed.more(results(plan.more(()), peak)) == ()


class Dying:
    """Runs whose process dies before it says anything."""

    def has_room(self, spec):
        return True

    def start(self, spec, sweep):
        return self

    def ended(self):
        return "its process was ended by signal 9"

    def stop(self):
        pass

    kill = stop


def test_a_run_that_dies_without_a_word_has_failed_whatever_it_said_before(tmp_path):
    plan = Grid(base=BASE, seeds=[0])
    open_directory(tmp_path / "sweep", plan.identity)
    write_state(tmp_path / "sweep", "seed0", RunState(stage="failed", error="of before"))
    (kept,) = run_sweep(tmp_path / "sweep", plan, Dying())
    assert kept.state.error == "of before"
    (again,) = run_sweep(tmp_path / "sweep", plan, Dying(), retry_failed=True)
    assert again.state.error == "its process was ended by signal 9"


class LastWord(Dying):
    """A run that ends as it should, just as the sweep is asked to stop."""

    def start(self, spec, sweep):
        write_state(sweep, spec.name, RunState(stage="finished"))
        signal.raise_signal(signal.SIGINT)
        return self


def test_a_sweep_without_unfinished_runs_speaks_of_no_others(tmp_path):
    plan = Grid(base=BASE, seeds=[0])
    with pytest.raises(KeyboardInterrupt) as caught:
        run_sweep(tmp_path / "sweep", plan, LastWord())
    assert str(caught.value) == "interrupted with 1 of 1 run over"
