"""Policies of every kind of input, and states for them."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
from builders import random_policy

from headstart.data.component_inputs import ComponentInputs
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
    "components": ComponentInputs(
        observation_dim=17,
        goal_dim=9,
        dim=3,
        goals=(0, 3, 6),
        firsts=(5, 9, 13),
        own=(3,),
        shared=(3, 4),
        hand=0,
        heights=(2,),
        distances=(0.5, 1.5),
        scales=(2.0,),
    ),
    "components without a hand": ComponentInputs(
        observation_dim=6,
        goal_dim=4,
        dim=2,
        goals=(2, 0),
        firsts=(0, 3),
        own=(),
        shared=(),
        hand=None,
        heights=(),
        distances=(0.5, 1.5),
        scales=(),
    ),
    "only differences": InputMap(((10, 7), (11, 8)), OBSERVATION, GOAL),
}


def sizes_of(kind: str) -> tuple[int, int]:
    """Widths of observation and goal."""
    inputs = KINDS[kind]
    return (OBSERVATION, GOAL) if inputs is None else (inputs.observation_dim, inputs.goal_dim)


def policy_of(kind: str, hidden=(64, 48)) -> Policy:
    """A policy of the given kind of input, with a scale for each action, that saturates rarely."""
    rng = np.random.default_rng(3)
    inputs, (observation, goal) = KINDS[kind], sizes_of(kind)
    width = observation + 2 * goal if inputs is None else len(inputs)
    policy = random_policy(rng, observation_dim=observation, goal_dim=goal, action_dim=ACTION)
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


def states(rows: int, kind: str = "both") -> dict[str, np.ndarray]:
    """Observations of which some are clipped, and goals of which some are reached."""
    rng = np.random.default_rng(4)
    observation, goal = sizes_of(kind)
    widths = {"observation": observation, "achieved_goal": goal, "desired_goal": goal}
    drawn = {name: rng.normal(0, 3, (rows, width)) for name, width in widths.items()}
    drawn["observation"][::100] *= 1000.0
    reached = rng.random((rows, goal)) < 0.7
    drawn["desired_goal"] = np.where(reached, drawn["achieved_goal"], drawn["desired_goal"])
    return {name: values.astype(np.float32) for name, values in drawn.items()}
