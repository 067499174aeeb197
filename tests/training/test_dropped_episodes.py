"""Episodes that fail however often they are run: dropped, counted, named, and too many of them."""

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from builders import is_one_line, point_expert, point_policy
from cut_runs import OFTEN, Cut, PowerCut
from outcomes import differences, outcome
from small_runs import SMALL, Diary, weights_of

from headstart.cli.main import main
from headstart.demos.record import collect_demos
from headstart.demos.storage import load_demos
from headstart.errors import InputError, RunError
from headstart.files.run_files import read_metrics
from headstart.rollout.job import EpisodeJob
from headstart.runs.resume import resume
from headstart.runs.train import train
from headstart.training.config import FailuresConfig
from headstart.training.evaluation import evaluate, wilson_interval

pytestmark = [pytest.mark.usefixtures("forked_collectors")]

CONFIG = replace(SMALL, env_steps=600, failures=FailuresConfig(share=0.5), checkpoint=OFTEN)
KINDS = ("raise", "float", "reset", "observation", "goal", "reward")
STEPS = {"raise": 4, "float": 4, "reset": 0, "observation": 5, "goal": 30, "reward": 4}
"""How many steps a failed episode had taken."""


@pytest.fixture(autouse=True)
def _collectors_find_the_tests(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]), prepend=os.pathsep)


def fragile(kind, share=0.2):
    return f"envs.fragile:Fragile-v0,kind={kind},share={share}"


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_run_drops_what_fails_and_ends_with_as_many_env_steps(kind, caplog):
    diary = Diary()
    result = train(fragile(kind), CONFIG, observers=[diary])
    progress = result.progress
    warned = [r.message for r in caplog.records if "dropped" in r.message]
    assert progress.dropped_episodes == len(warned) > 3
    assert progress.updates > 0
    stored = 30 * progress.episodes
    assert progress.env_steps == stored + STEPS[kind] * progress.dropped_episodes
    assert 600 <= progress.env_steps < 660
    assert diary.rows[-1]["health/dropped_episodes"] == progress.dropped_episodes
    assert all(map(is_one_line, warned))
    seeds = [int(re.search(r"Fragile-v0.* with seed (\d+): ", line)[1]) for line in warned]
    assert len(set(seeds)) == len(seeds)
    assert result.evaluation.failed == diary.rows[-1]["eval/failed_episodes"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["raise", "observation"])
def test_collectors_and_power_cuts_change_nothing(tmp_path, kind):
    outcomes = []
    for collectors in (0, 1, 2):
        run = tmp_path / str(collectors)
        train(fragile(kind), CONFIG, out=run, collectors=collectors)
        outcomes.append(without_demos(run))
    cut = tmp_path / "cut"
    with pytest.raises(PowerCut):
        train(fragile(kind), CONFIG, out=cut, observers=[Cut(4)])
    for after in (3, 5):
        with pytest.raises(PowerCut):
            resume(cut, collectors=after % 2, observers=[Cut(after)])
    resume(cut)
    outcomes.append(without_demos(cut))
    for other in outcomes[1:]:
        assert differences(outcomes[0], other) == []
    counted = [read_metrics(tmp_path / run)[-1]["health/dropped_episodes"] for run in ("0", "cut")]
    assert counted[0] == counted[1] > 3


def without_demos(run):
    (run / "demos.npz").touch()
    return outcome(run)


def test_a_collector_that_dies_with_the_episode_is_one_more_failure():
    dead = train(fragile("kill", 0.1), replace(CONFIG, env_steps=300), collectors=2).progress
    assert dead.dropped_episodes > 0
    # Nobody knows how far it had come.
    assert dead.env_steps == 30 * dead.episodes


@pytest.mark.slow
def test_a_simulator_that_loses_its_state_is_one_more_failure(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # MuJoCo logs where it stands
    config = replace(CONFIG, env_steps=200)
    progress = train("envs.fragile:Hurled-v0,share=0.2", config).progress
    assert progress.dropped_episodes > 0
    assert progress.env_steps == 10 * (progress.episodes + progress.dropped_episodes)


@pytest.mark.slow
def test_too_many_failures_end_the_run_which_can_be_resumed_with_more_of_them(tmp_path):
    config, run = replace(CONFIG, failures=FailuresConfig(at_least=1, share=0.0)), tmp_path / "run"
    with pytest.raises(RunError) as caught:
        train(fragile("raise"), config, out=run)
    message = str(caught.value)
    assert re.search(
        r"^after \d+ env steps: .*Fragile-v0.*seed \d+: failed 3 times, RuntimeError: simulator "
        r"unstable \(fragile\.py, line \d+\); 2 episodes failed, at most 1 may: --failures",
        message,
    )
    assert message.endswith("RuntimeError: simulator unstable\nat a contact")
    for _ in range(2):
        with pytest.raises(RunError, match="2 episodes failed, at most 1 may"):
            resume(run)
    resumed = resume(run, replace(config, failures=CONFIG.failures))
    whole = train(fragile("raise"), CONFIG)
    assert (weights_of(resumed.policy) == weights_of(whole.policy)).all()


@pytest.mark.slow
def test_by_default_three_episodes_or_one_in_a_hundred_may_fail(caplog):
    with pytest.raises(RunError, match="4 episodes failed, at most 3 may"):
        train(fragile("raise"), replace(CONFIG, failures=FailuresConfig()))
    assert len([r for r in caplog.records if "dropped" in r.message]) == 3
    long = replace(CONFIG, env_steps=15_000, cycle=replace(CONFIG.cycle, updates=0))
    progress = train(
        fragile("raise", 0.005),
        replace(
            long,
            failures=FailuresConfig(share=0.01),
            evaluation=replace(SMALL.evaluation, every=15_000),
        ),
    ).progress
    assert 0 < progress.dropped_episodes <= max(3, 0.01 * progress.episodes)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("raise", r"RuntimeError: simulator unstable \(fragile\.py, line \d+\)"),
        ("reset", r"OSError: the sensor does not answer \(fragile\.py, line \d+\)"),
        ("observation", r"observation\[0\] is nan"),
    ],
)
def test_an_environment_that_fails_from_its_first_steps_is_bad_input(kind, reason):
    with pytest.raises(InputError, match=rf"^Fragile-v0: .*{reason}") as caught:
        train(fragile(kind, 1.0), CONFIG)
    assert is_one_line(str(caught.value))


@pytest.mark.parametrize("kind", ["raise", "observation"])
def test_an_environment_of_which_no_episode_comes_to_its_end_is_bad_input(kind):
    late = f"{fragile(kind, 1.0)},at=20"
    with pytest.raises(InputError, match=r"with seed \d+: .*; no episode has worked") as caught:
        train(late, replace(CONFIG, failures=FailuresConfig()))
    assert is_one_line(str(caught.value))
    with pytest.raises(InputError, match=r"with seed \d+: .*; no attempt has worked") as caught:
        collect_demos(late, point_expert, episodes=5, keep_failures=True)
    assert is_one_line(str(caught.value))


@pytest.mark.slow
def test_a_cycle_whose_episodes_all_fail_learns_nothing_and_ends_nothing():
    none = replace(SMALL.warm_start, episodes=0, critic_updates=0)
    config = replace(CONFIG, warm_start=none, failures=FailuresConfig(share=0.9))
    progress = train(fragile("raise", 0.6), config).progress
    assert progress.dropped_episodes > progress.episodes > 0


@pytest.mark.slow
def test_evaluation_episodes_that_fail_count_as_not_successful(caplog):
    env_id = fragile("raise", 0.2)
    results = [evaluate(point_expert, env_id, episodes=40, collectors=n) for n in (0, 1)]
    assert results[0] == results[1]
    (result, _), failed = results, results[0].failed
    assert 0 < failed < 20
    assert result.episodes == 40
    assert result.success_rate == (40 - failed) / 40
    assert result.interval == wilson_interval(40 - failed, 40)
    assert result.to_json()["failed"] == failed
    (warned, _) = [r.message for r in caplog.records]
    assert warned.startswith(f"{failed} of 40 evaluation episodes failed and count as not")


def test_an_evaluation_of_which_every_episode_fails_is_bad_input():
    with pytest.raises(InputError, match=r"Fragile-v0.*simulator unstable"):
        evaluate(point_policy(), fragile("raise", 1.0), episodes=5)


@pytest.mark.slow
@pytest.mark.parametrize("keep_failures", [False, True])
def test_attempts_at_demonstrations_that_fail_are_dropped_and_counted(keep_failures, caplog):
    options = {"episodes": 12, "keep_failures": keep_failures}
    demos = [collect_demos(fragile("raise"), point_expert, collectors=n, **options) for n in (0, 2)]
    assert demos[0].header == demos[1].header
    assert demos[0].episodes == demos[1].episodes
    indices = demos[0].header["episode_indices"]
    # The expert always succeeds.
    failed = [index for index in range(indices[-1]) if index not in indices]
    assert demos[0].header["failed_attempts"] == len(failed) > 0
    named = [EpisodeJob(point_expert, 0, "demos", index).env_seed for index in failed]
    warned = [int(re.search(r"with seed (\d+)", r.message)[1]) for r in caplog.records]
    assert warned == 2 * named


def run_command(*words):
    main([*words, "--collectors", "0"])


@pytest.mark.slow
def test_the_commands_say_what_was_dropped(tmp_path, capsys):
    policy, demos, run = (str(tmp_path / name) for name in ("p.safetensors", "d.npz", "run"))
    env = fragile("raise", 0.2)
    point_policy().save(policy)
    collect = ["--policy", policy, "--episodes", "6", "--keep-failures", "--out", demos]
    run_command("demos", "collect", env, *collect)
    count = load_demos(demos).header["failed_attempts"]
    assert f"{count} attempt" in capsys.readouterr().out

    options = ["--env-steps", "300", "--failures.share", "0.5", "--warm-start.bc-updates", "5"]
    small = ["--batch-size", "16", "--agent.hidden-sizes", "8"]
    run_command("train", env, "--demos", demos, "--out", run, *options, *small)
    dropped = read_metrics(Path(run))[-1]["health/dropped_episodes"]
    printed = capsys.readouterr()
    assert f"dropped:  {dropped:.0f} training episode" in printed.out
    assert f", dropped {dropped:.0f}\n" in printed.err

    run_command("evaluate", run, "--env", env, "--episodes", "20", "--no-floor")
    assert re.search(r"episodes that failed +\d+", capsys.readouterr().out)
