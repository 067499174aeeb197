"""``train``, ``resume``, ``evaluate`` take their arguments in every form that callers have."""

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from builders import is_one_line, point_expert, point_policy
from small_runs import POINT, SMALL, weights_of

import headstart
from headstart import (
    PRESETS,
    InputError,
    Policy,
    collect_demos,
    evaluate,
    load_policy,
    plot_runs,
    resume,
    save_demos,
    train,
)
from headstart.data.strategies import PreferMoved, final
from headstart.runs.preparation import open_config, open_strategy

SHORT = SMALL.with_({"env_steps": 120, "evaluation.every": 60})


@pytest.fixture(scope="module")
def finished(point_demos, tmp_path_factory):
    """A run directory, trained from the path of a demo file, and what training returned."""
    place = tmp_path_factory.mktemp("arguments")
    save_demos(place / "demos.npz", point_demos)
    result = train(POINT, SHORT, demos=str(place / "demos.npz"), out=place / "run")
    return place / "run", result


def test_the_path_of_a_demo_file_is_the_demonstrations_in_it(finished, point_demos):
    _, from_path = finished
    assert from_path.progress.warm_start_updates > 0
    in_memory = train(POINT, SHORT, demos=point_demos)
    np.testing.assert_array_equal(weights_of(from_path.policy), weights_of(in_memory.policy))


def test_a_preset_is_named():
    assert open_config("her") is PRESETS["her"]
    assert open_config(None) is PRESETS["fast"]
    assert open_config({"agent.tau": 0.5, "seed": 3}) == PRESETS["fast"].with_(
        {"agent.tau": 0.5, "seed": 3}
    )


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ("hers", "unknown preset 'hers'; did you mean 'her'"),
        ("deep", "unknown preset 'deep'; there are fast, nair2018, her, stack"),
        (SMALL.agent, "config must be a TrainConfig, a preset .* got DDPGConfig"),
        ({"agent.actorlr": 1.0}, "did you mean agent.actor_lr"),
    ],
)
def test_what_is_not_a_configuration_is_refused_before_anything_is_built(config, named):
    with pytest.raises(InputError, match=named) as refusal:
        train("NoSuchEnvironment-v0", config)
    assert is_one_line(str(refusal.value))


def test_a_strategy_by_name_is_the_setting():
    named, own = open_strategy(SHORT, "final")
    assert named == SHORT.with_({"hindsight.strategy": "final"})
    assert own is None
    assert open_strategy(SHORT, final) == (SHORT, final)
    by_name = train(POINT, SHORT, goal_strategy="final").policy
    by_setting = train(POINT, named).policy
    np.testing.assert_array_equal(weights_of(by_name), weights_of(by_setting))


@pytest.mark.parametrize("strategy", ["futur", 3, 0.8, PreferMoved])
def test_what_is_not_a_strategy_is_refused(strategy):
    with pytest.raises(InputError, match="must be one of future, final, episode, random, none, or"):
        train(POINT, SHORT, goal_strategy=strategy)


def test_a_run_is_continued_with_settings_by_dotted_name(finished, tmp_path):
    run = shutil.copytree(finished[0], tmp_path / "run")
    result = resume(run, {"env_steps": 180, "evaluation.episodes": 2})
    assert (result.progress.env_steps, result.evaluation.episodes) == (180, 2)
    with pytest.raises(InputError, match=r"agent\.tau"):
        resume(run, {"agent.tau": 0.5})


def test_a_policy_is_given_as_object_file_or_run(finished):
    run, _ = finished
    best = load_policy(run)
    expected = evaluate(best, POINT, episodes=4)
    given = [best, run, str(run), run / "policies" / "best.safetensors"]
    for policy in given:
        assert evaluate(policy, episodes=4) == expected
        assert evaluate(policy, POINT, episodes=4) == expected


def test_an_environment_that_only_a_file_names_is_not_imported(tmp_path):
    for named in ("antigravity:Fly-v0", "NoSuch-v0", "PointReach-v0,x=9999999999", "x" * 2000):
        path = tmp_path / "policy.safetensors"
        replace(point_policy(), metadata={"env_id": named}).save(path)
        with pytest.raises(InputError, match="is not registered here") as refusal:
            evaluate(path)
        assert is_one_line(str(refusal.value))
    assert "antigravity" not in sys.modules


def test_an_environment_of_a_module_that_is_imported_already_is_taken(tmp_path):
    policy = replace(point_policy(), metadata={"env_id": "headstart.envs.toy:PointReach-v0"})
    assert evaluate(policy, episodes=1).env_id == "headstart.envs.toy:PointReach-v0"


def test_a_behaviour_without_an_environment_asks_for_one():
    with pytest.raises(InputError, match="point_expert names no environment"):
        evaluate(point_expert)
    with pytest.raises(InputError, match="Policy names no environment"):
        evaluate(replace(point_policy(), metadata={}))


class Model:
    """As Stable-Baselines3 has them."""

    def predict(self, observation):
        return np.zeros(2), None


@pytest.mark.parametrize(
    ("policy", "named"),
    [(Model(), "got Model; .*predict"), (3, "got int"), (Policy, "the class and not an object")],
)
def test_what_is_not_a_policy_is_refused(policy, named):
    for call in (evaluate, lambda *given: collect_demos(given[1], given[0], episodes=1)):
        with pytest.raises(InputError, match=named) as refusal:
            call(policy, POINT)
        assert is_one_line(str(refusal.value))


def test_a_trained_policy_demonstrates_in_every_form(finished):
    run, result = finished
    collected = [
        collect_demos(POINT, given, episodes=2, keep_failures=True)
        for given in (result, run, load_policy(run))
    ]
    assert collected[0].episodes == collected[1].episodes == collected[2].episodes


@pytest.mark.parametrize(
    "call",
    [
        lambda: save_demos(collect_demos(POINT, point_expert, episodes=1), "demos.npz"),
        lambda: load_policy(point_policy()),
        lambda: train(POINT, SHORT, out=3),
        lambda: resume(point_policy()),
        lambda: plot_runs(3, "curves.png"),
    ],
)
def test_what_is_not_a_path_is_refused(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"a path must be text or a pathlib\.Path, got \w+$"):
        call()
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_one_run_is_plotted_as_well_as_several(finished, tmp_path):
    run, result = finished
    for number, runs in enumerate([str(run), iter([run]), result]):
        plot_runs(runs, tmp_path / f"{number}.png")
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1
    with pytest.raises(InputError, match="no run to plot"):
        plot_runs([], tmp_path / "none.png")
    with pytest.raises(InputError, match="smooth must be at least 1, got 0"):
        plot_runs(run, tmp_path / "none.png", smooth=0)


def test_importing_the_library_and_its_light_parts_loads_no_torch():
    program = (
        "import sys, headstart as hs; hs.Observer; hs.TrainConfig; hs.expert_for; hs.load_policy;"
        "hs.Exploration; hs.collect_demos; hs.PRESETS; hs.RunError; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr


def test_type_checkers_see_the_public_names():
    source = Path(headstart.__file__).read_text()
    assert set(re.findall(r"(\w+) as \1\b", source)) == set(headstart.__all__)
