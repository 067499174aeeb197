"""Demonstrations from nothing: on blocks without a simulator, and on a Fetch task."""

import logging

import numpy as np
import pytest
from builders import is_one_line
from carrying import STEP, Carrying, layout

from headstart import InputError, find_demos, load_policy, resume, save_demos, train
from headstart.demos.expansion.cost import cost_of, is_found
from headstart.demos.expansion.rounds import Tally, stick_to_good
from headstart.demos.finding import find
from headstart.demos.finding.find import NothingFoundError

STEPS = {"max_episode_steps": 60}
SHORT = {
    "env_steps": 300,
    "batch_size": 32,
    "agent.hidden_sizes": (16, 16),
    "warm_start.bc_updates": 20,
    "warm_start.episodes": 2,
    "warm_start.critic_updates": 5,
    "evaluation.episodes": 2,
    "demos.other_goals": False,
}


class Handy(Carrying):
    """Its fingers need not close in the middle of a block."""

    reach = 0.04


class Forgotten(Handy):
    """Its states are not restored."""

    save_state = restore_state = None


class Lagging(Handy):
    """Its hand is drawn slowly after what is asked of it."""

    def __init__(self):
        super().__init__()
        self.state_layout = layout(1, hand_steps=(STEP / 4,) * 3, hand_lag=3.0)

    def reset(self, *, seed=None, options=None):
        self.pace = np.zeros(3)
        return super().reset(seed=seed, options=options)

    def step(self, action):
        self.pace = 0.75 * self.pace + 0.25 * np.clip(action[:3], -1.0, 1.0)
        return super().step([*(self.pace / 4), action[3]])

    def save_state(self):
        return np.concatenate([self.pace, super().save_state()])

    def restore_state(self, state, desired_goal=None):
        self.pace = np.array(state[:3])
        super().restore_state(state[3:], desired_goal)


class Reaching(Carrying):
    """Its goals are places of the hand."""

    def step(self, action):
        observation, *_ = super().step(action)
        success = bool(self._reached(observation["achieved_goal"], self.goal.ravel()))
        return observation, float(success) - 1.0, False, False, {"is_success": success}

    def _observe(self):
        observation = super()._observe()
        return {**observation, "achieved_goal": observation["observation"][:3].copy()}


class Crawling(Reaching):
    """A hand of a quarter of the pace, whose goals are more than ten steps away."""

    def __init__(self):
        super().__init__()
        self.state_layout = layout(1, hand_steps=(STEP / 4,) * 3)

    def step(self, action):
        return super().step([*(np.asarray(action[:3]) / 4), action[3]])


class Bolted(Carrying):
    """Its block is never held."""

    def __init__(self):
        super().__init__(slips=1.0)


@pytest.fixture
def few_attempts(monkeypatch):
    monkeypatch.setattr(find, "_MOST_ATTEMPTS", 8)


def found(env=Handy, *, episodes=6, **options):
    return find_demos(env, env_kwargs=STEPS, episodes=episodes, **options)


def test_a_hand_that_lags_is_waited_for():
    found = find_demos(Lagging, env_kwargs={"max_episode_steps": 240}, episodes=4)
    assert found.success_rate == 1.0
    assert cost_of(found.header).attempts < 50


def test_a_hand_that_is_to_be_somewhere_goes_there():
    demos = found(Reaching)
    assert demos.success_rate == 1.0
    assert cost_of(demos.header).attempts == len(demos.episodes)
    assert len({episode.desired_goals[0].tobytes() for episode in demos.episodes}) == 6


def test_what_was_lifted_by_chance_is_done_on_purpose():
    demos = found(episodes=12)
    assert len(demos.episodes) == 12
    assert demos.success_rate == 1.0
    assert len({episode.desired_goals[0].tobytes() for episode in demos.episodes}) == 12
    assert is_found(demos.header)


def test_every_step_of_the_search_counts():
    demos = found()
    cost = cost_of(demos.header)
    assert cost.kept == 6
    tried = sum(source["attempts"] for source in demos.header["expansion"]["sources"])
    # Those that searched come on top of those that repeated.
    assert cost.attempts > tried >= 6
    assert cost.env_steps > demos.num_transitions


@pytest.mark.slow
def test_the_seed_decides_and_not_restored_states_alone():
    assert found(seed=3) == found(seed=3)
    assert found(seed=3).episodes != found(seed=4).episodes
    assert cost_of(found(Forgotten, seed=3).header).branch_steps == 0


@pytest.mark.slow
@pytest.mark.usefixtures("forked_collectors")
def test_collectors_find_the_same(tmp_path):
    contents = []
    for collectors in (0, 2):
        path = tmp_path / f"{collectors}.npz"
        save_demos(path, found(collectors=collectors))
        contents.append(path.read_bytes())
    assert contents[0] == contents[1]


@pytest.mark.parametrize(
    ("env", "kwargs", "reason"),
    [
        (Carrying, {"blocks": 2}, "a goal is 2 places"),
        ("PointMaze_UMaze-v3", {"max_episode_steps": 300}, "nothing is declared about its hand"),
    ],
)
def test_a_task_without_one_object_to_move_is_refused(env, kwargs, reason):
    with pytest.raises(InputError, match=reason) as caught:
        find_demos(env, env_kwargs={**STEPS, **kwargs})
    assert is_one_line(str(caught.value))


@pytest.mark.usefixtures("few_attempts")
def test_a_search_in_vain_says_what_it_has_cost():
    with pytest.raises(NothingFoundError, match="no random action") as caught:
        found(Bolted)
    assert is_one_line(str(caught.value))
    assert caught.value.env_steps > 0


def test_a_source_is_kept_to_as_long_as_it_is_good():
    assert stick_to_good([Tally(), Tally()], 3) == [0, 0, 0]
    assert stick_to_good([Tally(16, 14), Tally()], 2) == [0, 0]
    assert stick_to_good([Tally(16, 2), Tally()], 2) == [1, 1]
    assert stick_to_good([Tally(16, 2), Tally(16, 4)], 1) == [1]


@pytest.mark.slow
def test_a_run_without_demonstrations_finds_some(tmp_path, caplog):
    caplog.set_level(logging.INFO, "headstart")
    config = {**SHORT, "demos.find": 5}
    result = train(Handy, config, env_kwargs=STEPS, out=tmp_path / "run")
    assert "5 demonstrations made from nothing" in caplog.text
    assert result.progress.expansion_env_steps > 0
    longer = resume(tmp_path / "run", {"env_steps": 420}, env=Handy, env_kwargs=STEPS)
    assert longer.progress.expansion_env_steps == result.progress.expansion_env_steps
    whole = train(Handy, {**config, "env_steps": 420}, env_kwargs=STEPS, out=tmp_path / "whole")
    assert longer.progress.env_steps == whole.progress.env_steps
    final = [load_policy(tmp_path / name) for name in ("run", "whole")]
    np.testing.assert_array_equal(final[0].layers[0][0], final[1].layers[0][0])


@pytest.mark.slow
@pytest.mark.parametrize(("env", "finds"), [(Crawling, True), (Reaching, False)])
def test_a_way_is_shown_where_goals_are_far(env, finds, caplog):
    caplog.set_level(logging.INFO, "headstart")
    train(env, SHORT, env_kwargs=STEPS)
    assert ("demonstrations made from nothing" in caplog.text) is finds


@pytest.mark.slow
def test_a_job_that_is_started_again_continues(tmp_path):
    config = {**SHORT, "demos.find": 5}
    options = {"env_kwargs": STEPS, "out": tmp_path / "run", "resume": "auto"}
    first = train(Handy, config, **options)
    again = train(Handy, config, **options)
    assert again.progress.env_steps == first.progress.env_steps


@pytest.mark.slow
@pytest.mark.usefixtures("few_attempts")
def test_a_search_in_vain_leaves_a_run_without_demonstrations(tmp_path, caplog):
    caplog.set_level(logging.INFO, "headstart")
    result = train(Bolted, SHORT, env_kwargs=STEPS, out=tmp_path / "run")
    assert "learning without demonstrations" in caplog.text
    spent = result.progress.expansion_env_steps
    assert spent > 0
    longer = resume(tmp_path / "run", {"env_steps": 420}, env=Bolted, env_kwargs=STEPS)
    assert longer.progress.expansion_env_steps == spent
    with pytest.raises(NothingFoundError):
        train(Bolted, {**SHORT, "demos.find": 5}, env_kwargs=STEPS)


def test_the_published_presets_and_zero_find_nothing():
    nothing = train(Handy, {**SHORT, "demos.find": 0}, env_kwargs=STEPS)
    assert nothing.progress.expansion_env_steps == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("env", "kind"), [("FetchPickAndPlace-v4", "lift"), ("FetchPush-v4", "push")]
)
def test_fetch_tasks_are_detected(env, kind, caplog):
    caplog.set_level(logging.INFO, "headstart")
    demos = find_demos(env, episodes=3)
    assert demos.success_rate == 1.0
    assert f"{kind}ed the object" in caplog.text
