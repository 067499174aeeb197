"""What an expansion has cost, as the header of its demonstrations says it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from headstart.data.episode import Episode

HEADER = "expansion"
"""The key in a header."""
FOUND = "nothing"
"""The origin of demonstrations that were made from what had moved an object by chance."""
_LARGEST = 2**63 - 1


@dataclass(frozen=True)
class ExpansionCost:
    """Steps and attempts of one expansion, or of several together."""

    env_steps: int = 0
    """All that were taken: of failed attempts and of branches too."""
    branch_steps: int = 0
    """Those of branches that were gone back from."""
    attempts: int = 0
    kept: int = 0

    def __add__(self, other: "ExpansionCost") -> "ExpansionCost":
        return ExpansionCost(
            self.env_steps + other.env_steps,
            self.branch_steps + other.branch_steps,
            self.attempts + other.attempts,
            self.kept + other.kept,
        )

    def to_json(self) -> dict[str, int]:
        """Return plain JSON values."""
        return asdict(self)


def cost_of(header: Mapping[str, Any]) -> ExpansionCost | None:
    """Return what the demonstrations with this header have cost; ``None`` if nothing says so.

    A header may come from anyone: what is not a cost is passed over.
    """
    own = _read(header.get(HEADER))
    parts = header.get("joined")
    costs = [_read(part.get(HEADER)) for part in _dicts(parts)] if own is None else [own]
    known = [cost for cost in costs if cost is not None]
    return sum(known[1:], known[0]) if known else None


def expansion_env_steps(header: Mapping[str, Any]) -> int:
    """Return the env steps that demonstrations with this header have cost, as far as it says."""
    cost = cost_of(header)
    return 0 if cost is None else cost.env_steps


def digest_of(episodes: Sequence[Episode]) -> str:
    """Return the SHA-256 of demonstrations that were expanded, by which they are known again."""
    digest = hashlib.sha256()
    for episode in episodes:
        for array in (episode.observations, episode.desired_goals, episode.actions):
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def is_expansion_of(header: Mapping[str, Any], episodes: Sequence[Episode]) -> bool:
    """Return whether demonstrations with this header were made from these."""
    own = header.get(HEADER)
    return isinstance(own, dict) and own.get("sources_sha256") == digest_of(episodes)


def is_found(header: Mapping[str, Any]) -> bool:
    """Return whether demonstrations with this header were made from nothing."""
    own = header.get(HEADER)
    return isinstance(own, dict) and own.get("origin") == FOUND


def _read(written: object) -> ExpansionCost | None:
    if not isinstance(written, dict):
        return None
    values = [written.get(name, 0) for name in asdict(ExpansionCost())]
    whole = all(type(value) is int and 0 <= value <= _LARGEST for value in values)
    return ExpansionCost(*values) if whole else None


def _dicts(values: object) -> list[dict[str, Any]]:
    found = values if isinstance(values, list) else []
    return [value for value in found if isinstance(value, dict)]
