"""Film strips: an episode as a row of stills in one picture."""

from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from headstart.rollout.job import EpisodeJob, run_episode
from headstart.viz.live import encode, picture

STILLS, SIDE = 8, 128
"""Most pictures of a strip, and about how many pixels each is high."""


class Strip(NamedTuple):
    """One episode."""

    success: bool
    steps_to_success: int | None
    picture: bytes  # .jpg


def film_strip(env: Any, job: EpisodeJob) -> Strip:
    """Run an episode and return stills of it until its first success, and of its last state.

    Raises:
        InputError: if the environment cannot be drawn.
        EpisodeError: if the episode fails.
    """
    # Twice: how long it takes is known afterwards, and drawing costs more than all the rest.
    episode = run_episode(env, job)
    first = int(np.argmax(episode.is_success)) + 1 if episode.is_success.any() else None
    stills = _Stills(env, first or len(episode))
    run_episode(env, job, stills.draw)
    stills.take()
    return Strip(episode.success, first, stills.strip())


class _Stills:
    """Takes pictures at even distances up to a step."""

    def __init__(self, env: Any, until: int) -> None:
        self._env, self._step = env, 0
        self._wanted = {*np.linspace(0, until, STILLS - 1).round().astype(int).tolist()}
        self._pictures: list[Image.Image] = []

    def draw(self, success: bool) -> None:
        """Take a picture of the state that the environment is in, if one is due."""
        if self._step in self._wanted:
            self.take()
        self._step += 1

    def take(self) -> None:
        """Take a picture."""
        image = Image.fromarray(picture(self._env))
        self._pictures.append(image.reduce(max(1, round(image.height / SIDE))))

    def strip(self) -> bytes:
        """Return all pictures side by side."""
        width, height = self._pictures[0].size
        row = Image.new("RGB", (width * len(self._pictures), height))
        for index, still in enumerate(self._pictures):
            row.paste(still, (index * width, 0))
        return encode(np.asarray(row))
