"""The scripted expert of FetchSlide: stand behind the puck, strike once, let friction brake it.

Everything follows from the velocity that the puck should have now. If the one it has will do, the
hand waits. Otherwise the hand goes behind the puck, flying over it if it must, comes to rest, and
strikes; after a miss the same rule makes it follow and strike again. Lengths are metres, times
seconds. The numbers below were measured offline in the simulator: launched pucks for the friction,
and for the strikes a hand at a given gap behind a puck at rest, over a grid of actions.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from headstart.demos.experts.fetch_reach import HALF_HAND, Array, approach, servo

STEP = 0.04
PUCK_RADIUS = 0.025
# The puck ends at 0.44, so the fingers pass over it from 0.459 on; and below that height they
# strike it, at any height alike.
HOVER_HEIGHT = 0.485
STRIKE_HEIGHT = 0.44

# Deceleration along x or y: 0.1 g, and what the joint's damping adds.
FRICTION = 0.99
# A puck is left alone when it will stop this near to the goal; success is 0.05.
TOLERANCE = 0.03
# A puck that is struck gains its speed at once and slides for most of that step.
SLIDE_TIME = 0.033

# From rest, an action of 1 gives the puck 0.95 m/s if the gap is small. A wider one costs speed,
# because the hand is fastest early in a step; a narrower one is hard to come down into.
GAP = 0.003
GAIN = 0.95
# Faster strikes take two steps: at full speed into a wider gap, then a measured one.
FASTEST_FROM_REST = 0.9
RUN_UP_GAP = 0.016
# A strike can give the puck about 1.1 m/s. A puck that needs more is first sent so far that this
# much will do.
FASTEST = 1.12
FASTEST_LATER = 1.08
# Sideways the face of the hand only rolls the puck: a disc gains a third of the speed, and on the
# run-up, which touches it later in the step, 1 / 4.4 of it.
ROLL = 3.0
RUN_UP_ROLL = 4.4
# Up to this slope a face strikes, which forgives a hand that is off by millimetres; above it the
# corner, where an error of 1 mm turns the puck by 2 degrees.
FACE_SLOPE = 0.3
# Rolling over the seam between the two fingers is erratic, so the puck rolls away from it.
SEAM = 0.006


def release_velocity(way: Array) -> Array:
    """Return the velocity, ``(2,)``, from which friction stops the puck after ``way``, ``(2,)``.

    MuJoCo's friction cone is a pyramid: the force brakes the faster of x and y alone until both are
    equal, so the puck curves towards a diagonal. Along the diagonals x + y and x - y, though, it
    is plain friction, each on its own.
    """
    diagonal = np.array([way[0] + way[1], way[0] - way[1]])
    speed = np.sign(diagonal) * np.sqrt(2.0 * FRICTION * np.abs(diagonal))
    return np.array([speed[0] + speed[1], speed[0] - speed[1]]) / 2.0


def braking_way(velocity: Array) -> Array:
    """Return the way, ``(2,)``, that the puck slides on: the inverse of ``release_velocity``."""
    speed = np.array([velocity[0] + velocity[1], velocity[0] - velocity[1]])
    diagonal = speed * np.abs(speed) / (2.0 * FRICTION)
    return np.array([diagonal[0] + diagonal[1], diagonal[0] - diagonal[1]]) / 2.0


@dataclass(frozen=True)
class _Scene:
    """What the observation says of the hand and the puck on the table, and where they touch."""

    offset: Array  # (2,), from the hand to the puck
    height: float
    hand_velocity: Array  # (3,)
    puck_velocity: Array  # (2,)
    spin: float  # radians per second, counterclockwise
    gap: float
    normal: Array  # (2,), from the nearest point of the hand to the middle of the puck

    @property
    def tangent(self) -> Array:
        return np.array([-self.normal[1], self.normal[0]])

    @property
    def closing_speed(self) -> float:
        return float(self.hand_velocity[:2] @ self.normal)


def _scene(state: Array) -> _Scene:
    offset = state[6:8]
    from_hand = offset - np.clip(offset, -HALF_HAND, HALF_HAND)
    distance = float(np.linalg.norm(from_hand))
    hand_velocity = state[20:23] / STEP
    return _Scene(
        offset=offset,
        height=float(state[2]),
        hand_velocity=hand_velocity,
        puck_velocity=state[14:16] / STEP + hand_velocity[:2],
        spin=float(state[19]) / STEP,
        gap=distance - PUCK_RADIUS,
        normal=from_hand / max(distance, 1e-6),
    )


def _wanted_velocity(way_to_goal: Array) -> Array:
    """Return the velocity, ``(2,)``, that the next strike should leave the puck with."""
    way = way_to_goal
    fastest = float(np.abs(release_velocity(way)).max())
    if fastest > FASTEST:
        way = way * (1.0 - (FASTEST_LATER / fastest) ** 2)
    return release_velocity(way - SLIDE_TIME * release_velocity(way))


def _stance(change: Array, run_up: bool) -> tuple[Array, Array]:
    """Return where the hand should stand, seen from the puck, and which way it faces, ``(2,)``.

    ``change`` is what the puck's velocity lacks. A face looks along an axis, a corner along it.
    """
    gap = RUN_UP_GAP if run_up else GAP
    facing = change / max(float(np.linalg.norm(change)), 1e-6)
    axis = int(np.argmax(np.abs(facing)))
    side = 1 - axis
    slope = float(facing[side]) / max(abs(float(facing[axis])), 1e-6)
    if abs(slope) > FACE_SLOPE:
        return -HALF_HAND * np.sign(facing) - (PUCK_RADIUS + gap) * facing, facing
    facing = np.where(np.arange(2) == axis, np.sign(facing), 0.0)
    stance = -(HALF_HAND[axis] + PUCK_RADIUS + gap) * facing
    # What the hand will have moved sideways when it has crossed the gap.
    drift = np.clip(RUN_UP_ROLL * change[side], -1.0, 1.0) if run_up else ROLL * slope
    stance[side] = SEAM * np.clip(slope / 0.05, -1.0, 1.0) - drift * gap
    return stance, facing


def _strike(scene: _Scene, wanted: Array, run_up: bool, running: bool) -> tuple[float, float]:
    """Return the action along the contact's normal and tangent that should give ``wanted``."""
    ahead, aside = float(wanted @ scene.normal), float(wanted @ scene.tangent)
    if running:
        # A hand in motion strikes harder. At its full 0.65 m/s: 0.32 + 0.77 times the action.
        speed = min(scene.closing_speed, 0.65)
        along = (ahead - 0.49 * speed) / (GAIN - 0.277 * speed)
        rolling = 2.0 * float(scene.puck_velocity @ scene.tangent) + scene.spin * PUCK_RADIUS
        return along, (ROLL * aside - rolling) / GAIN
    if run_up:
        return 1.0, RUN_UP_ROLL * aside
    # The second fit is for slow strikes, where the gap takes much of the step.
    along = max(ahead / GAIN, (ahead + 14.5 * scene.gap) / 1.0225)
    return along, ROLL * aside / GAIN


def _may_strike(scene: _Scene, to_stance: Array, run_up: bool) -> bool:
    """Return whether the hand is at rest at its stance: near enough for the strikes' numbers."""
    speed = float(np.linalg.norm(scene.hand_velocity))
    miss = float(np.linalg.norm(to_stance))
    if run_up:
        return miss < 0.003 and speed < 0.1
    # A hand that has just braked strikes 5% too softly: wait for the last of its motion to go.
    return miss < 0.002 and speed < 0.05 and abs(scene.closing_speed) < 0.0025


def fetch_slide(observation: Mapping[str, Array]) -> Array:
    """Send the puck to the goal. The action is ``(4,)``; FetchSlide ignores the last entry."""
    wait = servo(np.zeros(3), gripper=0.0)
    scene = _scene(observation["observation"])
    way_to_goal = (observation["desired_goal"] - observation["achieved_goal"])[:2]
    if np.linalg.norm(way_to_goal - braking_way(scene.puck_velocity)) < TOLERANCE:
        return wait

    wanted = _wanted_velocity(way_to_goal)
    run_up = bool(np.abs(wanted).max() > FASTEST_FROM_REST)
    stance, facing = _stance(wanted - scene.puck_velocity, run_up)
    to_stance = scene.offset + stance
    puck_speed = float(scene.puck_velocity @ scene.normal)
    if scene.height < STRIKE_HEIGHT:
        running = scene.closing_speed > 0.25 and scene.gap < 0.004
        along, aside = _strike(scene, wanted, run_up, running)
        behind = facing @ scene.normal > 0.8 and along > 0.0
        too_slow = float(wanted @ scene.normal) > puck_speed + 0.02
        if behind and too_slow and (running or _may_strike(scene, to_stance, run_up)):
            # Not servo, and level: rising or sinking fingers drag the puck along.
            action = np.append(along * scene.normal + aside * scene.tangent, (0.0, 0.0))
            return action.clip(-1.0, 1.0).astype(np.float32)
        if puck_speed > 0.05 and scene.gap < 0.008:
            return wait  # The puck is leaving; a hand that moves now would touch it again.

    gap = float(scene.offset @ facing - np.abs(facing) @ HALF_HAND) - PUCK_RADIUS
    around = approach(to_stance, scene.offset, gap, scene.height, HOVER_HEIGHT)
    # Twice the usual gain: the fewer steps the approach takes, the more are left to slide.
    return servo(2.0 * around, gripper=0.0)
