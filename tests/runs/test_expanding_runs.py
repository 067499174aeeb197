"""``train(..., expand=N)``: from one demonstration to a policy in one call."""

import json
from dataclasses import replace

import numpy as np
import pytest
from carrying import Carrying, Demonstrator
from cut_runs import Cut, PowerCut
from small_runs import SMALL, weights_of

from headstart import (
    PRESETS,
    InputError,
    Observer,
    collect_demos,
    expand_demos,
    expert_for,
    load_demos,
    save_demos,
    train,
)
from headstart.cli.main import main
from headstart.runs.record import read_record

STEPS = {"max_episode_steps": 60}
CONFIG = SMALL.with_({"checkpoint.seconds": 0.0, "demos.num_episodes": 1, "env_steps": 240})


@pytest.fixture(scope="module")
def sources():
    return collect_demos(Carrying, Demonstrator(), episodes=2, env_kwargs=STEPS, seed=1)


def run(sources, out=None, *, config=CONFIG, expand=5, **options):
    return train(
        Carrying, config, env_kwargs=STEPS, demos=sources, expand=expand, out=out, **options
    )


def test_a_run_learns_from_what_was_made_and_counts_what_it_cost(sources, tmp_path):
    result = run(sources, tmp_path / "run")
    kept = load_demos(tmp_path / "run" / "demos.npz")
    made = expand_demos(sources.first(1), Carrying, env_kwargs=STEPS, episodes=5)
    assert kept.episodes == made.episodes
    cost = made.header["expansion"]["env_steps"]
    assert result.progress.expansion_env_steps == cost > 0
    assert result.progress.env_steps == 240
    rows = map(json.loads, (tmp_path / "run" / "metrics.jsonl").read_text().splitlines())
    assert {row["time/expansion_env_steps"] for row in rows} == {cost}
    record = read_record(tmp_path / "run")
    assert (record.demos["episodes"], record.demos["expansion_env_steps"]) == (5, cost)
    assert record.config.demos.num_episodes is None


def test_settings_of_an_expansion_that_does_not_take_place_are_named(sources, caplog):
    config = CONFIG.with_({"demos.expand_speed": 2.0, "env_steps": 60})
    run(sources, config=config, expand=0)
    [line] = [it.message for it in caplog.records if "changes nothing" in it.message]
    assert line == "no demonstrations are expanded: demos.expand_speed=2.0 changes nothing"


def test_settings_of_an_expansion_that_are_those_of_a_preset_are_not(sources, caplog):
    config = replace(CONFIG, demos=PRESETS["stack"].demos, env_steps=60)
    run(sources, config=config, expand=0)
    assert not [it for it in caplog.records if "changes nothing" in it.message]


def test_a_run_that_is_too_short_for_it_says_so(sources, caplog):
    caplog.set_level("INFO", "headstart")
    run(sources, config=CONFIG.with_({"env_steps": 60}), expand=None)
    [line] = [it.message for it in caplog.records if "learning from" in it.message]
    assert line.startswith("learning from 1 demonstration alone; runs of 6000 env steps or more")


@pytest.mark.slow
def test_the_same_call_continues_it(sources, tmp_path):
    expected = run(sources, tmp_path / "undisturbed")
    with pytest.raises(PowerCut):
        run(sources, tmp_path / "run", resume="auto", observers=Cut(3))
    result = run(sources, tmp_path / "run", resume="auto")
    np.testing.assert_array_equal(weights_of(result.policy), weights_of(expected.policy))
    assert result.progress.expansion_env_steps == expected.progress.expansion_env_steps
    other = CONFIG.with_({"demos.num_episodes": 2})
    for changed in ({"config": other}, {"expand": 6}, {"expand": 0}):
        with pytest.raises(InputError, match=r"its run has made 5|other demonstrations than these"):
            run(sources, tmp_path / "run", resume="auto", **changed)


def test_a_file_that_was_expanded_before_is_counted_too(sources):
    made = expand_demos(sources, Carrying, env_kwargs=STEPS, episodes=3)
    result = run([made, sources], config=CONFIG.with_({"demos.num_episodes": None}), expand=None)
    assert result.progress.expansion_env_steps == made.header["expansion"]["env_steps"]


@pytest.mark.parametrize(
    ("demos", "expand", "message"),
    [
        (None, 5, "demos.expand=5 makes demonstrations of given ones: add --demos FILE"),
        ("sources", -1, "demos.expand must be at least 0, got -1"),
        ("sources", "many", "expand must be an integer"),
    ],
)
def test_what_cannot_be_expanded_is_refused(sources, demos, expand, message):
    with pytest.raises(InputError, match=message):
        run(sources if demos else None, expand=expand)


def test_an_interrupted_expansion_says_what_would_have_kept_it():
    class Interrupted(Carrying):
        left = 1000

        def step(self, action):
            Interrupted.left -= 1
            if Interrupted.left == 0:
                raise KeyboardInterrupt
            return super().step(action)

    source = collect_demos(Interrupted, Demonstrator(), episodes=1, env_kwargs=STEPS)
    Interrupted.left = 400
    with pytest.raises(KeyboardInterrupt, match=r"[1-9] .* made .* `headstart demos expand` makes"):
        train(Interrupted, CONFIG, env_kwargs=STEPS, demos=source, expand=50)


@pytest.mark.slow
def test_the_command_says_what_it_has_cost(tmp_path, capsys):
    one = collect_demos("FetchReach-v4", expert_for("FetchReach-v4"), episodes=1)
    save_demos(tmp_path / "one.npz", one)
    small = "--env-steps 100 --warm-start.bc-updates 5 --warm-start.critic-updates 0 --collectors 0"
    main(["train", "FetchReach-v4", "--demos", str(tmp_path / "one.npz"), "--expand", "3",
          *small.split(), "--out", str(tmp_path / "run")])  # fmt: skip
    cost = load_demos(tmp_path / "run" / "demos.npz").header["expansion"]["env_steps"]
    printed = capsys.readouterr().out
    assert f" env steps and {cost} before them, to make demonstrations, and" in printed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("count", "share", "settings", "expected"),
    [
        (2, 1.0, {}, 100),
        (2, 1.0, {"env_steps": 5900}, 2),
        (2, 1.0, {"demos.expand": 0}, 2),
        (21, 1.0, {}, 21),
        (21, 0.4, {}, 100),
    ],
)
def test_few_and_slow_demonstrations_are_expanded_for_long_runs(count, share, settings, expected):
    class Stop(Observer):
        def started(self, config, run):
            self.config, self.run = config, run
            run.stop()

    class Part(Demonstrator):
        def __call__(self, observation):
            return super().__call__(observation) * [share, share, share, 1.0]

    steps = {"max_episode_steps": 120 if share < 1.0 else 60}
    demos = collect_demos(Carrying, Part(), episodes=count, env_kwargs=steps, snapshots=False)
    stop, config = (
        Stop(),
        SMALL.with_({"env_steps": 12_000, "warm_start.bc_updates": 0, **settings}),
    )
    train(Carrying, config, env_kwargs=steps, demos=demos, observers=stop)
    assert stop.run.num_demos == expected
    assert stop.config.demos.expand == (100 if expected == 100 else 0)
    speed = 1.0 if share == 1.0 else 2.0
    assert stop.config.demos.expand_speed == (speed if expected == 100 else None)
