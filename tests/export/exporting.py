"""Policies of every kind of input, and states for them."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
from builders import random_policy

from headstart.data.inputs import NOTHING, InputMap
from headstart.policy import Policy

OBSERVATION, GOAL, ACTION = 7, 3, 4
LOW, HIGH = np.float32([-1, -0.5, 0, 2]), np.float32([1, 0.25, 3, 2.5])
TERMS = ((0, NOTHING), (10, 7), (11, 8), (2, NOTHING), (12, 9), (4, 5))
KINDS = {
    "absolute": InputMap.of(OBSERVATION, GOAL, "absolute"),
    "relative": InputMap.of(OBSERVATION, GOAL, "relative"),
    "both": None,
    "differences": InputMap(TERMS, OBSERVATION, GOAL),
    "fine scales": InputMap(TERMS, OBSERVATION, GOAL, scales=(10.0, 0.3)),
    "only differences": InputMap(((10, 7), (11, 8)), OBSERVATION, GOAL),
}


def policy_of(kind: str, hidden=(64, 48)) -> Policy:
    """A policy of the given kind of input, with a scale for each action, that saturates rarely."""
    rng = np.random.default_rng(3)
    inputs = KINDS[kind]
    width = OBSERVATION + 2 * GOAL if inputs is None else len(inputs)
    policy = random_policy(rng, observation_dim=OBSERVATION, goal_dim=GOAL, action_dim=ACTION)
    sizes = [width, *hidden, ACTION]
    layers = tuple(
        (
            rng.normal(0, before**-0.5, (before, after)).astype(np.float32),
            rng.normal(0, 0.1, after).astype(np.float32),
        )
        for before, after in pairwise(sizes)
    )
    return replace(
        policy,
        layers=layers,
        mean=rng.normal(size=width).astype(np.float32),
        std=rng.uniform(0.1, 2.0, width).astype(np.float32),
        action_low=LOW,
        action_high=HIGH,
        inputs=inputs,
    )


def states(rows: int) -> dict[str, np.ndarray]:
    """Observations of which some are clipped."""
    rng = np.random.default_rng(4)
    widths = {"observation": OBSERVATION, "achieved_goal": GOAL, "desired_goal": GOAL}
    drawn = {name: rng.normal(0, 3, (rows, width)) for name, width in widths.items()}
    drawn["observation"][::100] *= 1000.0
    return {name: values.astype(np.float32) for name, values in drawn.items()}
