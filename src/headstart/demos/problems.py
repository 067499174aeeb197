"""What is wrong with demonstrations, and what is only worth knowing, in words."""

from collections.abc import Mapping
from typing import Any

from headstart.text import counted

_SUCCESS_AT_ONCE = 0.25  # share of episodes; of FetchPush's a tenth start at their goal
_FEW = 2  # episodes that are left out of account: a small file has them by chance
_ENOUGH_FOR_ALL_PARTS = 10  # episodes; each of two halves has one then, nearly always


def find_problems(report: Mapping[str, Any]) -> list[str]:
    """Return what may spoil training, with numbers and what to do about it.

    Args:
        report: the numbers of ``inspect_demos``.
    """
    episodes, copies = report["episodes"], report["duplicate_episodes"]
    at_once, beyond = report["success_at_once_episodes"], report["actions_beyond_bounds"]
    found = [
        _failures(report),
        f"{at_once} of {episodes} episodes succeed at the first step and show little: "
        f"collect more episodes"
        if at_once > _SUCCESS_AT_ONCE * episodes + _FEW
        else "",
        f"{copies} of {episodes} episodes are copies of others and weigh more than their share: "
        f"leave them out, or collect others with another --seed"
        if copies
        else "",
        _dead_actions(report),
        f"{beyond} of {counted(report['transitions'], 'action')} are beyond the bounds, which "
        f"training refuses: collect or import them again"
        if beyond
        else "",
        *[
            f"no goal of {episodes} episodes lies in the part called {part}: add some that do"
            for part, counts in report["parts"].items()
            if not counts["episodes"] and episodes >= _ENOUGH_FOR_ALL_PARTS
        ],
    ]
    return [text for text in found if text]


def find_remarks(report: Mapping[str, Any]) -> list[str]:
    """Return what is right for some tasks and wrong for others, so that the reader must judge.

    Args:
        report: the numbers of ``inspect_demos``.
    """
    found = []
    # The gripper of FetchReach is closed for good: the expert leaves it alone.
    if report["dead_action_dimensions"] and not _dead_actions(report):
        constant = [
            f"{dimension} is always {report['action_low'][dimension]:g}"
            for dimension in report["dead_action_dimensions"]
        ]
        found.append(f"Action {', action '.join(constant)}: right if the task does not need it.")
    if report["distinct_goals"] == 1 < report["episodes"]:
        found.append("All episodes have the same goal: right if the task has only one.")
    return found


def _failures(report: Mapping[str, Any]) -> str:
    episodes, failed = report["episodes"], report["failed_episodes"]
    if not failed:
        return ""
    lost = round((report["success_ever_rate"] - report["success_rate"]) * episodes)
    reached = f" ({lost} of them reach their goal and lose it)" if lost else ""
    if failed == episodes:
        return (
            f"none of {episodes} episodes ends in success{reached}: they show nothing to imitate; "
            f"make sure that they are of {report['env_id']}"
        )
    advice = "" if report["imported_from"] else ", `demos collect` without --keep-failures has none"
    return (
        f"{failed} of {episodes} episodes do not end in success{reached}: "
        f"the Q-filter copes with them{advice}"
    )


def _dead_actions(report: Mapping[str, Any]) -> str:
    """Say which numbers of the actions never change, if the task seems to need them."""
    dead, failed = report["dead_action_dimensions"], report["failed_episodes"]
    if not dead or 2 * failed <= report["episodes"]:
        return ""
    return (
        f"action dimensions {dead} never change, with {counted(failed, 'failed episode')}: "
        f"make sure that the demonstrator could move them"
    )
