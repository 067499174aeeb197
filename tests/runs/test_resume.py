"""A run that is stopped and resumed is the run that was never stopped, to the bit."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from builders import is_one_line
from cut_runs import BASE, OFTEN, Cut, PowerCut, cut_run
from small_runs import POINT

from headstart.errors import InputError
from headstart.presets import PRESETS
from headstart.runs.record import read_record
from headstart.runs.resume import resume
from headstart.runs.train import train
from headstart.training.config import ResetsConfig

VARIANTS = {
    "plain": BASE,
    "newest policy collects": replace(BASE, cycle=replace(BASE.cycle, ahead=False)),
    "resets": replace(BASE, resets=ResetsConfig(probability=0.8, frontier=True)),
    "no symmetry, no hindsight": replace(
        BASE, symmetry=False, hindsight=replace(BASE.hindsight, strategy="none")
    ),
    "a replay that forgets": replace(BASE, replay_capacity=70),
    "raw inputs": replace(BASE, agent=replace(BASE.agent, normalize_inputs=False)),
    "long cloning": replace(BASE, warm_start=replace(BASE.warm_start, bc_updates=200)),
    "cloning alone": replace(
        BASE, env_steps=0, warm_start=replace(BASE.warm_start, bc_updates=120)
    ),
    "nair2018": replace(
        PRESETS["nair2018"],
        env_steps=300,
        batch_size=64,
        agent=replace(PRESETS["nair2018"].agent, hidden_sizes=(16, 16)),
        demos=replace(PRESETS["nair2018"].demos, num_episodes=4),
        cycle=replace(PRESETS["nair2018"].cycle, updates=5),
        evaluation=BASE.evaluation,
        checkpoint=OFTEN,
    ),
}


def outcome(run):
    """All that must be the same: policies, and metrics but for clocks and faults."""
    files = sorted((run / "policies").iterdir())
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    timeless = [
        {name: value for name, value in row.items() if not name.endswith("_seconds")}
        for row in rows
    ]
    return {file.name: file.read_bytes() for file in files}, timeless


@pytest.fixture(scope="module")
def undisturbed(point_demos, tmp_path_factory):
    """What a whole run of ``BASE`` comes to."""
    run = tmp_path_factory.mktemp("undisturbed") / "run"
    train(POINT, BASE, demos=point_demos, out=run)
    return outcome(run)


@pytest.fixture(scope="module")
def cut_after(point_demos, tmp_path_factory):
    """Give a directory a run of ``BASE`` that was cut after so many moments, trained once each."""
    runs = {}

    def copy(directory, after=8):
        if after not in runs:
            runs[after] = cut_run(tmp_path_factory.mktemp("cut") / "run", point_demos, after=after)
        return shutil.copytree(runs[after], directory)

    return copy


def cut_into(config, demos, run, cuts, collectors=0):
    """Train with a power cut after each so many moments, and with collectors now and then."""
    with pytest.raises(PowerCut):
        train(POINT, config, demos=demos, out=run, observers=[Cut(cuts[0])])
    for number, after in enumerate(cuts[1:]):
        with pytest.raises(PowerCut):
            resume(run, collectors=collectors * (number % 2), observers=[Cut(after)])
    return resume(run)


@pytest.mark.slow
@pytest.mark.usefixtures("forked_collectors")
@pytest.mark.parametrize(
    ("variant", "with_demos"),
    [*((variant, True) for variant in VARIANTS), ("plain", False), ("nair2018", False)],
)
def test_a_run_that_is_cut_again_and_again_ends_the_same(
    tmp_path, point_demos, variant, with_demos
):
    config = VARIANTS[variant]
    demos = point_demos if with_demos else None
    whole = train(POINT, config, demos=demos, out=tmp_path / "whole")
    cuts = [2] if config.env_steps == 0 else [1, 2, 3]
    # What is asked of collectors is no different in the other variants.
    collectors = int(variant in ("plain", "newest policy collects", "resets"))
    resumed = cut_into(config, demos, tmp_path / "cut", cuts, collectors)
    assert outcome(tmp_path / "cut") == outcome(tmp_path / "whole")
    assert resumed.evaluation == whole.evaluation
    assert resumed.progress.env_steps == whole.progress.env_steps


@pytest.mark.slow
def test_a_run_can_be_cut_at_every_moment(tmp_path, point_demos):
    config = replace(BASE, env_steps=150)
    train(POINT, config, demos=point_demos, out=tmp_path / "whole")
    expected = outcome(tmp_path / "whole")
    for moment in range(100):
        run = tmp_path / str(moment)
        try:
            train(POINT, config, demos=point_demos, out=run, observers=[Cut(moment)])
        except PowerCut:
            resume(run)
        else:
            break
        assert outcome(run) == expected, moment
    assert moment > 10


@pytest.mark.slow
@pytest.mark.usefixtures("forked_collectors")
def test_what_happened_since_the_last_checkpoint_happens_again(tmp_path, point_demos):
    config = replace(BASE, checkpoint=replace(OFTEN, seconds=1e9))
    train(POINT, config, demos=point_demos, out=tmp_path / "whole")
    cut_into(config, point_demos, tmp_path / "cut", [9, 3], collectors=1)
    assert outcome(tmp_path / "cut") == outcome(tmp_path / "whole")


def test_a_run_that_is_over_is_over_and_says_so(tmp_path, point_demos, caplog):
    train(POINT, BASE, demos=point_demos, out=tmp_path / "run")
    before = outcome(tmp_path / "run")
    with caplog.at_level("INFO"):
        result = resume(tmp_path / "run")
    assert result.progress.env_steps == 300
    assert outcome(tmp_path / "run") == before
    (said,) = [line for line in caplog.messages if "finished" in line]
    assert said.endswith("300 env steps are taken; --env-steps above 300 makes it longer")


def test_a_run_that_reached_its_target_is_over_and_says_what_continues_it(tmp_path, caplog):
    run = tmp_path / "run"
    train(POINT, replace(BASE, target_success=0.0), out=run)
    with caplog.at_level("INFO"):
        result = resume(run)
    assert result.progress.env_steps < 300
    (said,) = [line for line in caplog.messages if "finished" in line]
    assert "target_success 0.0 was reached after" in said
    assert said.endswith("a higher --target-success continues it")


@pytest.mark.slow
@pytest.mark.parametrize("env_steps", [0, 299, 300])
def test_a_length_that_a_run_has_passed_is_refused_and_nothing_is_changed(
    tmp_path, point_demos, env_steps
):
    run = tmp_path / "run"
    # Two episodes of 30 steps a cycle end at 300.
    train(POINT, replace(BASE, env_steps=250), demos=point_demos, out=run)
    before = outcome(run), (run / "config.json").read_bytes()
    printed = f"env_steps {env_steps} is not more than the 300 that the run has taken; --env-steps"
    assert printed in refusal_of(run, config={"env_steps": env_steps})
    assert (outcome(run), (run / "config.json").read_bytes()) == before


def test_a_run_that_is_still_cloning_can_end_with_it(tmp_path, point_demos):
    config = replace(BASE, warm_start=replace(BASE.warm_start, bc_updates=200))
    run = cut_run(tmp_path / "run", point_demos, config, after=2)
    assert resume(run, {"env_steps": 0}).progress.env_steps == 0


def test_a_run_can_be_made_longer(tmp_path, point_demos):
    train(POINT, BASE, demos=point_demos, out=tmp_path / "run")
    result = resume(tmp_path / "run", replace(BASE, env_steps=480))
    assert result.progress.env_steps == 480
    record = json.loads((tmp_path / "run" / "config.json").read_text())
    assert record["config"]["env_steps"] == 480
    assert record["changes"] == [{"env_steps": 300, "changed": {"env_steps": [300, 480]}}]
    steps = [row["time/env_steps"] for row in outcome(tmp_path / "run")[1]]
    assert steps == [120, 240, 300, 420, 480]


def test_a_setting_that_is_given_on_resume_is_no_longer_left_open(tmp_path, point_demos):
    config = BASE.with_({"agent.bc_error": None, "env_steps": 120})
    train(POINT, config, demos=point_demos, out=tmp_path / "run")
    assert "agent.bc_error" in read_record(tmp_path / "run").decided
    other = {"agent.bc_error": "distance", "env_steps": 240}
    resume(tmp_path / "run", other, allow_change=True)
    record = read_record(tmp_path / "run")
    assert record.config.agent.bc_error == "distance"
    assert "agent.bc_error" not in record.decided


@pytest.mark.slow
def test_a_changed_setting_is_used_and_noted_and_what_it_makes_untrue_is_gone(
    tmp_path, cut_after, undisturbed
):
    run = cut_after(tmp_path / "run", after=12)
    other = replace(BASE, batch_size=16)
    with pytest.raises(InputError, match="batch_size 32 -> 16"):
        resume(run, other)
    resume(run, other, allow_change=True)
    record = json.loads((run / "config.json").read_text())
    assert record["config"]["batch_size"] == 16
    assert record["changes"][0]["changed"] == {"batch_size": [32, 16]}
    assert outcome(run) != undisturbed


def damage(path, how):
    content = bytearray(path.read_bytes())
    if how == "flipped":
        content[len(content) // 2] ^= 1
    elif how == "cut":
        del content[len(content) // 2 :]
    elif how == "grown":
        content += bytes(1000)
    if how == "deleted":
        path.unlink()
    else:
        path.write_bytes(content)


def checkpoints(run):
    return sorted(path for path in (run / "checkpoints").iterdir() if path.name.isdigit())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("agent.safetensors", "flipped"),
        ("agent.safetensors", "grown"),
        ("state.json", "cut"),
        ("state.json", "deleted"),
        ("manifest.json", "flipped"),
        ("manifest.json", "deleted"),
    ],
)
def test_a_damaged_checkpoint_is_reported_and_the_previous_one_leads_to_the_same(
    tmp_path, cut_after, undisturbed, caplog, name, how
):
    run = cut_after(tmp_path / "run", after=10)
    older, newest = checkpoints(run)
    damage(newest / name, how)
    resume(run)
    assert f"checkpoint {int(newest.name)} is not whole" in caplog.text
    assert f"checkpoint {int(older.name)} is not whole" not in caplog.text
    assert outcome(run) == undisturbed


def parts_of(checkpoint):
    return json.loads((checkpoint / "manifest.json").read_text())["parts"].keys()


@pytest.mark.parametrize("how", ["flipped", "deleted"])
def test_a_damaged_part_of_the_replay_is_reported(tmp_path, cut_after, undisturbed, caplog, how):
    run = cut_after(tmp_path / "run", after=9)
    older, newest = checkpoints(run)
    (new,) = parts_of(newest) - parts_of(older)
    damage(run / "checkpoints" / "replay" / new, how)
    resume(run)
    assert f"checkpoint {int(newest.name)} is not whole ({new} " in caplog.text
    assert outcome(run) == undisturbed


@pytest.mark.parametrize("how", ["flipped", "deleted"])
def test_a_damaged_part_that_all_checkpoints_need_is_reported(tmp_path, cut_after, how):
    run = cut_after(tmp_path / "run", after=12)
    shared = min(parts_of(checkpoints(run)[0]))
    damage(run / "checkpoints" / "replay" / shared, how)
    before = outcome(run)
    assert "none is whole" in refusal_of(run)
    assert outcome(run) == before


@pytest.mark.slow
@pytest.mark.parametrize("content", [b"", b"99999999\n", b"../../etc\n", b"\xff\xfe", b"x" * 9999])
def test_a_pointer_that_points_nowhere_does_no_harm(tmp_path, cut_after, content):
    run = cut_after(tmp_path / "run")
    (run / "checkpoints" / "LATEST").write_bytes(content)
    assert resume(run).progress.env_steps == 300


def test_a_run_that_was_never_saved_begins_again(tmp_path, point_demos, caplog):
    config = replace(BASE, checkpoint=replace(OFTEN, seconds=1e9))
    run = cut_run(tmp_path / "run", point_demos, config, after=12)
    assert not (run / "checkpoints").exists()
    resume(run)
    assert "no checkpoint yet; the run begins again" in caplog.text
    train(POINT, config, demos=point_demos, out=tmp_path / "whole")
    assert outcome(run) == outcome(tmp_path / "whole")


def test_policies_are_not_given_up_because_no_checkpoint_is_whole(tmp_path, cut_after):
    run = cut_after(tmp_path / "run", after=12)
    for path in checkpoints(run):
        damage(path / "manifest.json", "cut")
    before = outcome(run)
    assert refusal_of(run).endswith("checkpoints: none is whole; delete it to begin the run again")
    assert outcome(run) == before


def test_metrics_and_policies_that_were_lost_come_back(tmp_path, cut_after, undisturbed):
    run = cut_after(tmp_path / "run", after=13)
    (run / "metrics.jsonl").unlink()
    shutil.rmtree(run / "policies")
    shutil.rmtree(run / "tensorboard")
    resume(run)
    files, rows = outcome(run)
    expected, expected_rows = undisturbed
    assert rows == expected_rows
    assert {name: files[name] for name in ("best.safetensors", "latest.safetensors")} == {
        name: expected[name] for name in ("best.safetensors", "latest.safetensors")
    }


def refusal_of(path, **options):
    with pytest.raises(InputError) as caught:
        resume(path, **options)
    assert is_one_line(str(caught.value))
    return str(caught.value)


def test_what_is_not_a_run_is_refused(tmp_path):
    assert refusal_of(tmp_path / "missing") == f"{tmp_path / 'missing'}: no such directory"
    assert refusal_of(tmp_path).endswith("not a run directory, it holds no config.json")
    (tmp_path / "file").touch()
    assert refusal_of(tmp_path / "file").endswith("not a run directory, it is a file")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "an empty file"),
        (b"[]", "must be an object"),
        (b"\x80\x04N.", "a pickle"),
        (b'{"env_id": "PointReach-v0"}', "config is missing"),
        (b'{"env_id": 3, "config": {}, "demos": null, "versions": {}}', "env_id must be text"),
        (b'{"env_id": "a", "config": {"x": 1}, "demos": null, "versions": {}}', "config.x"),
        (
            b'{"env_id": "a", "config": {"seed": -1}, "demos": null, "versions": {}}',
            "seed must not be negative",
        ),
        (
            b'{"env_id": "a", "config": {"batch_size": NaN}, "demos": null, "versions": {}}',
            "NaN",
        ),
    ],
)
def test_a_record_that_is_not_ours_is_refused(tmp_path, content, expected):
    (tmp_path / "config.json").write_bytes(content)
    assert expected in refusal_of(tmp_path)


def test_other_demonstrations_than_those_of_the_run_are_refused(tmp_path, cut_after):
    run = cut_after(tmp_path / "run")
    damage(run / "demos.npz", "grown")
    assert "not the demonstrations that the run began with" in refusal_of(run)
    damage(run / "demos.npz", "deleted")
    assert "demos.npz" in refusal_of(run)


def test_a_checkpoint_of_another_run_is_refused(tmp_path, point_demos, cut_after):
    wide = replace(BASE, agent=replace(BASE.agent, hidden_sizes=(8, 8)))
    run = cut_after(tmp_path / "run")
    other = cut_run(tmp_path / "other", point_demos, wide)
    shutil.rmtree(run / "checkpoints")
    shutil.copytree(other / "checkpoints", run / "checkpoints")
    assert "does not go with the run's configuration" in refusal_of(run)


def goals_of_my_own(chosen, rng):
    from headstart.data.strategies import future

    return future(chosen, rng)


def test_a_goal_strategy_of_ones_own_is_asked_for_again(tmp_path):
    with pytest.raises(PowerCut):
        train(POINT, BASE, out=tmp_path / "cut", goal_strategy=goals_of_my_own, observers=[Cut(6)])
    assert "goals_of_my_own" in refusal_of(tmp_path / "cut")
    resume(tmp_path / "cut", goal_strategy=goals_of_my_own)
    train(POINT, BASE, out=tmp_path / "whole", goal_strategy=goals_of_my_own)
    assert outcome(tmp_path / "cut") == outcome(tmp_path / "whole")


def test_a_moved_directory_continues(tmp_path, cut_after, undisturbed):
    run = cut_after(tmp_path / "run")
    moved = tmp_path / "elsewhere" / "ü name"
    moved.parent.mkdir()
    run.rename(moved)
    resume(moved)
    assert outcome(moved) == undisturbed


def test_two_checkpoints_stay_and_no_more_of_the_replay_than_they_need(tmp_path, point_demos):
    config = replace(BASE, replay_capacity=70, env_steps=600)
    train(POINT, config, demos=point_demos, out=tmp_path / "run")
    kept = checkpoints(tmp_path / "run")
    assert len(kept) == 2
    names = set()
    for path in kept:
        names |= json.loads((path / "manifest.json").read_text())["parts"].keys()
    parts = (tmp_path / "run" / "checkpoints" / "replay").iterdir()
    assert {part.name for part in parts} == names
    assert len(names) <= 4
    assert np.all([len(name) == len("0000000000.safetensors") for name in names])
