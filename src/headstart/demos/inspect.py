"""Looking into demonstrations: what they are, and what is wrong with them."""

from typing import Any

import numpy as np

from headstart.demos.storage import DemoSet

_SATURATED = 0.99  # of the largest action
_SOLVED_AT_START = 0.1  # share of episodes; a few start at their goal in most tasks


def inspect_demos(demos: DemoSet) -> dict[str, Any]:
    """Return counts, lengths, success, action range and problems as plain JSON values."""
    lengths = [len(episode) for episode in demos.episodes]
    actions = np.concatenate([episode.actions for episode in demos.episodes])
    first = [int(np.argmax(ep.is_success)) + 1 for ep in demos.episodes if ep.is_success.any()]
    largest = np.abs(actions).max()
    return {
        "env_id": demos.env_id,
        "episodes": len(demos.episodes),
        "transitions": demos.num_transitions,
        "shortest": min(lengths),
        "longest": max(lengths),
        "success_rate": demos.success_rate,
        "success_ever_rate": len(first) / len(demos.episodes),
        "median_steps_to_success": float(np.median(first)) if first else None,
        "action_low": [round(float(value), 4) for value in actions.min(axis=0)],
        "action_high": [round(float(value), 4) for value in actions.max(axis=0)],
        "saturated_share": round(float((np.abs(actions) >= _SATURATED * largest).mean()), 4),
        "problems": _problems(demos),
    }


def _problems(demos: DemoSet) -> list[str]:
    episodes = demos.episodes
    failed = sum(not episode.success for episode in episodes)
    at_once = sum(bool(episode.is_success[0]) for episode in episodes)
    distinct = len({episode.observations.tobytes() for episode in episodes})
    actions = np.concatenate([episode.actions for episode in episodes])
    dead = np.flatnonzero(np.ptp(actions, axis=0) == 0).tolist()
    found = {
        f"{failed} of {len(episodes)} episodes do not end in success": failed,
        f"{at_once} of {len(episodes)} episodes succeed at the first step": (
            at_once > _SOLVED_AT_START * len(episodes)
        ),
        f"{len(episodes) - distinct} episodes are duplicates": len(episodes) - distinct,
        f"action dimensions {dead} never change": len(dead),
    }
    return [text for text, count in found.items() if count]
