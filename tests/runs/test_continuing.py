"""``train(..., resume="auto")`` is one call for a job that is stopped and started again."""

from dataclasses import replace

import numpy as np
import pytest
from builders import is_one_line, point_expert
from cut_runs import Cut, PowerCut
from small_runs import POINT, SMALL, weights_of

from headstart import InputError, collect_demos, evaluate, train
from headstart.envs.toy import PointReach
from headstart.runs.record import read_record

CONFIG = SMALL.with_({"checkpoint.seconds": 0.0})


@pytest.fixture(scope="module")
def undisturbed(point_demos, tmp_path_factory):
    run = tmp_path_factory.mktemp("undisturbed") / "run"
    return run, train(POINT, CONFIG, demos=point_demos, out=run, resume="auto")


@pytest.mark.slow
def test_the_same_call_begins_continues_and_ends_a_run(undisturbed, point_demos, tmp_path):
    _, expected = undisturbed
    run = tmp_path / "run"

    def job(*observers):
        return train(POINT, CONFIG, demos=point_demos, out=run, resume="auto", observers=observers)

    for after in (3, 5):
        with pytest.raises(PowerCut):
            job(Cut(after))
    np.testing.assert_array_equal(weights_of(job().policy), weights_of(expected.policy))
    again = job()
    np.testing.assert_array_equal(weights_of(again.policy), weights_of(expected.policy))
    assert again.progress.updates == expected.progress.updates
    assert again.evaluation == expected.evaluation


def test_what_no_learning_depends_on_may_differ(undisturbed, point_demos, tmp_path):
    run = tmp_path / "run"
    first = train(POINT, CONFIG, demos=point_demos, out=run, resume=True)
    longer = CONFIG.with_(env_steps=360)
    assert train(POINT, longer, demos=point_demos, out=run, resume=True).progress.env_steps == 360
    assert first.progress.env_steps == 300
    assert read_record(run).config.env_steps == 360


def others():
    demos = collect_demos(POINT, point_expert, episodes=5)
    different = collect_demos(POINT, point_expert, episodes=5, seed=1)
    return [
        ({"env": "BitFlip-v0", "demos": demos}, ["a run of PointReach-v0, not of BitFlip-v0"]),
        ({"demos": None}, ["a run with demonstrations, not without"]),
        ({"demos": different}, ["other demonstrations than these"]),
        ({"config": CONFIG.with_(seed=1), "demos": demos}, ["seed 0 -> 1", "cannot change"]),
        ({"config": CONFIG.with_({"agent.tau": 0.5}), "demos": demos}, ["agent.tau"]),
    ]


def test_another_run_is_refused(undisturbed):
    run, _ = undisturbed
    before = sorted((path, path.stat().st_mtime_ns) for path in run.rglob("*"))
    for arguments, named in others():
        with pytest.raises(InputError) as refusal:
            train(**{"env": POINT, "config": CONFIG, "out": run, "resume": "auto", **arguments})
        assert is_one_line(str(refusal.value))
        for words in named:
            assert words in str(refusal.value)
    after = sorted((path, path.stat().st_mtime_ns) for path in run.rglob("*"))
    assert [it for it in after if "lock" not in it[0].name] == [
        it for it in before if "lock" not in it[0].name
    ]


def test_only_as_many_demonstrations_as_are_used_must_be_the_same(point_demos, tmp_path):
    config = CONFIG.with_({"demos.num_episodes": 2, "env_steps": 60})
    train(POINT, config, demos=point_demos, out=tmp_path / "run", resume="auto")
    fewer = replace(point_demos, episodes=point_demos.episodes[:3])
    train(POINT, config, demos=fewer, out=tmp_path / "run", resume="auto")


def test_a_run_that_took_more_env_steps_than_are_asked_for_is_returned(tmp_path):
    longer, shorter = CONFIG.with_(env_steps=70), CONFIG.with_(env_steps=60)
    first = train(POINT, longer, out=tmp_path / "run", resume="auto")
    taken = first.progress.env_steps
    for asked in (shorter, CONFIG.with_(env_steps=taken)):
        again = train(POINT, asked, out=tmp_path / "run", resume="auto")
        assert again.progress.env_steps == taken
        assert again.policy.to_bytes() == first.policy.to_bytes()


def test_a_directory_in_which_a_run_was_about_to_begin_is_used(tmp_path):
    run = tmp_path / "run"
    (run / "policies").mkdir(parents=True)
    (run / "demos.npz").write_bytes(b"half")
    (run / ".tmp.config.json").write_bytes(b"{")
    with pytest.raises(InputError, match="already holds files"):
        train(POINT, CONFIG.with_(env_steps=60), out=run)
    result = train(POINT, CONFIG.with_(env_steps=60), out=run, resume="auto")
    assert result.progress.env_steps == 60
    assert not (run / "demos.npz").exists()


def test_a_directory_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "demos.npz").write_bytes(b"mine")
    (tmp_path / "thesis.tex").write_bytes(b"mine")
    with pytest.raises(InputError, match="already holds files"):
        train(POINT, CONFIG, out=tmp_path, resume="auto")
    assert (tmp_path / "demos.npz").read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"resume": "auto"}, "needs the directory of the run"),
        ({"resume": "always", "out": "run"}, "resume must be 'auto' or False, got 'always'"),
    ],
)
def test_resume_needs_a_directory_and_a_known_value(arguments, named):
    with pytest.raises(InputError, match=named):
        train(POINT, CONFIG, **arguments)


def test_a_result_is_evaluated_in_the_environment_that_it_was_trained_in():
    result = train(PointReach, CONFIG.with_(env_steps=60), env_kwargs={"max_episode_steps": 7})
    seen = []
    outcome = evaluate(result, episodes=2, on_episode=seen.append)
    assert [len(episode) for episode in seen] == [7, 7]
    assert "PointReach" in outcome.env_id
