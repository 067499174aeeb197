"""Training episodes that somebody has steered: kept with the run, for it cannot run them again.

All other episodes are pure functions of their jobs. A run that resumes from a checkpoint asks for
the same ones again, and gets these from their files.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from headstart.data.episode import OWN, Episode
from headstart.demos.record import versions
from headstart.demos.storage import DemoSet, load_demos, save_demos, task_header
from headstart.envs.goal_env import GoalSpec
from headstart.errors import InputError
from headstart.policy import Policy
from headstart.rollout.executors import Executor, Pending
from headstart.rollout.job import ROLLOUT, EpisodeJob
from headstart.training.trainer import Trainer

STEERED = "steered"
"""The directory of their files in a run directory; each is a demo file."""


def remember_steered(directory: Path, trainer: Trainer, *, alone: bool = True) -> None:
    """Let a run that continues have its steered episodes again, if there are some.

    Raises:
        InputError: if there are, and this process is not alone.
    """
    if not alone and (directory / STEERED).is_dir():
        raise InputError(f"{directory}: a run that was steered is continued without torchrun")
    if not isinstance(trainer.executor, Remembering) and (directory / STEERED).is_dir():
        executor = Remembering(trainer.rollouts.executor, directory)
        trainer.rollouts = replace(trainer.rollouts, executor=executor)


class _Kept:
    """An episode that is there already."""

    def __init__(self, demos: DemoSet) -> None:
        (self._episode,) = demos.episodes

    def result(self) -> Episode:
        return self._episode


class Remembering(Executor):
    """Returns steered episodes from their files, and runs all others.

    Args:
        inner: runs them.
        directory: of the run.
    """

    def __init__(self, inner: Executor, directory: Path) -> None:
        self.inner, self._directory = inner, directory / STEERED

    @property
    def repeated(self) -> int:  # type: ignore[override]
        """How often a job had to be run again."""
        return self.inner.repeated

    @property
    def cpu_seconds(self) -> float:
        """Processor time of collectors so far."""
        return getattr(self.inner, "cpu_seconds", 0.0)

    def submit(self, jobs: Sequence[EpisodeJob]) -> Sequence[Pending]:
        """Ask for episodes; they come in the order of the jobs."""
        pending = iter(self.inner.submit([job for job in jobs if not self.has(job)]))
        return [
            _Kept(load_demos(self._path(job))) if self.has(job) else next(pending) for job in jobs
        ]

    def has(self, job: EpisodeJob) -> bool:
        """Return whether there is a file of a job."""
        is_policy = job.stream == ROLLOUT and isinstance(job.policy, Policy)
        return is_policy and self._directory.is_dir() and self._path(job).is_file()

    def keep(
        self, job: EpisodeJob, episode: Episode, wanted: Sequence[Sequence[float]], spec: GoalSpec
    ) -> None:
        """Write the file of an episode, if any step of it is not the policy's own.

        Args:
            job: what was run.
            episode: what came of it.
            wanted: what the policy would have done, a row a step.
            spec: what is known of the environment.

        Raises:
            InputError: if it cannot be written.
        """
        if (episode.sources == OWN).all():
            return
        self._directory.mkdir(exist_ok=True)
        header = {
            "expert": "the policy in training, corrected by a person",
            "seed": job.seed,
            "episode_indices": [job.index],
            **task_header(spec),
            "versions": versions(),
            "policy_actions": np.asarray(wanted, float).tolist(),
        }
        save_demos(self._path(job), DemoSet(spec.env_id, (episode,), header))

    def close(self) -> None:
        """Close what runs the others."""
        self.inner.close()

    def _path(self, job: EpisodeJob) -> Path:
        """Return the file of a training episode by this policy."""
        assert isinstance(job.policy, Policy)
        digest = hashlib.sha256()
        for _, array in sorted(job.policy.arrays().items()):
            digest.update(array.tobytes())
        return self._directory / f"{job.index:08d}-{digest.hexdigest()[:12]}.npz"
