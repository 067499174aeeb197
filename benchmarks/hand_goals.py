"""Which goals of HandReach-v3 can be reached at all, and which of them a policy reaches.

    python benchmarks/hand_goals.py runs/benchmark/hand-reach-plain-fast/seed0

An action sets the joints, so one that is held for twelve steps is a pose. For each goal it is
looked for by damped least squares on the fingertips, from three starts; a goal that none of them
reaches may still be reached on some detour.
"""

import argparse
import json
from collections import Counter
from pathlib import Path

import gymnasium as gym
import numpy as np
from cells import last_policy
from machine import machine
from numpy.typing import NDArray

from headstart import make_env
from headstart.envs.restoring import require_restorable

ENV_ID = "HandReach-v3"
OUT = Path(__file__).parent / "results" / "hand-goals.json"
FINGERS = ("first", "middle", "ring", "little", "thumb")
HELD, STARTS, STEPS, NUDGE = 12, 3, 12, 0.05
TOLERANCE = 0.01
Array = NDArray[np.float64]


class Poses:
    """Where the fingertips come to rest when an action is held, from one state on."""

    def __init__(self, env: gym.Env, seed: int) -> None:
        self.env, self._states = env, require_restorable(env)
        observation, _ = env.reset(seed=seed)
        self.goal = observation["desired_goal"]
        self.achieved = observation["achieved_goal"]
        self._start = self._states.save_state()

    def __call__(self, action: Array) -> Array:
        """Return the fingertips, ``(15,)``."""
        self._states.restore_state(self._start, self.goal)
        for _ in range(HELD):
            observation, *_ = self.env.step(np.clip(action, -1.0, 1.0).astype(np.float32))
        return observation["achieved_goal"]

    def solve(self, rng: np.random.Generator) -> float:
        """Return how near to the goal the best action comes, in metres."""
        inner = self.env.unwrapped
        low, high = inner.model.actuator_ctrlrange.T
        rest = (inner.data.ctrl - (high + low) / 2) / ((high - low) / 2)
        nearest = np.inf
        for start in range(STARTS):
            noise = 0.5 * rng.standard_normal(len(rest)) if start else 0.0
            nearest = min(nearest, self._descend(np.clip(rest + noise, -1.0, 1.0)))
            if nearest < TOLERANCE:
                break
        return nearest

    def _descend(self, action: Array) -> float:
        tips = self(action)
        for _ in range(STEPS):
            if np.linalg.norm(tips - self.goal) < 0.9 * TOLERANCE:
                break
            slopes = self._slopes(action, tips)
            better = self._step(action, tips, slopes)
            if better is None:
                break
            action, tips = better
        return float(np.linalg.norm(tips - self.goal))

    def _slopes(self, action: Array, tips: Array) -> Array:
        columns = []
        for joint, value in enumerate(action):
            nudged, nudge = action.copy(), NUDGE if value < 1.0 - 2 * NUDGE else -NUDGE
            nudged[joint] += nudge
            columns.append((self(nudged) - tips) / nudge)
        return np.stack(columns, axis=1)

    def _step(self, action: Array, tips: Array, slopes: Array) -> tuple[Array, Array] | None:
        """Return the first action on the way that is nearer, and where its fingertips are."""
        missing = self.goal - tips
        for damping in (1e-5, 1e-4, 1e-3):
            normal = slopes.T @ slopes + damping * np.eye(len(action))
            way = np.linalg.solve(normal, slopes.T @ missing)
            for share in (1.0, 0.3):
                tried = np.clip(action + share * way, -1.0, 1.0)
                reached = self(tried)
                if np.linalg.norm(reached - self.goal) < np.linalg.norm(missing):
                    return tried, reached
        return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", type=Path, help="directory of a run on HandReach-v3")
    parser.add_argument("--goals", type=int, default=100, help="how many goals (100)")
    arguments = parser.parse_args()
    env, policy = make_env(ENV_ID), last_policy(arguments.run)
    rng, rows = np.random.default_rng(0), []
    for seed in range(10_000, 10_000 + arguments.goals):
        poses = Poses(env, seed)
        nearest = poses.solve(rng)
        rows.append(
            {
                "finger": finger_of(poses.goal - poses.achieved),
                "nearest_millimetres": round(1000 * nearest, 1),
                "reached": acted(env, policy, seed),
            }
        )
        print(rows[-1], flush=True)
    write(rows, arguments)


def finger_of(way: Array) -> str:
    """Return which finger is to meet the thumb; none where the hand is to stay as it is."""
    moved = np.linalg.norm(way.reshape(5, 3), axis=1)[:4]
    return FINGERS[int(moved.argmax())] if moved.max() > TOLERANCE else "none"


def acted(env: gym.Env, policy, seed: int) -> bool:
    """Return whether the policy ends at the goal of a seed."""
    observation, _ = env.reset(seed=seed)
    ended = False
    while not ended:
        observation, _, terminated, truncated, info = env.step(policy(observation))
        ended = terminated or truncated
    return bool(info["is_success"])


def write(rows: list[dict], arguments: argparse.Namespace) -> None:
    fingers = Counter(row["finger"] for row in rows)
    reachable = [row for row in rows if row["nearest_millimetres"] < 1000 * TOLERANCE]
    content = {
        "command": f"python benchmarks/hand_goals.py {arguments.run} --goals {arguments.goals}",
        "machine": machine(),
        "goals": len(rows),
        "reachable": len(reachable),
        "reached": sum(row["reached"] for row in rows),
        "reached_of_reachable": sum(row["reached"] for row in reachable),
        "by_finger": {
            finger: {
                "goals": count,
                "reachable": sum(row["finger"] == finger for row in reachable),
                "reached": sum(row["reached"] for row in rows if row["finger"] == finger),
            }
            for finger, count in sorted(fingers.items())
        },
        "rows": rows,
    }
    OUT.write_text(json.dumps(content, indent=1) + "\n")
    print(json.dumps({name: content[name] for name in ("reachable", "reached", "by_finger")}))


if __name__ == "__main__":
    main()
