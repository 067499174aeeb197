"""What files of others lack is repaired, and said."""

from dataclasses import replace

import numpy as np
import pytest
from builders import point_expert

from headstart.demos.foreign.importer import EpisodeImporter
from headstart.demos.record import collect_demos
from headstart.demos.recorded import Recorded
from headstart.envs.goal_env import GoalReward
from headstart.envs.make import make_env

REWARD = GoalReward(make_env("PointReach-v0"))
SPEC = REWARD.spec
EPISODE = collect_demos("PointReach-v0", point_expert, episodes=1).episodes[0]
STEPS = len(EPISODE)
FAR = EPISODE.desired_goals[0] + 10.0


def record_rows(goals=None, success=None, **changes):
    """The episode as a file has it, with a goal for each state."""
    goal = EPISODE.desired_goals[:1]
    arrays = {
        "observations": EPISODE.observations,
        "achieved_goals": EPISODE.achieved_goals,
        "desired_goals": np.repeat(goal, STEPS + 1, axis=0) if goals is None else goals,
        "actions": EPISODE.actions,
        "success": np.full(STEPS, np.nan) if success is None else success,
        "reward_infos": np.zeros((STEPS, 0)),
        **changes,
    }
    return Recorded(**arrays)


def import_demos(*episodes, spec=SPEC, reward=REWARD):
    importer = EpisodeImporter(spec, reward)
    for episode in episodes:
        importer.add(episode)
    return importer.demos("theirs", "test")


def goals_from(step, goal=FAR):
    """The episode's goal, and another one from a state on."""
    goals = np.repeat(EPISODE.desired_goals[:1], STEPS + 1, axis=0)
    goals[step:] = goal
    return goals


def lengths(demos):
    return [len(episode) for episode in demos.episodes]


def test_a_whole_episode_stays_what_it_was():
    for success in (None, EPISODE.is_success):
        demos = import_demos(record_rows(success=success), spec=replace(SPEC, terminates=False))
        assert demos.episodes == (
            replace(EPISODE, rewards=np.zeros(0), snapshots=np.zeros((31, 0))),
        )
    assert demos.header["remarks"] == ["1 of 1 episodes succeed at their last step."]


def test_episodes_without_their_last_state_keep_the_others():
    short = record_rows(
        observations=EPISODE.observations[:-1],
        achieved_goals=EPISODE.achieved_goals[:-1],
        desired_goals=goals_from(STEPS + 1)[:-1],
    )
    demos = import_demos(record_rows(), short)
    assert lengths(demos) == [STEPS, STEPS - 1]
    np.testing.assert_array_equal(demos.episodes[1].actions, EPISODE.actions[:-1])
    np.testing.assert_array_equal(demos.episodes[1].observations, EPISODE.observations[:-1])
    printed = "1 of 2 episodes lack the state after their last action, which is left out."
    assert printed in demos.header["remarks"]


def test_a_goal_that_moves_makes_one_episode_for_each_goal():
    demos = import_demos(record_rows(), record_rows(goals_from(10)))
    # The step between the goals does not end at the first one.
    assert lengths(demos) == [STEPS, 9, STEPS - 10]
    _, first, second = demos.episodes
    np.testing.assert_array_equal(first.actions, EPISODE.actions[:9])
    np.testing.assert_array_equal(first.desired_goals, EPISODE.desired_goals[:9])
    np.testing.assert_array_equal(second.actions, EPISODE.actions[10:])
    np.testing.assert_array_equal(second.achieved_goals, EPISODE.achieved_goals[10:])
    assert (second.desired_goals == FAR).all()
    printed = (
        "The goal changes within 1 of 2 episodes: they are cut into 2 parts with one goal each."
    )
    assert printed in demos.header["remarks"]


def test_a_goal_that_moves_once_it_is_reached_leaves_the_step_that_reached_it():
    demos = import_demos(record_rows(goals_from(REACHED)))
    assert lengths(demos) == [REACHED, STEPS - REACHED]
    assert demos.episodes[0].success
    # Given for each step, goals leave no doubt.
    demos = import_demos(record_rows(goals_from(10)[:-1]))
    assert lengths(demos) == [10, STEPS - 10]


def test_a_goal_that_moves_at_every_step_leaves_nothing():
    moving = np.arange(2.0 * STEPS + 2).reshape(-1, 2) + 10.0
    demos = import_demos(record_rows(), record_rows(moving))
    assert lengths(demos) == [STEPS]
    printed = "1 of 2 episodes have no step that keeps its goal and are left out."
    assert printed in demos.header["remarks"]
    with pytest.raises(ValueError, match="no episode of it has a step that keeps its goal"):
        import_demos(record_rows(moving))


def test_the_first_state_of_the_next_episode_is_left_out():
    after_reset = record_rows(goals_from(STEPS), achieved_goals=np.concatenate(
        [EPISODE.achieved_goals[:-1], EPISODE.achieved_goals[:1]]))  # fmt: skip
    demos = import_demos(after_reset)
    assert lengths(demos) == [STEPS - 1]
    printed = (
        "1 of 1 episodes end in a state with another goal, as a reset leaves it: their last step"
    )
    assert f"{printed} is left out." in demos.header["remarks"]
    # At the goal it is the end of this one.
    assert lengths(import_demos(record_rows(goals_from(STEPS)))) == [STEPS]


def test_a_goal_that_is_stale_in_the_first_state_is_corrected():
    goals = goals_from(STEPS + 1)
    goals[0] = FAR
    demos = import_demos(record_rows(goals))
    np.testing.assert_array_equal(demos.episodes[0].desired_goals, EPISODE.desired_goals)
    printed = "1 of 1 episodes had another goal in their first state, which is corrected."
    assert printed in demos.header["remarks"]


REACHED = int(np.argmax(EPISODE.is_success)) + 1


def until(kept):
    """The first steps of the episode, as a file has them."""
    whole, states = record_rows(), ("observations", "achieved_goals", "desired_goals")
    cut = {name: getattr(whole, name)[: kept + 1] for name in states}
    cut |= {name: getattr(whole, name)[:kept] for name in ("actions", "success", "reward_infos")}
    return Recorded(**cut)


@pytest.mark.parametrize(
    ("terminates", "kept", "expected"),
    [(True, REACHED, True), (False, REACHED, False), (None, REACHED, False), (None, STEPS, False)],
)
def test_that_success_ended_an_episode_must_be_known(terminates, kept, expected):
    """Who recorded may have stopped at the first success of a task that continues."""
    demos = import_demos(until(kept), spec=replace(SPEC, terminates=terminates))
    assert demos.episodes[0].terminated.tolist() == [False] * (kept - 1) + [expected]


def test_what_continues_at_its_goal_is_cut_where_the_environment_ends_it():
    spec = replace(SPEC, terminates=True)
    demos = import_demos(record_rows(), until(REACHED), spec=spec)
    assert lengths(demos) == [REACHED, REACHED]
    assert demos.episodes[0] == demos.episodes[1]
    printed = "1 of 2 episodes continue after reaching their goal, which ends an episode of"
    assert f"{printed} PointReach-v0, and are cut there." in demos.header["remarks"]
    steps = STEPS + REACHED
    unknown = f"{steps} of {steps} steps do not say whether they succeed and are judged"
    assert any(remark.startswith(unknown) for remark in demos.header["remarks"])
    demos.check_fits(spec)
    unknown = import_demos(record_rows(), spec=replace(SPEC, terminates=None))
    assert lengths(unknown) == [STEPS]
    printed = "1 of 1 episodes continue after reaching their goal; if that ends an episode of "
    remedy = "PointReach-v0, --task.success-terminates True cuts them there."
    assert f"{printed}{remedy}" in unknown.header["remarks"]


def test_too_many_episodes_are_refused(monkeypatch):
    monkeypatch.setattr("headstart.demos.foreign.importer.MOST_EPISODES", 3)
    import_demos(*[record_rows()] * 3)
    with pytest.raises(ValueError, match="more than 3 episodes"):
        import_demos(*[record_rows()] * 4)


def test_a_success_that_may_lie_in_a_missing_last_state_is_remarked_on():
    first = int(np.argmax(EPISODE.is_success)) + 1
    short = record_rows(
        observations=EPISODE.observations[:first],
        achieved_goals=EPISODE.achieved_goals[:first],
        desired_goals=np.repeat(EPISODE.desired_goals[:1], first, axis=0),
        actions=EPISODE.actions[:first],
        success=np.full(first, np.nan),
        reward_infos=np.zeros((first, 0)),
    )
    remark = "check that the file is of PointReach-v0, and add the states after the last actions."
    assert f"Without a success, {remark}" in import_demos(short).header["remarks"]
