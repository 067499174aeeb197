"""Several sets of demonstrations as one."""

from collections.abc import Mapping, Sequence
from typing import Any

from headstart.demos.storage import DemoSet
from headstart.errors import InputError
from headstart.text import printable

_OF_ONE_SET = ("is_success", "episode_indices", "remarks", "joined", "expansion")


def join_demos(named: Sequence[tuple[str, DemoSet]]) -> DemoSet:
    """Return the episodes of all sets in order, and a header that says where each part is from.

    Args:
        named: demonstrations of one environment, each with what to call it, such as its file.

    Raises:
        InputError: if they are of different environments.
    """
    held = [(name, demos) for name, demos in named if demos.episodes] or named[:1]
    if len(held) == 1:
        return held[0][1]
    for name, demos in held[1:]:
        _check_alike(*held[0], name, demos)
    episodes = tuple(episode for _, demos in held for episode in demos.episodes)
    return DemoSet(held[0][1].env_id, episodes, _header(held))


def _check_alike(first_name: str, first: DemoSet, name: str, other: DemoSet) -> None:
    """Refuse sets that one environment cannot have made."""
    pairs: list[tuple[str, Any, Any]] = [("env_id", first.env_id, other.env_id)]
    pairs += [(f"{key} width", first.widths[key], other.widths[key]) for key in first.widths]
    keys = "reward_info_keys"
    pairs.append((keys, first.header.get(keys, []), other.header.get(keys, [])))
    one, two = first.header.get("action_bounds"), other.header.get("action_bounds")
    if one is not None and two is not None:
        pairs.append(("action_bounds", one, two))
    for what, one, two in pairs:
        if one != two:
            raise InputError(
                f"{name}: demonstrations that are joined must be of one environment; {what} is "
                f"{printable(two)}, and {printable(one)} in {first_name}"
            )


def remarks_of(demos: DemoSet) -> list[str]:
    """Return the remarks in a header, which anyone may have written."""
    remarks = demos.header.get("remarks")
    if not isinstance(remarks, list):
        return []
    return [remark for remark in remarks if isinstance(remark, str)]


def with_remark(demos: DemoSet, remark: str) -> DemoSet:
    """Return the set with one more remark in its header."""
    remarks = remarks_of(demos)
    if remark in remarks:
        return demos
    return DemoSet(demos.env_id, demos.episodes, {**demos.header, "remarks": [*remarks, remark]})


def _header(named: Sequence[tuple[str, DemoSet]]) -> dict[str, Any]:
    """Return what all headers agree on, and what each of them says."""
    headers = [dict(demos.header) for _, demos in named]
    shared = {
        key: value
        for key, value in headers[0].items()
        if key not in _OF_ONE_SET and all(header.get(key) == value for header in headers)
    }
    # Some with noise are enough: what was executed is then not in the file.
    given = [header.get("noise") for header in headers]
    noise = [it for it in given if isinstance(it, int | float) and not isinstance(it, bool)]
    if noise:
        shared["noise"] = max(noise)
    bounds = [header["action_bounds"] for header in headers if header.get("action_bounds")]
    if bounds:
        shared["action_bounds"] = bounds[0]
    remarks = [f"{name}: {remark}" for name, demos in named for remark in remarks_of(demos)]
    joined = [
        {"file": name, "env_id": demos.env_id, "episodes": len(demos.episodes), **_origin(header)}
        for (name, demos), header in zip(named, headers, strict=True)
    ]
    return {**shared, "remarks": remarks, "joined": joined}


def _origin(header: Mapping[str, Any]) -> dict[str, Any]:
    keys = (
        "expert",
        "imported_from",
        "format",
        "expansion",
        "seed",
        "noise",
        "versions",
        "episode_indices",
    )
    return {key: header[key] for key in keys if key in header}
