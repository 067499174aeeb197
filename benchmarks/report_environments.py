"""The table of ``docs/environments.md`` on environments of other packages."""

from typing import Any

from report_demos import load


def third_party_table() -> str:
    """What is said of each environment, and what is learned in it."""
    result = load("third-party")
    if result is None:
        return ""
    rows = [
        "| environment | `envs check` | env steps | success | from demonstrations of that policy |",
        "|---|---|--:|--:|--:|",
    ]
    for environment in result["environments"]:
        problems = environment["check"]["problems"]
        check = "; ".join(problem.partition(":")[0] for problem in problems) or "no problem"
        learned = ["", "", ""]
        if "env_steps" in environment:
            learned = [
                f"{environment['env_steps']:,}",
                _rate(environment["without_demos"]),
                _rate(environment["with_demos"]),
            ]
        rows.append(f"| `{environment['env_id']}` | {check} | {' | '.join(learned)} |")
    return "\n".join(rows)


def _rate(evaluation: dict[str, Any]) -> str:
    floor = evaluation["floor"]["success_rate"]
    return f"{evaluation['success_rate']:.0%} (doing nothing {floor:.0%})"
