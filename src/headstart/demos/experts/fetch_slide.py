"""The scripted expert of FetchSlide: drag the puck from above, then strike it on to the goal.

Closed fingers that press on the puck take it along in any direction, so a goal within reach needs
nothing else. For a farther one the hand drags the puck in line with it, gets behind it and strikes
along x alone, with the speed that friction takes away on the way that is left. The shorter that way
the more a strike forgives, so the puck is dragged as far as the arm still strikes well. Places,
speeds and weights change continuously with the observation, which is what a clone of few
demonstrations can follow. Lengths are metres, speeds metres per second.

The numbers are measured: for the friction with launched pucks, and for the strikes with a hand at
rest at a given gap behind a puck at rest, over a grid of places and actions.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from headstart.demos.experts.fetch_reach import GAIN, HALF_HAND, Array, rise, servo

STEP = 0.04
PUCK_RADIUS = 0.025
# The puck ends at 0.44, so the fingers touch it from 0.459 down.
HOVER_HEIGHT = 0.485
PRESS_HEIGHT = 0.446
STRIKE_HEIGHT = 0.428
# An action that closes the whole distance, as a share of GAIN.
BRISK = 1.7

# Deceleration along x or y: 0.1 g, and what the joint's damping adds.
FRICTION = 0.99
# A puck that is struck gains its speed at once and slides for most of that step.
SLIDE_TIME = 0.033

# Over the puck, by the distance from its middle; pressing on it and touching it, by height.
OVER_LIMITS = (0.026, 0.04)
PRESS_LIMITS = (0.453, 0.462)
TOUCH_LIMITS = (0.459, 0.464)
# A puck that lags this far behind the fingers is waited for.
LAG_LIMITS = (0.012, 0.03)
# Most that the hand is asked to move at a time; faster fingers slip over the puck.
LONGEST_DRAG = 0.95 / GAIN

# A puck is let go within the first limits of its place, and fetched again beyond the second.
# Along x it matters less: the strike goes by what is left.
LET_GO_LIMITS = (0.020, 0.025)
FETCH_LIMITS = (0.034, 0.042)
PLACE_WEIGHTS = np.array([0.6, 1.0])

# A strike by a hand at rest in contact gives the puck 0.945 times the action, and less where the
# arm is stretched; each metre of gap costs 8 m/s.
STRIKE_GAIN = 0.945
SHOULDER = np.array([0.265, 0.75])
STRETCHED = 0.855
GAP_LOSS = 8.0
# A hand in motion strikes harder: 0.49 of its speed, which takes 0.277 off the gain.
MOMENTUM, LESS_GAIN, FASTEST_HAND = 0.49, 0.277, 0.65
# Longer slides take a run-up, of two steps: one up to the puck, and one on.
GAP = 0.003
RUN_UP_GAP = 0.0155
RUN_UP_LIMITS = (0.42, 0.45)
RUN_UP_STEP = 0.027
# Sideways the face of the hand only rolls the puck: a disc gains a third of the speed.
ROLL = 3.0


# The fingertips touch the table at 0.419; a little above it they do not drag.
LOW = 0.425

# How far the hand is behind the object along the push. Below the first limit it has to fly over.
BEHIND_LIMITS = (-0.008, -0.002)
# This far below the hover height the fingers hit the object: the hand rises on the spot.
CLIMB_LIMITS = (0.02, 0.03)
# Farther from the object than this, centre to centre, it may rise on the way.
NEAR_RADII = (0.085, 0.11)


def braking_way(velocity: Array) -> Array:
    """Return the way, ``(2,)``, that a puck of this velocity, ``(2,)``, slides on.

    MuJoCo's friction cone is a pyramid: the force brakes the faster of x and y alone until both are
    equal, so the puck curves towards a diagonal. Along the diagonals x + y and x - y, though, it
    is plain friction, each on its own.
    """
    speed = np.array([velocity[0] + velocity[1], velocity[0] - velocity[1]])
    diagonal = speed * np.abs(speed) / (2.0 * FRICTION)
    return np.array([diagonal[0] + diagonal[1], diagonal[0] - diagonal[1]]) / 2.0


@dataclass(frozen=True)
class _Scene:
    """What the observation says of the hand and the puck, and what is left to do."""

    offset: Array  # (2,), from the hand to the puck
    height: float
    hand_speed: float  # along x
    puck_velocity: Array  # (2,)
    reach: float  # from the shoulder to the puck
    way: Array  # (2,), from the puck to the goal
    lacking: Array  # (2,), from the puck to where it should be dragged
    strikes: float  # 1 if the goal is farther than that, 0 if it is there

    @property
    def gap(self) -> float:
        """Room between the hand and the puck along x; negative unless the hand is behind."""
        return float(self.offset[0] - HALF_HAND[0] - PUCK_RADIUS)

    @property
    def distance(self) -> float:
        return float(np.linalg.norm(self.offset))

    @property
    def over(self) -> float:
        return 1.0 - rise(self.distance, OVER_LIMITS)

    @property
    def touching(self) -> float:
        """How far the fingers are on top of the puck."""
        return self.over * (1.0 - rise(self.height, TOUCH_LIMITS))

    @property
    def struck(self) -> float:
        """How far the puck slides ahead by itself."""
        return rise(float(self.puck_velocity[0]), (0.15, 0.3)) * (1.0 - self.touching)


def _place(goal: Array) -> float:
    """Return how far along x the puck is dragged for a goal, ``(2,)``.

    In the middle the arm gets to 1.33 quickly and still strikes well at 1.26. The farther the goal,
    the harder the strike, and the less the arm may be stretched.
    """
    limit = 1.33 - 0.3 * float(goal[1] - SHOULDER[1]) ** 2
    beyond = max(float(goal[0]) - limit, 0.0)
    return min(float(goal[0]), limit) - 0.7 * min(beyond, 0.1) - 0.33 * max(beyond - 0.1, 0.0)


def _scene(observation: Mapping[str, Array]) -> _Scene:
    state, goal = observation["observation"], observation["desired_goal"][:2]
    puck = observation["achieved_goal"][:2]
    hand_velocity = state[20:22] / STEP
    way, place = goal - puck, _place(goal)
    # A puck that is past its place already is not dragged back, unless it is past the goal.
    ahead = max(place - float(puck[0]), min(float(way[0]), 0.0))
    return _Scene(
        offset=state[6:8],
        height=float(state[2]),
        hand_speed=float(hand_velocity[0]),
        puck_velocity=state[14:16] / STEP + hand_velocity,
        reach=float(np.linalg.norm(puck - SHOULDER)),
        way=way,
        lacking=np.array([ahead, way[1]]),
        strikes=rise(float(goal[0]) - place, (0.01, 0.03)),
    )


def _drag(scene: _Scene) -> Array:
    """Return the displacement, ``(3,)``, of the hand onto the puck, and on with it to its place."""
    height, over = scene.height, scene.over
    climb = over * PRESS_HEIGHT + (1.0 - over) * HOVER_HEIGHT - height
    clear = max(1.0 - rise(climb, (0.012, 0.025)), rise(scene.distance, (0.075, 0.1)))
    pressing = over * (1.0 - rise(height, PRESS_LIMITS))
    # The velocities damp the one and lead the other to where the puck will be.
    on = 1.2 * (scene.lacking - 0.03 * scene.puck_velocity) + 0.3 * scene.offset
    to_puck = BRISK * clear * (scene.offset + 0.06 * scene.puck_velocity)
    move = pressing * on + (1.0 - pressing) * to_puck
    pace = 1.0 - 0.5 * pressing * rise(scene.distance, LAG_LIMITS)
    move *= pace * min(1.0, LONGEST_DRAG / max(float(np.linalg.norm(move)), 1e-9))
    return np.append(move, BRISK * climb)


def _strike_speed(way: float) -> float:
    """Return the speed along x that lets the puck slide as far as ``way``."""
    # Strikes with a run-up fall a little short.
    way += 0.015 * rise(way, RUN_UP_LIMITS) + 0.03 * rise(way, (0.44, 0.52))
    speed = np.sqrt(2.0 * FRICTION * max(way, 0.0))
    return float(np.sqrt(2.0 * FRICTION * max(way - SLIDE_TIME * speed, 0.0)))


def _push(scene: _Scene) -> Array:
    """Return the displacement, ``(3,)``, of a low hand behind the puck: up to it, and on."""
    way = float(scene.way[0])
    wanted = _strike_speed(way)
    strength = 1.0 - min(max(scene.reach - STRETCHED, 0.0), 0.4)
    hand_speed = min(max(scene.hand_speed, 0.0), FASTEST_HAND)
    lacking = wanted / strength + GAP_LOSS * min(max(scene.gap, 0.0), 0.01)
    strike = (lacking - MOMENTUM * hand_speed) / (STRIKE_GAIN - LESS_GAIN * hand_speed)
    strike = min(strike, 1.0) * rise(wanted - float(scene.puck_velocity[0]), (0.02, 0.07))

    aside = float(scene.lacking[1]) * wanted / max(way, 0.1) - float(scene.puck_velocity[1])
    far = rise(scene.gap, (0.009, 0.013))
    nearing = min(scene.gap / RUN_UP_STEP, 1.0) * (1.0 - scene.struck)
    along = far * nearing + (1.0 - far) * strike
    across = 0.3 * float(scene.offset[1]) + (1.0 - far) * strike * ROLL * aside / GAIN
    return np.array([along / GAIN, across, STRIKE_HEIGHT - scene.height])


def _strike(scene: _Scene, behind: float) -> Array:
    """Return the displacement, ``(3,)``, of the hand to where it strikes, and of the strike."""
    gap = GAP + (RUN_UP_GAP - GAP) * rise(float(scene.way[0]), RUN_UP_LIMITS)
    to_stance = scene.offset - np.array([HALF_HAND[0] + PUCK_RADIUS + gap, 0.0])
    around = _approach(to_stance, scene.offset, scene.gap, scene.height, HOVER_HEIGHT)
    around *= np.array([2.0, 2.0, BRISK])
    strike = behind * _push(scene) + (1.0 - behind) * around
    # The hand stays where it is while the puck slides away.
    return strike * (1.0 - scene.struck * rise(scene.gap, (0.012, 0.03)))


def _behind(scene: _Scene) -> float:
    """Return how far the hand is low behind the puck, in line with its middle."""
    low = 1.0 - rise(scene.height, (0.434, 0.44))
    in_line = 1.0 - rise(abs(float(scene.offset[1])), (0.012, 0.02))
    return low * in_line * rise(scene.gap, (-0.006, -0.002))


def _is_placed(scene: _Scene, behind: float) -> float:
    """Return how far the puck is ready to be struck, or has been."""
    speed = float(np.linalg.norm(scene.puck_velocity))
    stop = PLACE_WEIGHTS * (scene.lacking - braking_way(scene.puck_velocity))
    held = rise(float(np.linalg.norm(stop)) + 0.1 * max(speed - 0.03, 0.0), LET_GO_LIMITS)
    loose = rise(float(np.linalg.norm(PLACE_WEIGHTS * scene.lacking)), FETCH_LIMITS)
    placed = 1.0 - (scene.touching * held + (1.0 - scene.touching) * loose)
    # A strike that has begun continues.
    in_line = 1.0 - rise(abs(float(scene.lacking[1])), (0.035, 0.045))
    near = (1.0 - rise(scene.gap, (0.012, 0.03))) * (1.0 - rise(float(scene.way[0]), (0.58, 0.6)))
    return max(placed, in_line * behind * near, in_line * scene.struck) * scene.strikes


def fetch_slide(observation: Mapping[str, Array]) -> Array:
    """Bring the puck to the goal. The action is ``(4,)``; FetchSlide ignores the last entry."""
    scene = _scene(observation)
    behind = _behind(scene)
    placed = _is_placed(scene, behind)
    return servo(placed * _strike(scene, behind) + (1.0 - placed) * _drag(scene), gripper=0.0)


def _approach(way: Array, offset: Array, gap: float, height: float, hover_height: float) -> Array:
    """Return the displacement, ``(3,)``, that takes the hand behind the object: over it if need be.

    Args:
        way: from the hand to where it should be on the table, ``(2,)``.
        offset: from the hand to the object, ``(2,)``.
        gap: between the hand and the object along the push; negative unless the hand is behind.
        height: of the gripper position.
        hover_height: from which on the object can be flown over, with ``CLIMB_LIMITS`` to spare.
    """
    behind = rise(gap, BEHIND_LIMITS)
    climb = behind * LOW + (1.0 - behind) * hover_height - height
    distance = float(np.linalg.norm(offset))
    clear = max(1.0 - rise(climb, CLIMB_LIMITS), rise(distance, NEAR_RADII))
    return np.append(clear * way, climb)
