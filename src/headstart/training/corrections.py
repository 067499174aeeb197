"""What somebody has shown who stepped in: it goes to the side of the demonstrations too."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from headstart.data.episode import CORRECTED, STATE_ARRAYS, STEP_ARRAYS, VECTORS, Episode
from headstart.data.hindsight import HindsightSampler, Sampler
from headstart.data.replay import EpisodeReplay, StoredEpisodes
from headstart.data.symmetry import MirroredSampler


class Corrections:
    """Adds the corrected parts of training episodes to the replay of demonstrations.

    Args:
        demo_sampler: who draws batches of demonstrations; ``None`` if there are none. Corrections
            then are where their episodes are, and nowhere else.
    """

    def __init__(self, demo_sampler: Sampler | None) -> None:
        while isinstance(demo_sampler, MirroredSampler):
            demo_sampler = demo_sampler.sampler
        self._shown: EpisodeReplay | None = None
        if isinstance(demo_sampler, HindsightSampler):
            self._shown = demo_sampler.replay

    def add(self, episode: Episode) -> None:
        """Add what of a training episode was corrected."""
        if self._shown is not None:
            for part in corrected_parts(episode):
                self._shown.add(part)

    def restore(self, replay: EpisodeReplay, parts: Iterable[StoredEpisodes]) -> None:
        """Add what was corrected of stored training episodes, oldest first.

        Args:
            replay: the one that the episodes are of.
            parts: the episodes.
        """
        for part in parts:
            if (part.rows[:, replay.columns["sources"]] == CORRECTED).any():
                for episode in _episodes(replay.columns, part):
                    self.add(episode)


def corrected_parts(episode: Episode) -> Iterator[Episode]:
    """Yield the stretches of an episode that somebody has steered, each as an episode."""
    steered = np.concatenate([[False], episode.sources == CORRECTED, [False]])
    for start, stop in pairwise(np.flatnonzero(steered[1:] != steered[:-1]).tolist()):
        if not steered[start + 1]:
            continue
        cut: dict[str, Any] = {name: getattr(episode, name)[start:stop] for name in STEP_ARRAYS}
        cut |= {name: getattr(episode, name)[start : stop + 1] for name in STATE_ARRAYS}
        yield replace(episode, **cut, rewards=episode.rewards[start:stop])


def _episodes(columns: Mapping[str, slice], part: StoredEpisodes) -> Iterator[Episode]:
    """Yield stored episodes, as far as a replay stores them."""
    first = 0
    for steps in part.steps.tolist():
        rows = part.rows[first : first + steps + 1]
        arrays: dict[str, Any] = {
            name: rows[:, columns[name]] if name in STATE_ARRAYS else rows[:-1, columns[name]]
            for name in VECTORS
        }
        yield Episode(
            **arrays,
            terminated=rows[:-1, columns["terminated"].start] > 0.0,
            is_success=np.zeros(steps, bool),
            sources=rows[:-1, columns["sources"].start].astype(np.uint8),
        )
        first += steps + 1
