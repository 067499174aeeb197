"""An executor that shows some training episodes in the browser, and lets people step in."""

import logging
from collections.abc import Sequence

from headstart.data.episode import Episode
from headstart.envs.goal_env import GoalSpec
from headstart.errors import InputError, RunError
from headstart.policy import Policy
from headstart.rollout.deferred import Deferred
from headstart.rollout.executors import Executor, Pending
from headstart.rollout.job import ROLLOUT, EpisodeJob
from headstart.rollout.pickled import copy_jobs
from headstart.runs.steered import Remembering
from headstart.text import describe_error
from headstart.web.steer.cockpit import Cockpit

_log = logging.getLogger("headstart")


class Steering(Executor):
    """Shows the first of the episodes that are asked for together; others run as ever.

    With nobody at the page every episode is what it is without it, bit for bit, and so is one that
    is shown and left alone.

    Args:
        inner: runs the others, and keeps those that were steered.
        cockpit: runs what is shown.
        spec: what is known of the environment.
    """

    def __init__(self, inner: Remembering, cockpit: Cockpit, spec: GoalSpec) -> None:
        self._inner, self._cockpit, self._spec = inner, cockpit, spec

    @property
    def repeated(self) -> int:  # type: ignore[override]
        """How often a job had to be run again."""
        return self._inner.repeated

    @property
    def cpu_seconds(self) -> float:
        """Processor time of collectors so far."""
        return self._inner.cpu_seconds

    def submit(self, jobs: Sequence[EpisodeJob]) -> Sequence[Pending]:
        """Ask for episodes; they come in the order of the jobs."""
        if not jobs or not self._can_be_shown(jobs) or not self._cockpit.is_manned():
            return self._inner.submit(jobs)
        (copy,) = copy_jobs(jobs[:1])
        return [Deferred(lambda: self._run(copy())), *self._inner.submit(jobs[1:])]

    def close(self) -> None:
        """Close what runs the others."""
        self._inner.close()

    def _can_be_shown(self, jobs: Sequence[EpisodeJob]) -> bool:
        """Return whether the first job is a training episode of the only policy, in the only env.

        Policies that are compared with one another must not be helped.
        """
        first = jobs[0]
        is_compared = len({job.index for job in jobs}) < len(jobs)
        is_plain = not first.task.env_kwargs and isinstance(first.policy, Policy)
        return (
            first.stream == ROLLOUT and is_plain and not is_compared and not self._inner.has(first)
        )

    def _run(self, job: EpisodeJob) -> Episode:
        try:
            episode, wanted = self._cockpit.run(job)
        except (InputError, RunError):
            raise
        except Exception as error:
            _log.warning(
                "episode %d cannot be shown and runs unseen: %s", job.index, describe_error(error)
            )
            return self._inner.submit([job])[0].result()
        self._inner.keep(job, episode, wanted, self._spec)
        return episode
