"""Greedy episodes of the best policies of runs: successes by region and component, and films."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from headstart.data.episode import Episode
from headstart.data.statistics import FloatArray
from headstart.envs.make import make_env
from headstart.envs.task_facts import find_regions
from headstart.errors import InputError
from headstart.policy import Policy, load_policy
from headstart.rollout.behaviour import fit_policy
from headstart.rollout.executors import Collectors, open_executor
from headstart.rollout.job import EVALUATION, EpisodeJob, run_episode
from headstart.training.evaluation import EvalResult, component_reward, each_trial, summarize
from headstart.viz.gl import select_backend
from headstart.viz.live import encode
from headstart.viz.report.reading import Group
from headstart.viz.video import Film, writer_of

SEED = 0
"""Root of the episodes' seeds, as `headstart evaluate` has it by default."""
_SIDE = 240  # pixels of a film, about
_MOST_PICTURES = 150  # of a film, the last one apart


@dataclass(frozen=True)
class Shot:
    """A film of one episode, and its last picture."""

    title: str
    video: bytes  # .mp4
    poster: bytes  # .jpg


@dataclass(frozen=True)
class Trial:
    """The episodes of one run's best policy; ``None`` for each that failed to run."""

    policy: Policy
    episodes: Sequence[Episode | None]
    result: EvalResult

    @property
    def done(self) -> list[Episode]:
        """The episodes that ran."""
        return [episode for episode in self.episodes if episode is not None]


@dataclass(frozen=True)
class Trials:
    """The trials of a group."""

    env_id: str
    runs: Sequence[Trial]

    def reached_by_step(self) -> FloatArray:
        """Return the share of episodes that have reached their goal, by step, ``(longest,)``."""
        done = [episode for trial in self.runs for episode in trial.done]
        reached = np.zeros(max(len(episode) for episode in done))
        for episode in done:
            if episode.is_success.any():
                reached[int(np.argmax(episode.is_success)) :] += 1
        return reached / sum(len(trial.episodes) for trial in self.runs)


def try_group(
    group: Group, env_id: str, episodes: int, collectors: Collectors, tick: Callable[[object], None]
) -> Trials:
    """Run episodes of the best policy of each run of a group.

    Raises:
        InputError: if a run holds no policy, or every episode fails.
    """
    config = group.first.record.config
    trials = []
    with contextlib.closing(make_env(env_id)) as env:
        (regions, _), reward = find_regions(env, config.task), component_reward(env, config.task)
        with open_executor(env_id, collectors, None) as executor:
            for run in group.runs:
                policy = fit_policy(load_policy(run.path), env)
                outcomes = []
                for outcome in each_trial(executor, policy, episodes=episodes, seed=SEED):
                    outcomes.append(outcome)
                    tick(None)
                done = [episode for episode in outcomes if episode is not None]
                result = summarize(env_id, SEED, done, len(outcomes) - len(done), regions, reward)
                trials.append(Trial(policy, outcomes, result))
    return Trials(env_id, trials)


def film_trials(trials: Trials, most: int) -> Iterator[Shot]:
    """Yield films of failures, or of one success where there are none.

    Raises:
        InputError: if nothing can be drawn here.
    """
    episodes = [
        (trial.policy, index, episode.success)
        for trial in trials.runs
        for index, episode in enumerate(trial.episodes)
        if episode is not None
    ]
    chosen = [each for each in episodes if not each[-1]] or episodes[:1]
    select_backend()
    with contextlib.closing(make_env(trials.env_id, render_mode="rgb_array")) as env:
        for policy, index, success in chosen[:most]:
            yield _shoot(env, policy, index, f"{'success' if success else 'failure'} {index}")


def _shoot(env: Any, policy: Policy, index: int, title: str) -> Shot:
    """Run an episode again, and film it."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "film.mp4"
        try:
            every = -(-env.spec.max_episode_steps // _MOST_PICTURES)
            with contextlib.closing(_Smaller(writer_of(path, 25), every)) as writer:
                film = Film(env, title, writer)
                run_episode(env, EpisodeJob(policy, SEED, EVALUATION, index), film.draw)
                film.linger()
            video = path.read_bytes()
        except OSError as error:
            raise InputError(f"films cannot be written ({error})") from error
    return Shot(title, video, writer.last_picture())


class _Smaller:
    """Writes pictures at about ``_SIDE`` pixels, of long episodes not every one."""

    def __init__(self, writer: Any, every: int) -> None:
        self._writer, self._every, self._seen = writer, every, 0
        self._last = Image.new("RGB", (2, 2))

    def append_data(self, frame: Any) -> None:
        """Write one picture."""
        image = Image.fromarray(frame)
        self._last = image.reduce(max(1, round(min(image.size) / _SIDE)))
        if self._seen % self._every == 0:
            self._writer.append_data(np.asarray(self._last))
        self._seen += 1

    def last_picture(self) -> bytes:
        """Return the last picture as JPEG."""
        return encode(np.asarray(self._last))

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()
