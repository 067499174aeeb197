import ast
import inspect
from dataclasses import FrozenInstanceError, fields, is_dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from builders import is_one_line

import headstart
from headstart.agents.ddpg import DDPGConfig
from headstart.envs.task import TaskConfig
from headstart.errors import InputError
from headstart.presets import PRESETS
from headstart.rollout.exploration import Exploration
from headstart.runs.train import train
from headstart.training.config import (
    CheckpointConfig,
    CycleConfig,
    DemosConfig,
    EvaluationConfig,
    FailuresConfig,
    HindsightConfig,
    LearnerConfig,
    ResetsConfig,
    TrainConfig,
    WarmStartConfig,
)

NAN = float("nan")


@pytest.mark.parametrize(
    ("config", "prefix", "settings"),
    [
        (TrainConfig, "", {"env_steps": -1}),
        (TrainConfig, "", {"policy_every": 0}),
        (TrainConfig, "", {"torch_threads": 0}),
        (TrainConfig, "", {"seed": -1}),
        (TrainConfig, "", {"batch_size": 1}),
        (TrainConfig, "", {"replay_capacity": 1}),
        (TrainConfig, "", {"target_success": 1.5}),
        (TrainConfig, "", {"target_success": -0.1}),
        (TrainConfig, "", {"target_success": NAN}),
        (CycleConfig, "cycle.", {"episodes": 0}),
        (CycleConfig, "cycle.", {"updates": -1}),
        (CycleConfig, "cycle.", {"updates_per_step": -0.5}),
        (FailuresConfig, "failures.", {"share": 1.5}),
        (FailuresConfig, "failures.", {"share": NAN}),
        (FailuresConfig, "failures.", {"at_least": -1}),
        (LearnerConfig, "learner.", {"shards": 0}),
        (HindsightConfig, "hindsight.", {"relabel_fraction": 1.01}),
        (HindsightConfig, "hindsight.", {"relabel_fraction": -0.5}),
        (HindsightConfig, "hindsight.", {"relabel_fraction": NAN}),
        (DemosConfig, "demos.", {"fraction": 0.0}),
        (DemosConfig, "demos.", {"fraction": 1.0}),
        (DemosConfig, "demos.", {"num_episodes": 0}),
        (ResetsConfig, "resets.", {"probability": 1.5}),
        (ResetsConfig, "resets.", {"probability": NAN}),
        (ResetsConfig, "resets.", {"goal": "final"}),
        (WarmStartConfig, "warm_start.", {"bc_updates": -1}),
        (WarmStartConfig, "warm_start.", {"episodes": -2}),
        (WarmStartConfig, "warm_start.", {"critic_updates": -1}),
        (WarmStartConfig, "warm_start.", {"critic_updates": 5, "episodes": 0}),
        (EvaluationConfig, "evaluation.", {"every": 0}),
        (EvaluationConfig, "evaluation.", {"episodes": 0}),
        (Exploration, "exploration.", {"noise": -0.1}),
        (Exploration, "exploration.", {"noise": NAN}),
        (Exploration, "exploration.", {"random_action": 1.1}),
        (Exploration, "exploration.", {"random_action": NAN}),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_by_name_and_value(config, prefix, settings):
    name, value = next(iter(settings.items()))
    with pytest.raises(InputError) as caught:
        config(**settings)
    message = str(caught.value)
    assert is_one_line(message)
    assert f"{prefix}{name}" in message
    assert str(value) in message


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_a_preset_cannot_be_changed_by_accident(name):
    with pytest.raises(FrozenInstanceError):
        PRESETS[name].seed = 1
    with pytest.raises(FrozenInstanceError):
        PRESETS[name].agent.discount = 0.5


def test_more_demonstrations_than_there_are_cannot_be_asked_for():
    config = TrainConfig(demos=DemosConfig(num_episodes=100))
    config.check_demos(100)
    with pytest.raises(InputError, match=r"demos\.num_episodes is 100, .* holds 99 episodes"):
        config.check_demos(99)


def test_an_empty_demo_file_is_refused():
    with pytest.raises(InputError, match="no episodes"):
        TrainConfig().check_demos(0)


@pytest.mark.parametrize(
    ("batch_size", "fraction", "rows"), [(256, 0.001, 0), (256, 0.999, 256), (2, 0.9, 2)]
)
def test_a_batch_holds_rows_of_both_kinds(batch_size, fraction, rows):
    config = TrainConfig(batch_size=batch_size, demos=DemosConfig(fraction=fraction))
    with pytest.raises(InputError, match=f"demos.fraction {fraction} makes {rows} of {batch_size}"):
        config.check_demos(10)


def test_shards_must_divide_a_batch_and_what_is_demonstrated_of_it(point_demos):
    with pytest.raises(InputError, match=r"learner\.shards 3 must divide .* of a batch, got 256"):
        TrainConfig().with_({"learner.shards": 3})
    config = TrainConfig().with_({"learner.shards": 4, "demos.fraction": 0.3})
    with pytest.raises(InputError, match=r"divide the demonstrated .*demos\.fraction.*, got 77"):
        train("PointReach-v0", config, demos=point_demos)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_accepts_a_hundred_demonstrations(name):
    PRESETS[name].check_demos(100)


def test_the_nair_preset_is_the_published_configuration():
    config = PRESETS["nair2018"]
    agent = config.agent
    assert config.batch_size == 1024
    assert round(config.batch_size * config.demos.fraction) == 128
    assert config.hindsight.relabel_fraction == 0.8
    assert (agent.q_weight, agent.bc_weight, agent.q_filter) == (0.001, 1.0, True)
    assert agent.q_filter_from == 0
    assert (agent.hidden_sizes, agent.num_critics, agent.critic_layer_norm) == (
        (256,) * 3,
        1,
        False,
    )
    assert (agent.discount, agent.tau, agent.target_update) == (0.98, 0.05, "cycle")
    assert (agent.actor_lr, agent.critic_lr, agent.action_l2) == (1e-3, 1e-3, 1.0)
    assert (agent.input_clip, agent.output_clip, agent.std_floor) == (200.0, 5.0, 0.01)
    assert (config.cycle.episodes, config.cycle.updates, config.cycle.ahead) == (2, 40, False)
    assert (config.exploration.noise, config.exploration.random_action) == (0.1, 0.1)
    warm_start = config.warm_start
    assert (warm_start.bc_updates, warm_start.episodes, warm_start.critic_updates) == (0, 0, 0)
    assert not config.symmetry


# The dead-option test: an option that nothing reads does nothing.

SOURCE = Path(headstart.__file__).parent
OWNERS = {
    TrainConfig: {"config"},
    # What is declared of a layout is read from the layout that it becomes a part of.
    TaskConfig: {"task", "layout"},
    DDPGConfig: {"config"},
    HindsightConfig: {"hindsight"},
    DemosConfig: {"demos"},
    ResetsConfig: {"resets"},
    WarmStartConfig: {"warm_start"},
    CycleConfig: {"cycle"},
    LearnerConfig: {"learner"},
    EvaluationConfig: {"evaluation"},
    CheckpointConfig: {"checkpoint", "_checkpoint"},
    FailuresConfig: {"allowed"},
    Exploration: {"exploration"},
}
"""Each section with the names by which its readers refer to it."""


def name_of(expression):
    """``c`` of the expression ``a.b.c``."""
    if isinstance(expression, ast.Attribute):
        return expression.attr
    return expression.id if isinstance(expression, ast.Name) else ""


@cache
def reads(path, *, without_checks):
    """Every ``(owner, attribute)`` that a file reads; a ``__post_init__`` may be left out."""
    found, pending = set(), [ast.parse(path.read_text(encoding="utf-8"))]
    while pending:
        node = pending.pop()
        if without_checks and isinstance(node, ast.FunctionDef) and node.name == "__post_init__":
            continue
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            found.add((name_of(node.value), node.attr))
        pending.extend(ast.iter_child_nodes(node))
    return found


@cache
def readers(section):
    """Names of the section's fields that some algorithm reads."""
    home = Path(inspect.getfile(section))
    found = set()
    for path in sorted(SOURCE.rglob("*.py")):
        folder = path.relative_to(SOURCE).parts[0]
        # The command line passes options on; that is no use of them.
        if folder in ("cli", "viz") or (section is DDPGConfig and folder != "agents"):
            continue
        owners = OWNERS[section] | ({"self"} if path == home else set())
        # An option that only its own check reads is dead.
        found |= {
            attribute
            for owner, attribute in reads(path, without_checks=path == home)
            if owner in owners
        }
    return found


def test_the_sections_are_all_known_to_the_dead_option_test():
    nested = {type(getattr(TrainConfig(), field.name)) for field in fields(TrainConfig)}
    assert {section for section in nested if is_dataclass(section)} | {TrainConfig} == set(OWNERS)


@pytest.mark.parametrize(
    ("section", "name"),
    [(section, field.name) for section in OWNERS for field in fields(section)],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_every_option_has_a_reader(section, name):
    assert name in readers(section)


def documented_fields(section):
    """Names of the annotated fields that a docstring follows."""
    (tree,) = ast.parse(inspect.getsource(section)).body
    pairs = pairwise(tree.body)
    return {
        statement.target.id
        for statement, following in pairs
        if isinstance(statement, ast.AnnAssign) and isinstance(following, ast.Expr)
    }


@pytest.mark.parametrize("section", list(OWNERS), ids=lambda section: section.__name__)
def test_every_option_is_documented(section):
    options = {
        field.name for field in fields(section) if not is_dataclass(getattr(section(), field.name))
    }
    assert options == documented_fields(section) & options
