"""Whether a goal strategy is the one that a run began with."""

import functools
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from small_runs import POINT, SMALL

from headstart.data.strategies import PreferMoved, final, future
from headstart.errors import InputError
from headstart.runs.identity import content_of
from headstart.runs.resume import resume
from headstart.runs.train import train


def later(rows, rng, *, by=1):
    return rows.achieved_at(rows.row + np.minimum(by, rows.steps_left))


def capture_in(by):
    def strategy(rows, rng):
        return later(rows, rng, by=by)

    return strategy


class Later:
    def __init__(self, by, shares=()):
        self.by, self.shares = by, np.array(shares)

    def __call__(self, rows, rng):
        return later(rows, rng, by=self.by)

    def bound(self, rows, rng):
        return self(rows, rng)


STRATEGIES = {
    "a function": lambda: future,
    "another": lambda: final,
    "own function": lambda: later,
    "a partial": lambda: functools.partial(later, by=1),
    "a partial of another number": lambda: functools.partial(later, by=2),
    "captured": lambda: capture_in(1),
    "another captured": lambda: capture_in(2),
    "an object": lambda: Later(1),
    "another object": lambda: Later(2),
    "an array": lambda: Later(1, [0.5, 0.5]),
    "another array": lambda: Later(1, [0.25, 0.75]),
    "a method": lambda: Later(1).bound,
    "a method of another object": lambda: Later(2).bound,
    "a dataclass": lambda: PreferMoved(future, share=0.9, distance=0.01),
    "a dataclass of other fields": lambda: PreferMoved(future, share=0.1, distance=0.5),
    "a dataclass of another function": lambda: PreferMoved(final, share=0.9, distance=0.01),
    "a lambda": lambda: lambda rows, rng: rows.row + 1,
    "another lambda": lambda: lambda rows, rng: rows.row + rows.steps_left,
}


def test_the_content_is_the_same_each_time_and_distinguishes_all():
    contents = {name: content_of(make()) for name, make in STRATEGIES.items()}
    assert contents == {name: content_of(make()) for name, make in STRATEGIES.items()}
    assert len(set(contents.values())) == len(STRATEGIES)
    assert content_of(None) is None


def test_the_content_does_not_depend_on_the_process_comments_or_place(tmp_path):
    source = "def strategy(rows, rng):\n    return rows.row + 1\n"
    moved = "# Moved down.\n\n" + source.replace("    return", "    # Next.\n    return")
    changed = source.replace("1", "2")
    contents = []
    for name, text in {"one": source, "two": moved, "three": changed}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine.py").write_text(text)
        program = (
            "import mine; from headstart.runs.identity import content_of; "
            "print(content_of(mine.strategy))"
        )
        path = {"PYTHONPATH": os.pathsep.join([str(tmp_path / name), *sys.path])}
        ran = subprocess.run([sys.executable, "-c", program], env=path, stdout=subprocess.PIPE)
        contents.append(ran.stdout)
    one, two, three = contents
    assert len(one) == 65
    assert one == two != three


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    path = tmp_path_factory.mktemp("identity") / "run"
    train(POINT, SHORT, out=path, goal_strategy=PreferMoved(future, share=0.9, distance=0.01))
    return path


SHORT = replace(SMALL, env_steps=120)


def test_a_run_continues_with_the_strategy_that_it_began_with(run):
    same = PreferMoved(future, share=0.9, distance=0.01)
    assert resume(run, goal_strategy=same).progress.env_steps == 120


@pytest.mark.parametrize("other", [(future, 0.1, 0.01), (future, 0.9, 0.5), (final, 0.9, 0.01)])
def test_a_strategy_of_another_content_is_refused_in_one_line(run, other):
    strategy, share, distance = other
    with pytest.raises(InputError, match=r"PreferMoved is not what it was.*its fields") as caught:
        resume(run, goal_strategy=PreferMoved(strategy, share=share, distance=distance))
    assert "\n" not in str(caught.value)
