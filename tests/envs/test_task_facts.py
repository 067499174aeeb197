"""What a user declares of a task: by attributes of the environment, or from outside."""

import numpy as np
import pytest
from builders import is_one_line

from headstart import GoalRegions, GoalSpec, InputError, Reflection, TaskConfig, check_env, evaluate
from headstart.data.goals import GoalComponent
from headstart.data.symmetry import AxisMap, Mirror
from headstart.demos.record import collect_demos
from headstart.envs.make import make_env
from headstart.envs.toy import PointReach
from headstart.training.config import TrainConfig
from headstart.training.sampling import choose_mirror

ALONG_X = AxisMap((0, 1), (1.0, -1.0), (0.0, 0.0))
MIRROR = Mirror(ALONG_X, ALONG_X, ALONG_X)
SIDES = GoalRegions(coordinate=0, threshold=0.1, above="right", below="left")
LIMIT = {"max_episode_steps": 30}


class Described(PointReach):
    """A point that says all of itself."""

    reward_range = (-1.0, 0.0)
    success_terminates = False
    goal_components = {"x": slice(0, 1), "y": slice(1, 2)}  # noqa: RUF012
    goal_regions = SIDES
    state_mirror = Reflection(observation=(1,), goal=(1,), action=(1,))
    default_camera_config = {"distance": 2.0, "lookat": np.zeros(3)}  # noqa: RUF012


FROM_OUTSIDE = TaskConfig(
    reward_range=(-1.0, 0.0),
    success_terminates=False,
    goal_components=(1, 1),
    goal_component_names=("x", "y"),
    goal_regions=SIDES,
    state_mirror=Described.state_mirror,
)


def make_named(**attributes):
    return type("Named", (PointReach,), attributes)


def spec_of(env=PointReach, task=None):
    return GoalSpec.from_env(make_env(env, **LIMIT), task)


@pytest.mark.parametrize(("env", "task"), [(Described, None), (PointReach, FROM_OUTSIDE)])
def test_what_is_declared_of_a_task_is_its_description(env, task):
    spec = spec_of(env, task)
    assert spec.components == (GoalComponent("x", 0, 1), GoalComponent("y", 1, 2))
    assert (spec.regions, spec.mirror, spec.terminates) == (SIDES, MIRROR, False)
    facts = ("reward_range", "terminates", "components", "regions", "mirror")
    assert {spec.origins[name] for name in facts} == {"declared"}
    assert spec.origins["reward_info_keys"] == "detected"


def test_a_camera_is_declared_in_the_words_of_gymnasium():
    assert spec_of(Described).camera == {"distance": 2.0, "lookat": (0.0, 0.0, 0.0)}


def test_from_outside_counts_before_the_attribute():
    other = GoalRegions(coordinate=1)
    task = TaskConfig(goal_regions=other, goal_components=(2,))
    spec = spec_of(Described, task)
    assert spec.regions == other
    assert spec.components == (GoalComponent("0", 0, 2),)
    assert spec.mirror == MIRROR


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"goal_components": ("x", "y")}, "goal_components must be a Mapping, got"),
        ({"goal_components": {"x": slice(0, 3)}}, "a dict of slices by name, within 2 entries"),
        ({"goal_components": {"x": slice(0, 2), "y": slice(1, 2)}}, "x and y of its goals overlap"),
        ({"goal_regions": {"coordinate": 0}}, "goal_regions must be a GoalRegions, got"),
        ({"goal_regions": GoalRegions()}, r"must lie in \[0, 1\], got None"),
        ({"goal_regions": GoalRegions(coordinate=2)}, r"must lie in \[0, 1\], got 2"),
        ({"state_mirror": "y"}, "state_mirror must be a Mirror or a Reflection, got 'y'"),
        ({"state_mirror": Reflection(goal=(2,))}, "a mirror of 2 numbers must name .* got 2"),
        ({"state_mirror": Reflection(action_pairs=(0,))}, "swaps pairs of entries, got 1"),
        ({"state_mirror": Mirror(ALONG_X, ALONG_X, AxisMap((0,), (1.0,), (0.0,)))}, "of .2, 2, 1."),
    ],
)
def test_what_does_not_fit_is_refused(attributes, message):
    with pytest.raises(InputError, match=message) as refused:
        spec_of(make_named(**attributes))
    assert is_one_line(str(refused.value))


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ({"goal_components": (1, 2)}, "2 together, got 1 2"),
        ({"goal_components": (1, 1), "goal_component_names": ("x",)}, "as many widths as"),
    ],
)
def test_components_from_outside_must_fill_the_goal(task, message):
    with pytest.raises(InputError, match=message):
        spec_of(task=TaskConfig(**task))


def test_a_declared_mirror_is_used_if_the_point_moves_so():
    env = make_env(Described, **LIMIT)
    assert choose_mirror(TrainConfig(), GoalSpec.from_env(env), env) == MIRROR
    wrong = TaskConfig(state_mirror=Reflection(observation=(1,), goal=(1,)))
    assert choose_mirror(TrainConfig(), GoalSpec.from_env(env, wrong), env) is None


def test_a_check_finds_nothing_wrong_with_a_right_declaration():
    sound = check_env(Described, env_kwargs=LIMIT)
    assert (sound.problems, sound.mirror_defect) == ((), None)
    assert not any("region" in text or "component" in text for text in sound.advice)


def test_the_layout_is_looked_for_once(monkeypatch):
    calls = []
    take = check_env.__globals__["GoalSpec"].from_env.__globals__["find_layout"]
    monkeypatch.setattr(
        "headstart.envs.goal_env.find_layout", lambda *args: calls.append(args) or take(*args)
    )
    report = check_env("PointReach-v0")
    assert len(calls) == 1
    assert (report.spec.layout.positions, report.likely_layout.positions) == ((), (0,))


def test_successes_are_counted_by_declared_region_and_stay_so_in_files():
    def expert(state):
        return np.clip(10.0 * (state["desired_goal"] - state["achieved_goal"]), -1.0, 1.0)

    parts = evaluate(expert, Described, env_kwargs=LIMIT, episodes=20).parts
    assert {*parts} == {"left", "right"}
    assert sum(part.episodes for part in parts.values()) == 20
    task = TaskConfig(goal_regions=GoalRegions(coordinate=1))
    assert {*evaluate(expert, "PointReach-v0", task=task).parts} == {"above", "below"}
    assert collect_demos(Described, expert, episodes=3, env_kwargs=LIMIT).goal_regions == SIDES
