"""Resets to demonstration states."""

from dataclasses import replace

import numpy as np
import pytest
from builders import is_one_line, point_expert

from headstart.demos.record import collect_demos
from headstart.demos.resets import DemoResets, check_resets
from headstart.demos.storage import DemoSet
from headstart.envs.make import make_env
from headstart.errors import InputError
from headstart.rollout.executors import ProcessExecutor, SerialExecutor
from headstart.rollout.job import Constant, EpisodeJob, run_episode
from headstart.seeding import generator

POINT = "PointReach-v0"


@pytest.fixture(scope="module")
def demos():
    return collect_demos(POINT, point_expert, episodes=4).episodes


def task_of(resets, index, seed=0):
    return resets.task(index, 0, generator(seed, "resets", index))


def starts(resets, count, seed=0):
    return [task_of(resets, index, seed).start for index in range(count)]


def place_of(start, demos):
    """Demonstration and step that a start comes from."""
    for number, demo in enumerate(demos):
        found = np.flatnonzero((demo.snapshots[:-1] == start.snapshot).all(axis=1))
        if len(found):
            return number, found
    raise AssertionError("the start comes from no demonstration")


@pytest.mark.parametrize("probability", [0.0, 0.1, 0.7, 1.0])
def test_as_many_episodes_start_so_as_the_probability_says(demos, probability):
    drawn = starts(DemoResets(demos, probability, "achieved"), 2000, seed=1)
    count = sum(start is not None for start in drawn)
    deviation = np.sqrt(2000 * probability * (1 - probability))
    assert abs(count - 2000 * probability) <= 5 * deviation


def test_every_state_of_every_demonstration_is_as_likely():
    # States that differ, so that each start shows where it comes from.
    rng = np.random.default_rng(0)
    demos = [
        replace(demo, snapshots=rng.standard_normal((len(demo) + 1, 4)))
        for demo in collect_demos(POINT, point_expert, episodes=3).episodes
    ]
    counts = np.zeros((3, len(demos[0])))
    for start in starts(DemoResets(demos, 1.0, "achieved"), 9000):
        number, steps = place_of(start, demos)
        counts[number, steps[0]] += 1
    expected = 9000 / counts.size
    assert np.abs(counts - expected).max() < 5 * np.sqrt(expected)


@pytest.mark.parametrize("goal", ["achieved", "desired"])
def test_a_start_is_a_state_of_a_demonstration_with_the_goal_asked_for(demos, goal):
    for start in starts(DemoResets(demos, 1.0, goal), 50):
        number, steps = place_of(start, demos)
        demo = demos[number]
        np.testing.assert_array_equal(start.observation, demo.observations[steps[0]])
        np.testing.assert_array_equal(start.achieved_goal, demo.achieved_goals[steps[0]])
        expected = demo.achieved_goals[-1] if goal == "achieved" else demo.desired_goals[0]
        np.testing.assert_array_equal(start.desired_goal, expected)


def test_where_an_episode_starts_depends_on_seed_and_number_alone(demos):
    def key(start):
        return None if start is None else start.snapshot.tobytes()

    resets = DemoResets(demos, 0.5, "achieved")
    forwards = [key(start) for start in starts(resets, 40)]
    backwards = [key(task_of(resets, index).start) for index in reversed(range(40))]
    assert forwards == backwards[::-1]
    assert forwards != [key(start) for start in starts(resets, 40, seed=4)]


def test_an_episode_continues_from_its_start_for_its_goal(demos):
    resets = DemoResets(demos, 1.0, "achieved")
    for index in range(5):
        task = task_of(resets, index)
        start = task.start
        episode = run_episode(make_env(POINT), EpisodeJob(point_expert, 0, "x", index, task=task))
        np.testing.assert_array_equal(episode.observations[0], start.observation)
        assert (episode.desired_goals == start.desired_goal).all()
        assert np.abs(np.diff(episode.observations, axis=0)).max() <= 0.1 + 1e-6
        assert episode.success
        assert len(episode) == 30  # the time limit starts again


@pytest.mark.usefixtures("forked_collectors")
def test_collector_processes_start_where_this_process_does():
    env_id = "FetchReach-v4,max_episode_steps=10"
    still = np.zeros(4, np.float32)
    demos = collect_demos(
        env_id, lambda observation: still, episodes=2, keep_failures=True
    ).episodes
    resets = DemoResets(demos, 1.0, "desired")
    jobs = [EpisodeJob(Constant(still), 0, "x", i, task=task_of(resets, i)) for i in range(4)]
    with SerialExecutor(env_id) as here, ProcessExecutor(env_id, 2) as beside:
        one = [pending.result() for pending in here.submit(jobs)]
        two = [pending.result() for pending in beside.submit(jobs)]
    assert one == two


def test_demonstrations_without_snapshots_are_refused(demos):
    bare = replace(demos[1], snapshots=np.zeros((len(demos[1]) + 1, 0)))
    with pytest.raises(InputError, match="1 of 4 demonstrations hold no snapshots") as caught:
        check_resets(make_env(POINT), DemoSet(POINT, (demos[0], bare, *demos[2:])))
    assert is_one_line(str(caught.value))
    assert "headstart demos collect" in str(caught.value)


def test_snapshots_of_another_width_are_refused(demos):
    env = make_env(POINT)
    check_resets(env, DemoSet(POINT, demos))
    width = demos[0].snapshots.shape[1]
    narrow = replace(demos[1], snapshots=demos[1].snapshots[:, :-1])
    expected = f"hold snapshots of {width - 1} numbers, a state of PointReach-v0 has {width}"
    with pytest.raises(InputError, match=expected) as caught:
        check_resets(env, DemoSet(POINT, (demos[0], narrow, *demos[2:])))
    assert is_one_line(str(caught.value))


def test_snapshots_that_lead_elsewhere_are_refused(demos):
    moved = replace(demos[2], snapshots=demos[2].snapshots + 0.1)
    changed = DemoSet(POINT, (*demos[:2], moved))
    with pytest.raises(InputError, match="demonstration 2 leads elsewhere") as caught:
        check_resets(make_env(POINT), changed)
    assert is_one_line(str(caught.value))
    # With noise the actions of the file are not those that were executed.
    check_resets(make_env(POINT), replace(changed, header={"noise": 0.2}))
