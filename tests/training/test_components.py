"""Goals whose components are finished one after the other: what is learned of three serves two."""

from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
from builders import is_one_line
from cut_runs import Cut, PowerCut
from outcomes import outcome
from sorting import SORT, Sort, sort

from headstart import InputError, collect_demos, evaluate, load_policy, make_env, resume, train
from headstart.cli.main import main
from headstart.data.layout import ComponentLayout
from headstart.envs.goal_env import GoalSpec
from headstart.envs.task import TaskConfig
from headstart.training.config import TrainConfig

TWO, THREE = SORT.format(2), SORT.format(3)
SMALL = TrainConfig().with_(
    {
        "env_steps": 0,
        "batch_size": 64,
        "agent.hidden_sizes": (64, 64),
        "agent.actor_lr": 3e-3,
        "demos.other_goals": False,
        "warm_start.bc_updates": 1500,
        "evaluation.episodes": 25,
        "checkpoint.seconds": 0.0,
    }
)


@pytest.fixture(scope="module")
def demos():
    return collect_demos(THREE, sort, episodes=40, noise=0.2)


@pytest.fixture(scope="module")
def run(demos, tmp_path_factory):
    return train(THREE, SMALL, demos=demos, out=tmp_path_factory.mktemp("components") / "run")


@pytest.mark.slow
def test_it_is_learned_where_the_current_component_is_seen(run, demos):
    assert run.evaluation.success_rate > 0.6
    everything = train(THREE, replace(SMALL, actor_inputs="neither"), demos=demos)
    assert everything.evaluation.success_rate < 0.2


def test_the_file_of_a_policy_serves_another_number_of_components(run):
    assert evaluate(run.directory, TWO, episodes=30).success_rate > 0.6
    policy = load_policy(run.directory)
    assert policy.inputs == run.best_policy.inputs
    env = gym.make(THREE)
    observation, _ = env.reset(seed=0)
    np.testing.assert_array_equal(policy(observation), run.best_policy(observation))


@pytest.mark.slow
def test_each_component_is_counted_at_the_end(run, capsys):
    def bring_first(observation):
        goals = observation["desired_goal"][:2], observation["achieved_goal"][2:]
        return sort({**observation, "desired_goal": np.concatenate(goals)})

    result = evaluate(bring_first, THREE, episodes=10)
    assert result.components["block 0"] == 1.0
    assert result.components["block 1"] < 0.5
    assert result.success_rate <= min(result.components.values())
    evaluation = run.evaluation
    assert min(evaluation.components.values()) >= evaluation.success_rate > 0.0
    assert all(f'"eval/component_{name}"' in metrics_of(run) for name in evaluation.components)
    main(["evaluate", str(run.directory), "--episodes", "2", "--no-floor"])
    assert "component: block 0" in capsys.readouterr().out


def metrics_of(run):
    return (run.directory / "metrics.jsonl").read_text()


@pytest.mark.parametrize("env", [SORT.format(1), "PointReach-v0"])
def test_a_task_that_does_not_fit_is_refused(run, env):
    with pytest.raises(InputError, match="Sort3-v0 does not fit here") as refusal:
        evaluate(run.best_policy, env, episodes=1)
    assert is_one_line(str(refusal.value))


@pytest.mark.slow
def test_training_continues_from_clones_and_is_resumed_to_the_same_bits(demos, tmp_path):
    config = SMALL.with_(
        {
            "env_steps": 630,
            "warm_start.bc_updates": 30,
            "warm_start.episodes": 2,
            "warm_start.critic_updates": 10,
            "cycle.updates": 5,
            "evaluation.episodes": 1,
        }
    )
    train(THREE, config, demos=demos, out=tmp_path / "whole")
    with pytest.raises(PowerCut):
        train(THREE, config, demos=demos, out=tmp_path / "cut", observers=[Cut(3)])
    resume(tmp_path / "cut", env=THREE)
    assert outcome(tmp_path / "whole") == outcome(tmp_path / "cut")


def describe(**attributes):
    env = make_env(THREE)
    for name, value in attributes.items():
        setattr(env.unwrapped, name, value)
    return GoalSpec.from_env(env)


def test_it_is_declared_from_outside_too():
    given = ComponentLayout(firsts=(2, 6, 10), width=3, distances=(0.2, 0.3))
    env = make_env(THREE)
    spec = GoalSpec.from_env(env, TaskConfig(component_layout=given))
    assert (spec.component_layout, spec.origins["component_layout"]) == (given, "declared")
    assert describe().component_layout == Sort(3).component_layout


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"firsts": (2, 6)}, "each of 3 components of a goal, got 2"),
        ({"firsts": (2, 6, 11)}, "4 entries from 11 on, and its observation has 14"),
        ({"distances": ()}, "one number, or a second one"),
        ({"distances": (0.2, 0.1)}, "no smaller, got 0.2 0.1"),
    ],
)
def test_a_declaration_that_does_not_fit_is_refused(given, named):
    layout = replace(Sort(3).component_layout, **given)
    with pytest.raises(InputError, match=named) as refusal:
        describe(component_layout=layout)
    assert is_one_line(str(refusal.value))


def test_components_that_are_not_positions_are_refused(demos):
    config = SMALL.with_({"task.goal_positions": (0, 2), "actor_inputs": "component"})
    with pytest.raises(InputError, match="block 2 is not"):
        train(THREE, config, demos=demos)


def test_one_component_at_a_time_is_refused_where_none_is_declared():
    with pytest.raises(InputError, match="PointReach-v0 declares no component_layout"):
        train("PointReach-v0", replace(SMALL, actor_inputs="component", env_steps=90))
