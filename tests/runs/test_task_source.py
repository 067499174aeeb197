"""Training episodes that the caller chooses, and frontiers in demonstrations."""

import json
from dataclasses import replace

import numpy as np
import pytest
from builders import is_one_line
from cut_runs import BASE, Cut, PowerCut
from small_runs import POINT, SMALL, Noted, weights_of

from headstart.demos.resets import DemoFrontier
from headstart.errors import InputError
from headstart.rollout.task_source import EpisodeTask, Start, TaskSource
from headstart.runs.resume import resume
from headstart.runs.train import train
from headstart.training.config import ResetsConfig

CONFIG = replace(BASE, env_steps=240, evaluation=replace(BASE.evaluation, every=200))


class Growing(TaskSource):
    """Goals about the middle, farther away with every episode, and most so with successes.

    It draws from a stream of its own too, which a function of the arguments alone could not.
    """

    def __init__(self, width=0.1):
        self.kept = {"width": width}
        self.rng = np.random.default_rng(1)

    @property
    def width(self):
        return self.kept["width"]

    def task(self, index, env_steps, rng):
        angle = rng.uniform(0, 7) + self.rng.uniform()
        return EpisodeTask(
            goal=self.width * np.array([np.cos(angle), np.sin(angle)]),
            env_kwargs={"max_episode_steps": 14 + index % 2},
            reset_options={"position": [0.1 * (index % 5), rng.uniform()]},
            max_steps=15 if env_steps < 100 else 12,
            label=self.width,
        )

    def observe(self, task, episode):
        assert task.label <= self.width
        self.kept["width"] = min(0.9, self.width * (1.2 if episode.success else 1.05))

    def state(self):
        self.kept["rng"] = self.rng.bit_generator.state
        return self.kept

    def restore(self, state):
        self.kept, self.rng.bit_generator.state = state, state["rng"]


def near(index, env_steps, rng):
    return EpisodeTask(goal=rng.uniform(-0.2, 0.2, 2))


def rows_of(run):
    lines = (run / "metrics.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    return [{name: it for name, it in row.items() if "seconds" not in name} for row in rows]


@pytest.mark.slow
@pytest.mark.usefixtures("forked_collectors")
@pytest.mark.parametrize("ahead", [True, False])
def test_a_curriculum_is_the_same_with_collectors_and_after_every_cut(tmp_path, ahead):
    config = replace(CONFIG, cycle=replace(CONFIG.cycle, ahead=ahead))
    source = Growing()
    whole = train(POINT, config, task_source=source, out=tmp_path / "whole")
    assert source.width == 0.1  # The run used a copy.
    beside = train(POINT, config, task_source=source, collectors=2)
    cut = tmp_path / "cut"
    with pytest.raises(PowerCut):
        train(POINT, config, task_source=source, out=cut, observers=[Cut(2)])
    for collectors, after in ((1, 5), (0, 3)):
        with pytest.raises(PowerCut):
            resume(cut, task_source=Growing(), collectors=collectors, observers=[Cut(after)])
    resumed = resume(cut, task_source=Growing())
    for other in (beside, resumed):
        np.testing.assert_array_equal(weights_of(other.policy), weights_of(whole.policy))
    assert rows_of(cut) == rows_of(tmp_path / "whole")


def test_episodes_are_what_the_source_says_and_evaluations_are_not():
    with Noted(POINT) as executor:
        train(POINT, CONFIG, task_source=Growing(), executor=executor)
        jobs = [job for job in executor.jobs if job.stream == "rollout"]
        episodes = [pending.result() for pending in executor.submit(jobs)]
        own = [job.task for job in executor.jobs if job.stream == "validation"]
    distances = [float(np.linalg.norm(job.task.goal)) for job in jobs]
    assert (np.diff(distances) > -1e-6).all()
    assert distances[0] < 0.11 < 0.13 < distances[-1]
    for job, episode in zip(jobs, episodes, strict=True):
        assert (episode.desired_goals == job.task.goal).all()
        np.testing.assert_allclose(
            episode.observations[0], job.task.reset_options["position"], rtol=1e-6
        )
        limit = job.task.env_kwargs["max_episode_steps"]
        assert len(episode) == min(limit, job.task.max_steps)
    assert {len(episode) for episode in episodes} == {12, 14, 15}
    assert own
    assert all(task.goal is None and not task.env_kwargs for task in own)


def test_another_source_is_refused_on_resume(tmp_path):
    run = tmp_path / "run"
    with pytest.raises(PowerCut):
        train(POINT, CONFIG, task_source=Growing(), out=run, observers=[Cut(4)])
    for given, expected in (
        (None, r"the run takes its tasks from .*Growing, not from none: resume\(DIR, task_source="),
        (near, "takes its tasks from .*Growing, not from .*near"),
        (Growing(0.2), "task_source .*Growing is not what it was when the run began"),
    ):
        with pytest.raises(InputError, match=expected) as caught:
            resume(run, task_source=given)
        assert is_one_line(str(caught.value))


class Unsayable(Growing):
    def state(self):
        return {"width": np.float32(0.5)}


class Uncopied(Growing):
    def __deepcopy__(self, memo):
        raise TypeError("a camera")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (Growing, "task_source must be a TaskSource, or a function of"),
        ("near", "task_source must be a TaskSource, or a function of"),
        (Uncopied(), "task_source cannot be copied: TypeError: a camera"),
        (lambda index, env_steps, rng: None, "<lambda>: a task must be an EpisodeTask, got None"),
        (lambda *_: EpisodeTask(goal=[0.1]), "<lambda>: the goal of a task must have 2 numbers"),
        (lambda *_: EpisodeTask(max_steps=0), "max_steps of a task must be an integer from 1 on"),
        (lambda *_: EpisodeTask(env_kwargs={"size": [1]}), "must be numbers or text by name"),
        (lambda *_: EpisodeTask(reset_options=[1]), "reset_options of a task must be a dict"),
        (
            lambda *_: EpisodeTask(reset_options={"at": np.zeros(2)}),
            "reset_options of a task must be plain JSON values .* got ndarray",
        ),
        (Unsayable(), r"Unsayable: state\(\) must return plain JSON values .* got float32"),
    ],
)
def test_what_is_not_a_source_of_tasks_is_refused_in_one_line(source, expected):
    with pytest.raises(InputError, match=expected) as caught:
        train(POINT, SMALL, task_source=source)
    assert is_one_line(str(caught.value))


def test_arguments_that_change_the_spaces_are_refused():
    def more_bits(index, env_steps, rng):
        return EpisodeTask(env_kwargs={"num_bits": 9})

    with pytest.raises(InputError, match="num_bits=9: env_kwargs of a task give it other spaces"):
        train("BitFlip-v0", SMALL, task_source=more_bits)


def test_a_source_besides_resets_is_refused(point_demos):
    config = replace(SMALL, resets=ResetsConfig(probability=0.5))
    with pytest.raises(InputError, match="must be 0 with a task_source, got 0"):
        train(POINT, config, demos=point_demos, task_source=near)
    with pytest.raises(InputError, match="a task has a goal, or a start with its goal, got both"):
        EpisodeTask(goal=[0, 0], start=Start.of(point_demos.episodes[0], 0))


def visit(frontier, count, *, success):
    """Let a frontier see so many of its tasks end so; return their demonstrations and steps."""
    labels = []
    for index in range(count):
        task = frontier.task(index, 0, np.random.default_rng(index))
        labels.append(task.label)
        if task.label is not None:
            number, step = task.label
            demo = frontier.demos[number]
            np.testing.assert_array_equal(task.start.snapshot, demo.snapshots[step])
            assert task.max_steps == len(demo) - step + 16
            ends = np.full(len(demo), success)
            frontier.observe(task, replace(demo, is_success=ends))
    return labels


def test_a_frontier_moves_back_only_where_episodes_from_it_succeed(point_demos):
    demos = point_demos.episodes[:3]
    lengths = [len(demo) for demo in demos]
    frontier = DemoFrontier(demos, 1.0, "achieved")
    visit(frontier, 60, success=False)
    assert frontier.steps == [length - 1 for length in lengths]
    labels = visit(frontier, 400, success=True)
    first = [next(step for number, step in labels if number == it) for it in range(3)]
    assert first == [length - 1 for length in lengths]
    assert frontier.is_over
    assert frontier.task(0, 0, np.random.default_rng(0)).start is None


def test_a_frontier_continues_where_it_stood_and_refuses_others(point_demos):
    one, other = (DemoFrontier(point_demos.episodes[:3], 0.8, "desired") for _ in range(2))
    visit(one, 40, success=True)
    other.restore(json.loads(json.dumps(one.state())))
    assert visit(one, 40, success=True) == visit(other, 40, success=True)
    for state in (None, {}, {"steps": [1, 2], "successes": [0, 0]}, {"steps": [0, 0, 99]}):
        with pytest.raises(ValueError, match=r"frontiers|tasks"):
            other.restore(state)
    assert other.state() == one.state()
