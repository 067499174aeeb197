from dataclasses import replace

import numpy as np
import pytest

from headstart.data.layout import StateLayout
from headstart.envs.goal_env import GoalSpec
from headstart.web.steer.helm import Helm
from headstart.web.teleop.drive import Drive
from headstart.web.teleop.messages import Stick

HAND = StateLayout(
    positions=(0,), hand=0, hand_actions=(0, 1, 2), hand_steps=(0.03,) * 3, gripper_action=3
)
SPEC = GoalSpec("none", 3, 3, (-1.0,) * 4, (1.0,) * 4, 50, (-1.0, 0.0), False, layout=HAND)
HERE = np.zeros(3, np.float32)
HOLDING = np.array([0.1, 0.2, 0.3, -1.0], np.float32)


@pytest.fixture
def helm():
    return Helm(SPEC)


def test_who_moves_the_controls_steers_and_the_fingers_stay_as_the_policy_has_them(helm):
    np.testing.assert_array_equal(helm.decide(HERE, HOLDING, 0.0), HOLDING)
    assert not helm.is_steering
    helm.hold(Stick(move=(1.0, 0.0, -0.5)), HERE, 0.0)
    np.testing.assert_allclose(helm.decide(HERE, HOLDING, 0.0), [1.0, 0.0, -0.5, -1.0])
    assert helm.is_steering


def test_who_lets_go_or_falls_silent_returns_the_helm(helm):
    helm.hold(Stick(move=(1.0, 0.0, 0.0)), HERE, 0.0)
    assert helm.decide(HERE, HOLDING, 0.1) is not HOLDING
    assert helm.decide(HERE, HOLDING, 0.3) is HOLDING
    helm.hold(Stick(move=(0.0, 0.0, 0.0)), HERE, 0.3)
    assert helm.decide(HERE, HOLDING, 0.3) is HOLDING


def test_a_helm_that_is_kept_rests_until_it_is_returned(helm):
    helm.do("hold")
    np.testing.assert_allclose(helm.decide(HERE, HOLDING, 9.0), [0.0, 0.0, 0.0, 1.0])
    helm.do("grip")
    np.testing.assert_allclose(helm.decide(HERE, HOLDING, 9.0), [0.0, 0.0, 0.0, -1.0])
    helm.do("hold")
    assert helm.decide(HERE, HOLDING, 9.0) is HOLDING
    helm.do("hold")
    helm.leave()
    assert helm.decide(HERE, HOLDING, 9.0) is HOLDING


def test_a_gripper_that_closes_at_its_high_bound_is_closed_there():
    drive = Drive(replace(SPEC, layout=replace(HAND, gripper_closes_at="high")))
    assert drive.action(Stick(), HERE, is_closed=True)[3] == drive.high[3]
    assert drive.action(Stick(), HERE, is_closed=False)[3] == drive.low[3]
    assert [drive.closes(action) for action in (HOLDING, -HOLDING)] == [False, True]
