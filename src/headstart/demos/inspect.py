"""Looking into demonstrations: what they are and how far they reach, in numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headstart.data.episode import Episode
from headstart.demos.expansion.cost import HEADER, cost_of
from headstart.demos.problems import find_problems, find_remarks
from headstart.demos.reading import Demos, open_demos
from headstart.demos.storage import DemoSet
from headstart.text import printable

_EDGE = 0.01  # of a dimension's range; an action nearer to an end of the range is saturated
_MOST_GAPS = 2000  # goals of which the nearest other one is sought, each among all
_MOST_NOISE = 1e3  # shares of half the action range

Report = dict[str, Any]


def inspect_demos(demos: Demos) -> Report:
    """Return what the demonstrations are, and problems in words, as plain JSON values.

    Distances are in the units of the goal. Lists have one entry for each dimension; a spread is the
    least, the middle and the largest of some values, or ``None`` without a value.

    Args:
        demos: demonstrations, the path of a demo file, or several of either.
    """
    demos = open_demos(demos)
    report = {
        "env_id": printable(demos.env_id),
        **_origin(demos),
        **_outcomes(demos),
        "parts": _regions(demos),
        **_tasks(demos.episodes),
        **_coverage(demos.episodes),
        **_actions(demos),
        **_observations(np.concatenate([ep.observations for ep in demos.episodes])),
    }
    listed = demos.header.get("remarks")
    remarks = [printable(text) for text in listed] if isinstance(listed, list) else []
    return {
        **report,
        "remarks": remarks + find_remarks(report),
        "problems": find_problems(report),
    }


def distances_to_goal(episode: Episode) -> NDArray[np.float64]:
    """Return how far every state, from the start on, is from the goal, ``(T + 1,)``."""
    away = episode.achieved_goals.astype(np.float64) - episode.desired_goals[0]
    distances: NDArray[np.float64] = np.linalg.norm(away, axis=1)
    return distances


def steps_to_success(episodes: Sequence[Episode]) -> list[int]:
    """Return after how many steps the goal is fulfilled first, for those that ever fulfil it."""
    return [int(np.argmax(ep.is_success)) + 1 for ep in episodes if ep.is_success.any()]


def _origin(demos: DemoSet) -> Report:
    """Return who made the demonstrations and how, as far as the file says."""
    named = {
        key: printable(value) if isinstance(value := demos.header.get(key), str) else None
        for key in ("expert", "imported_from", "format")
    }
    return {
        **named,
        "joined_from": _join(demos.header.get("joined")),
        **_expansion(demos.header),
        "noise": _noise(demos.header.get("noise")),
        "snapshots": all(episode.snapshots.shape[1] > 0 for episode in demos.episodes),
    }


def _join(written: object) -> list[str]:
    """Return the files that a header says they were joined from."""
    parts = written if isinstance(written, list) else []
    names = [part.get("file") for part in parts if isinstance(part, dict)]
    return [printable(name) for name in names if isinstance(name, str)]


def _expansion(header: Mapping[str, Any]) -> Report:
    """Return what an expansion has cost, if the demonstrations are of one."""
    cost = cost_of(header)
    written = header.get(HEADER)
    origin = written.get("origin") if isinstance(written, dict) else None
    return {
        "expanded": cost is not None,
        "expanded_from": printable(origin) if isinstance(origin, str) else None,
        "expansion_env_steps": cost and cost.env_steps,
        "expansion_branch_steps": cost and cost.branch_steps,
        "expansion_attempts": cost and cost.attempts,
        "expansion_kept": cost and cost.kept,
    }


def _noise(value: object) -> float | None:
    """Return the noise in a header, unless it is NaN, of a thousand digits, or text."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0.0 <= value < _MOST_NOISE else None


def _outcomes(demos: DemoSet) -> Report:
    """Return lengths, and how the episodes end."""
    episodes = demos.episodes
    first = steps_to_success(episodes)
    return {
        "episodes": len(episodes),
        "transitions": demos.num_transitions,
        "shortest": min(len(episode) for episode in episodes),
        "longest": max(len(episode) for episode in episodes),
        "success_rate": demos.success_rate,
        "success_ever_rate": len(first) / len(episodes),
        "failed_episodes": sum(not episode.success for episode in episodes),
        "success_lost_episodes": sum(_loses_success(episode) for episode in episodes),
        "success_at_once_episodes": sum(step == 1 for step in first),
        "median_steps_to_success": float(np.median(first)) if first else None,
        "steps_to_success": _spread(first),
    }


def _loses_success(episode: Episode) -> bool:
    """Return whether a step leads out of the goal again, for good or not."""
    return bool((episode.is_success[:-1] & ~episode.is_success[1:]).any())


def _regions(demos: DemoSet) -> Report:
    """Return episodes and success for each region of the goal space, where it has some."""
    regions = demos.goal_regions
    if regions is None:
        return {}
    goals = np.stack([episode.desired_goals[0] for episode in demos.episodes])
    success: dict[str, list[bool]] = {regions.above: [], regions.below: []}
    for name, episode in zip(regions.names(goals), demos.episodes, strict=True):
        success[name].append(episode.success)
    return {
        name: {"episodes": len(ends), "success_rate": float(np.mean(ends)) if ends else None}
        for name, ends in success.items()
    }


def _tasks(episodes: Sequence[Episode]) -> Report:
    """Return how many starts and goals are different, and how many episodes are copies."""
    goals = [episode.desired_goals[0].tobytes() for episode in episodes]
    # An observation need not say where the episode starts: that of an ant in a maze does not.
    starts = [ep.observations[0].tobytes() + ep.achieved_goals[0].tobytes() for ep in episodes]
    copies = {
        (goal, ep.observations.tobytes(), ep.achieved_goals.tobytes(), ep.actions.tobytes())
        for goal, ep in zip(goals, episodes, strict=True)
    }
    return {
        "distinct_goals": len(set(goals)),
        "distinct_starts": len(set(starts)),
        "distinct_tasks": len(set(zip(starts, goals, strict=True))),
        "duplicate_episodes": len(episodes) - len(copies),
    }


def _coverage(episodes: Sequence[Episode]) -> Report:
    """Return where goals and starts lie, and how far a goal is from what is around it.

    The gap of a goal is its distance to the nearest other one. A new goal of the same kind is about
    as far from the nearest demonstrated one, so gaps say how much a policy has to generalise.
    """
    goals = np.stack([episode.desired_goals[0] for episode in episodes]).astype(np.float64)
    starts = np.stack([episode.achieved_goals[0] for episode in episodes])
    away = [distances_to_goal(episode) for episode in episodes]
    return {
        "goal_low": _round(goals.min(axis=0)),
        "goal_high": _round(goals.max(axis=0)),
        "start_low": _round(starts.min(axis=0)),
        "start_high": _round(starts.max(axis=0)),
        "goal_gap": _spread(_gaps(np.unique(goals, axis=0))),
        "start_distance": _spread([distances[0] for distances in away]),
        "final_distance": _spread([distances[-1] for distances in away]),
    }


def _gaps(goals: NDArray[np.float64]) -> list[float]:
    """Return the distance from goals, ``(N, goal_dim)`` and all different, to the nearest other."""
    if len(goals) < 2:
        return []
    some = goals[:: -(-len(goals) // _MOST_GAPS)]
    # The nearest of all is the goal itself.
    return [float(np.partition(np.linalg.norm(goals - goal, axis=1), 1)[1]) for goal in some]


def _actions(demos: DemoSet) -> Report:
    """Return range, spread and saturation of all actions."""
    actions = np.concatenate([episode.actions for episode in demos.episodes]).astype(np.float64)
    low, high = actions.min(axis=0), actions.max(axis=0)
    bounds = demos.action_bounds
    # Where the file does not say the bounds, they are taken to be where the actions end.
    least, most = (low, high) if bounds is None else bounds.astype(np.float64)
    edge = _EDGE * (most - least)
    saturated = ((actions <= least + edge) | (actions >= most - edge)) & (least < most)
    return {
        "action_bound_low": None if bounds is None else _round(least),
        "action_bound_high": None if bounds is None else _round(most),
        "actions_beyond_bounds": int(((actions < least) | (actions > most)).any(axis=1).sum()),
        "action_low": _round(low),
        "action_high": _round(high),
        "action_std": _round(actions.std(axis=0)),
        "action_saturated_share": _round(saturated.mean(axis=0)),
        "saturated_share": round(float(saturated.mean()), 4) if saturated.size else 0.0,
        "dead_action_dimensions": np.flatnonzero(low == high).tolist(),
    }


def _observations(observations: NDArray[np.float32]) -> Report:
    """Return how many numbers of the observations, ``(N, observation_dim)``, never change."""
    low, high = observations.min(axis=0), observations.max(axis=0)
    return {
        "observation_dim": observations.shape[1],
        "dead_observation_dimensions": int((low == high).sum()),
    }


def _spread(values: Sequence[float]) -> dict[str, float] | None:
    if not values:
        return None
    least, middle, largest = _round([min(values), np.median(values), max(values)])
    return {"min": least, "median": middle, "max": largest}


def _round(values: ArrayLike) -> list[float]:
    """Return the values to six significant digits: float32 holds seven."""
    return [float(f"{value:.6g}") for value in np.asarray(values, np.float64)]
