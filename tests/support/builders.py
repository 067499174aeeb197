"""Small real objects that many tests start from."""

from dataclasses import replace
from itertools import pairwise

import numpy as np

from headstart.data.batch import Batch
from headstart.data.episode import Episode
from headstart.policy import Policy


def random_episode(
    rng, steps, *, observation_dim=3, goal_dim=2, action_dim=2, info_dim=0, state_dim=0
) -> Episode:
    """An episode of numbers that mean nothing."""

    def normal(rows, width):
        return rng.standard_normal((rows, width)).astype(np.float32)

    return Episode(
        observations=normal(steps + 1, observation_dim),
        achieved_goals=normal(steps + 1, goal_dim),
        desired_goals=np.repeat(normal(1, goal_dim), steps, axis=0),
        actions=normal(steps, action_dim),
        terminated=rng.random(steps) < 0.5,
        is_success=rng.random(steps) < 0.5,
        reward_infos=normal(steps, info_dim),
        snapshots=rng.standard_normal((steps + 1, state_dim)),
    )


def unpaid(episode) -> Episode:
    """The episode as foreign files give it: what its steps paid is not taken over."""
    return replace(episode, rewards=np.zeros(0, np.float32))


def counted_episode(number, steps) -> Episode:
    """An episode whose every number says where it belongs: episode ``number``, state index."""
    state = np.arange(steps + 1, dtype=np.float32)
    step = state[:-1]
    of_episode = np.full(steps + 1, number, np.float32)
    return Episode(
        observations=np.stack([of_episode, state], axis=1),
        achieved_goals=np.stack([of_episode, state + 0.25], axis=1),
        desired_goals=np.stack([of_episode[:-1], np.full(steps, -1000.0)], axis=1),
        actions=np.stack([of_episode[:-1], step + 0.5], axis=1),
        terminated=step == steps - 1,
        is_success=step == steps - 1,
    )


def stored_rows(replay):
    """The rows of a replay at which a transition starts."""
    return np.flatnonzero(replay.steps_left(np.arange(replay.capacity)))


def random_batch(rng, rows, *, observation_dim, goal_dim, action_dim, num_demos=0) -> Batch:
    """A batch with rewards of -1 and 0 whose first ``num_demos`` rows are demonstrated."""

    def normal(width):
        return rng.standard_normal((rows, width)).astype(np.float32)

    return Batch(
        observation=normal(observation_dim),
        achieved_goal=normal(goal_dim),
        desired_goal=normal(goal_dim),
        action=rng.uniform(-1.0, 1.0, (rows, action_dim)).astype(np.float32),
        reward=-(rng.random(rows) < 0.7).astype(np.float32),
        terminated=(rng.random(rows) < 0.25).astype(np.float32),
        next_observation=normal(observation_dim),
        next_achieved_goal=normal(goal_dim),
        source=(np.arange(rows) < num_demos).astype(np.float32),
    )


def random_policy(
    rng, *, observation_dim, goal_dim, action_dim, hidden=(16, 16), low=-1.0, high=1.0
) -> Policy:
    """A policy with random weights."""
    sizes = [observation_dim + 2 * goal_dim, *hidden, action_dim]
    return Policy(
        layers=tuple(
            (
                rng.standard_normal((before, after)).astype(np.float32),
                rng.standard_normal(after).astype(np.float32),
            )
            for before, after in pairwise(sizes)
        ),
        mean=rng.standard_normal(sizes[0]).astype(np.float32),
        std=rng.uniform(0.5, 2.0, sizes[0]).astype(np.float32),
        input_clip=200.0,
        output_clip=5.0,
        observation_dim=observation_dim,
        goal_dim=goal_dim,
        goal_input="both",
        action_low=np.full(action_dim, low, np.float32),
        action_high=np.full(action_dim, high, np.float32),
        metadata={"env_id": "PointReach-v0"},
    )


def point_policy(seed=0) -> Policy:
    """A random policy for PointReach."""
    return random_policy(np.random.default_rng(seed), observation_dim=2, goal_dim=2, action_dim=2)


def point_expert(observation):
    """Go straight to the goal of PointReach."""
    way = observation["desired_goal"] - observation["achieved_goal"]
    return np.clip(10.0 * way, -1.0, 1.0).astype(np.float32)


def is_one_line(message: str) -> bool:
    return bool(message) and "\n" not in message
