"""What environments really return for a truth value, a reward and a declaration, and what it is."""

import numpy as np
import pytest
from builders import is_one_line, point_expert, point_policy

from headstart.envs.goal_env import GoalReward, GoalSpec
from headstart.envs.make import env_source, make_env
from headstart.envs.toy import PointReach
from headstart.errors import EpisodeError, InputError, RunError
from headstart.rollout.executors import make_executor
from headstart.rollout.job import EpisodeJob, run_episode

SOUND = [
    bool,
    int,
    np.bool_,
    np.array,
    lambda truth: [truth],
    lambda truth: np.array([truth]),
    lambda truth: truth or None,
]
ODD = ["no", [True, False], float("nan"), {}]


class Answers(PointReach):
    """An end and a success of any kind; whatever reaches the goal ends the episode."""

    threshold = 0.2
    kind = bool

    def step(self, action):
        observation, reward, _, _, info = super().step(action)
        reached = self.kind(info["is_success"])
        return observation, reward, reached, self.kind(False), {"is_success": reached}

    def compute_terminated(self, achieved_goal, desired_goal, info):
        distance = np.linalg.norm(np.asarray(achieved_goal) - desired_goal)
        return self.kind(bool(distance <= self.threshold))


class Priced(PointReach):
    """An action costs, which only ``step`` knows; nothing says what a success is."""

    threshold = 0.2

    def step(self, action):
        observation, reward, *ends, _ = super().step(action)
        return observation, reward - 0.01 * float(np.square(action).sum()), *ends, {}


def answering(kind, **attributes):
    content = {"kind": staticmethod(kind), **attributes}
    return make_env(lambda: type("Kind", (Answers,), content)(), max_episode_steps=40)


def episode_of(env):
    return run_episode(env, EpisodeJob(point_expert, 0, "test", 0))


@pytest.mark.parametrize("kind", SOUND)
def test_ends_and_successes_of_any_kind_are_what_they_hold(kind):
    env = answering(kind)
    assert episode_of(env) == episode_of(answering(bool))
    reward = GoalReward(env)
    assert reward.terminates
    goals = np.zeros((3, 2), np.float32)
    _, ends = reward(np.float32([[0.0, 0.0], [0.1, 0.0], [0.9, 0.9]]), goals)
    np.testing.assert_array_equal(ends, [1.0, 1.0, 0.0])


@pytest.mark.parametrize("odd", ODD)
def test_what_is_not_a_truth_value_is_refused_by_name(odd):
    with pytest.raises(InputError, match=r"terminated of step is .*; it must be True or False"):
        episode_of(answering(lambda truth: odd))


@pytest.mark.parametrize("name", ["success_terminates", "reward_range", "reward_info_keys"])
def test_an_attribute_that_is_none_declares_nothing(name):
    declared, plain = (GoalSpec.from_env(answering(bool, **some)) for some in ({name: None}, {}))
    assert declared == plain
    assert plain.terminates


@pytest.mark.parametrize(
    ("name", "value"), [("success_terminates", "no"), ("reward_range", 1), ("reward_info_keys", 1)]
)
def test_an_attribute_of_another_kind_is_refused_by_name(name, value):
    with pytest.raises(InputError, match=f"attribute {name} ") as refused:
        GoalSpec.from_env(answering(bool, **{name: value}))
    assert is_one_line(str(refused.value))


def test_what_step_pays_besides_does_not_hide_that_the_goal_was_reached():
    episode = episode_of(make_env(Priced, max_episode_steps=40))
    assert episode.rewards[episode.is_success][0] < 0.0
    assert episode.success


class Misshapen(PointReach):
    """One more number than the space promises, from the third step on."""

    steps = 0

    def step(self, action):
        observation, *rest = super().step(action)
        self.steps += 1
        if self.steps > 2:
            observation["observation"] = np.zeros(3)
        return observation, *rest


class Quits(PointReach):
    """Ends Python, as a simulator does that has lost its window."""

    def step(self, action):
        raise SystemExit("no window")


def test_an_observation_of_another_width_fails_an_episode_and_blames_no_policy():
    with pytest.raises(EpisodeError, match=r"observation has shape \(3,\) instead of \(2,\)"):
        run_episode(
            make_env(Misshapen, max_episode_steps=40), EpisodeJob(point_policy(), 0, "test", 0)
        )


def test_an_environment_that_ends_python_fails_an_episode():
    source = env_source(Quits, {"max_episode_steps": 40})
    with make_executor(source, 0) as executor:
        (pending,) = executor.submit([EpisodeJob(point_expert, 0, "test", 0)])
        with pytest.raises(EpisodeError, match="SystemExit: no window"):
            pending.result()


def test_an_environment_that_cannot_be_built_again_ends_a_run_in_words():
    built = []

    def build():
        built.append(Quits())
        if len(built) > 2:
            raise RuntimeError("no licence")
        return built[-1]

    with make_executor(env_source(build, {"max_episode_steps": 40}), 0) as executor:
        (pending,) = executor.submit([EpisodeJob(point_expert, 0, "test", 0)])
        with pytest.raises(RunError, match=r"cannot be built again: RuntimeError: no licence"):
            pending.result()
