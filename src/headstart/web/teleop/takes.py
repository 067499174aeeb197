"""The episodes of a session, and the demo file that always holds those that are kept."""

import contextlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from headstart.demos.record import versions
from headstart.demos.storage import DemoSet, save_demos, task_header
from headstart.envs.goal_env import GoalSpec
from headstart.web.teleop.session import STEPS_PER_SECOND, Recorded


@dataclass(frozen=True)
class Take:
    """An episode in the list of the page."""

    recorded: Recorded
    picture: str
    """Its last picture, as a data URL."""
    recorded_at: str
    """When it ended, in ISO 8601."""
    is_kept: bool

    def to_json(self, number: int) -> dict[str, Any]:
        """Return what the page shows of it."""
        episode = self.recorded.episode
        return {
            "number": number,
            "scene": self.recorded.scene,
            "steps": len(episode),
            "seconds": round(len(episode) / STEPS_PER_SECOND, 1),
            "is_success": episode.success,
            "is_kept": self.is_kept,
            "picture": self.picture,
        }


class Takes:
    """All episodes; the file is written, whole, each time that one more or one less is kept.

    Args:
        path: the demo file.
        spec: what is known of the environment.
        seed: root of the scenes' seeds.
        ghost: what assists, in words, if anything does.
    """

    def __init__(self, path: Path, spec: GoalSpec, seed: int, ghost: str | None) -> None:
        self.path = path
        self._spec, self._seed, self._ghost = spec, seed, ghost
        self.all: list[Take] = []

    @property
    def kept(self) -> list[Take]:
        """The episodes that are in the file."""
        return [take for take in self.all if take.is_kept]

    def add(self, recorded: Recorded, picture: str) -> None:
        """Take an episode into the list, and into the file if it is kept."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self.all.append(Take(recorded, picture, now, recorded.is_kept))
        if recorded.is_kept:
            self._save()

    def keep(self, number: int, *, is_kept: bool) -> None:
        """Keep an episode, or drop it; a number that there is not changes nothing."""
        if number < len(self.all) and self.all[number].is_kept != is_kept:
            self.all[number] = replace(self.all[number], is_kept=is_kept)
            self._save()

    def demos(self) -> DemoSet:
        """Return the episodes that are kept as demonstrations."""
        kept = self.kept
        header = {
            "expert": "teleoperation"
            if self._ghost is None
            else f"teleoperation with {self._ghost}",
            "seed": self._seed,
            "noise": 0.0,
            "episode_indices": [take.recorded.scene for take in kept],
            "failed_attempts": len(self.all) - len(kept),
            **task_header(self._spec),
            "versions": versions(),
            "teleop": {
                "steps_per_second": STEPS_PER_SECOND,
                "episodes": [
                    {
                        "recorded_at": take.recorded_at,
                        "undone_steps": take.recorded.undone_steps,
                        "most_assisted": take.recorded.most_assisted,
                    }
                    for take in kept
                ],
            },
        }
        return DemoSet(self._spec.env_id, tuple(take.recorded.episode for take in kept), header)

    def _save(self) -> None:
        if self.kept:
            save_demos(self.path, self.demos())
        else:
            # It was written here, with what is dropped by now.
            with contextlib.suppress(FileNotFoundError):
                self.path.unlink()
