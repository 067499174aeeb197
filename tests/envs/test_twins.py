"""Whether an environment that is built again is the one at hand."""

from functools import partial

import numpy as np
import pytest
from envs.passed import Sized
from gymnasium.wrappers import TimeLimit, TransformReward

from headstart.envs.twins import is_same


class Nested(Sized):
    def __init__(self, sizes):
        super().__init__()
        self.sizes, self.array, self.table = sizes, np.array([sizes]), {"sizes": list(sizes)}
        self.act = lambda: None


class Noisy(Sized):
    """Draws from where no seed reaches."""

    _noise = np.random.default_rng(0)

    def step(self, action):
        observation, reward, *rest = super().step(action)
        observation["observation"] += self._noise.standard_normal(2).astype(np.float32)
        return observation, reward, *rest


class Failing(Sized):
    def __init__(self, fails):
        super().__init__()
        self._fails = [fails]

    def step(self, action):
        if self._fails[0]:
            raise OSError("the sensor does not answer")
        return super().step(action)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (Sized, Sized, True),
        (Sized, partial(Sized, 0.4), False),
        (partial(Nested, (1, 2)), partial(Nested, (1, 2)), True),
        (partial(Nested, (1, 2)), partial(Nested, (1, 3)), False),
        (lambda: TimeLimit(Sized(), 5), lambda: TimeLimit(Sized(), 5), True),
        (lambda: TimeLimit(Sized(), 5), lambda: TimeLimit(Sized(), 6), False),
        (lambda: TimeLimit(Sized(), 30), lambda: TimeLimit(Sized(), 31), False),
        (Sized, lambda: TransformReward(Sized(), lambda reward: 2 * reward), False),
        (Noisy, Noisy, True),
        (Noisy, partial(Noisy, 0.4), False),
        (partial(Failing, True), partial(Failing, True), True),
        (partial(Failing, False), partial(Failing, True), False),
    ],
)
def test_the_same_spaces_course_and_lasting_attributes_make_it_the_same(first, second, same):
    assert is_same(first(), second) is same


def test_what_was_run_before_does_not_matter():
    env = Sized()
    for seed in range(3):
        env.reset(seed=seed)
        env.step(np.ones(2, np.float32))
    assert is_same(env, Sized)
    env.size = 0.6
    assert not is_same(env, Sized)
