"""Demonstrators with faults of a given kind, made of the scripted expert.

Each is a function of the observation alone, like the expert: what is random in it comes from the
numbers that it sees, so the same state always meets the same fault.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart import DemoSet, collect_demos
from headstart.demos.experts import expert_for
from headstart.rollout.job import Behaviour

Observation = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Shaky:
    """An unsteady hand: Gaussian noise on every action, and the noisy action is what is shown."""

    expert: Behaviour
    noise: float = 0.5

    def __call__(self, observation: Observation) -> NDArray[np.float32]:
        """Return the expert's action, shaken."""
        action = self.expert(observation)
        shaken = action + self.noise * _rng(observation["observation"]).standard_normal(len(action))
        return np.clip(shaken, -1.0, 1.0).astype(np.float32)


@dataclass(frozen=True)
class Slow:
    """Moves at a fraction of the expert's speed."""

    expert: Behaviour
    speed: float = 0.35

    def __call__(self, observation: Observation) -> NDArray[np.float32]:
        """Return the expert's action, slowed down."""
        action = self.expert(observation).astype(np.float32)
        action[:3] = np.clip(self.speed * action[:3], -self.speed, self.speed)
        return action


@dataclass(frozen=True)
class Mistaken:
    """Takes half of the goals for ones that lie 15 cm beside them, and carries the object there."""

    expert: Behaviour
    share: float = 0.5
    distance: float = 0.15

    def __call__(self, observation: Observation) -> NDArray[np.float32]:
        """Return the expert's action, for the goal or for a wrong one."""
        goal = observation["desired_goal"]
        rng = _rng(goal)
        if rng.random() < self.share:
            angle = rng.uniform(0.0, 2.0 * np.pi)
            aside = self.distance * np.array([np.cos(angle), np.sin(angle), 0.0])
            observation = {**observation, "desired_goal": goal + aside}
        return self.expert(observation)


def behaviour_of(kind: str, env_id: str) -> Behaviour:
    """Return a demonstrator of one kind."""
    expert = expert_for(env_id)
    kinds: dict[str, Behaviour] = {
        "perfect": expert,
        "noisy": Shaky(expert),
        "slow": Slow(expert),
        "half-failing": Mistaken(expert),
    }
    return kinds[kind]


def imperfect_demos(kind: str, env_id: str, episodes: int, seed: int) -> DemoSet:
    """Return demonstrations of one kind, failures included."""
    # In this process: collectors do not know this file.
    return collect_demos(
        env_id, behaviour_of(kind, env_id), episodes=episodes, seed=seed, keep_failures=True
    )


def _rng(numbers: NDArray[Any]) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(np.asarray(numbers, np.float32).tobytes()))
