"""Demonstrations for the tests of the buffer of Stable-Baselines3."""

import pytest
from builders import point_expert

import headstart as hs

pytest.register_assert_rewrite("sb3_models")


@pytest.fixture(scope="module")
def demos():
    return hs.collect_demos("PointReach-v0", point_expert, episodes=20)
