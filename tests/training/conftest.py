"""Demonstrations that several tests of training start from."""

import pytest
from builders import point_expert
from small_runs import POINT

from headstart.demos.record import collect_demos


@pytest.fixture(scope="module")
def point_demos():
    return collect_demos(POINT, point_expert, episodes=5)
