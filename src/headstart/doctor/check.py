"""``Check``: one thing that was tried on this machine, and what came of it."""

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "advice", "problem"]


@dataclass(frozen=True)
class Check:
    """One thing that was tried. A problem stops the main job; advice does not."""

    name: str
    status: Status
    found: str
    """What was found, in one line."""
    repair: str | None = None
    """What to do about it; there is nothing to do exactly when the status is ok."""

    def __post_init__(self) -> None:
        if (self.status == "ok") != (self.repair is None):
            raise ValueError(f"{self.name}: status {self.status} with repair {self.repair!r}")
