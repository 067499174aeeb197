"""Why an attempt at an episode failed, in a form that other processes can be sent."""

import traceback
from dataclasses import dataclass

from headstart.errors import EpisodeError
from headstart.rollout.job import EpisodeJob
from headstart.text import describe_error

ATTEMPTS = 3
"""How often a job is tried before its failure is taken to lie in the job."""


@dataclass(frozen=True)
class Failure:
    """One failed attempt."""

    reason: str
    """One line."""
    env_steps: int = 0
    """How many steps it took, 0 if nobody knows."""
    details: str = ""
    """The traceback, if there is one."""
    policy: str | None = None
    """The name of the policy, if it is what failed."""

    @classmethod
    def of(cls, error: BaseException) -> "Failure":
        """Return what is known of an exception of the environment or the policy."""
        details = "".join(traceback.format_exception(error))
        env_steps, policy = getattr(error, "env_steps", 0), getattr(error, "policy", None)
        return cls(describe_error(error), env_steps, details, policy)

    def error(self, env_id: str, job: EpisodeJob) -> EpisodeError:
        """Return the error of a job whose last attempt this was."""
        failed = env_id if self.policy is None else f"policy {self.policy} on {env_id}"
        place = f"{failed}, episode with seed {job.env_seed}"
        reason = f"{place}: failed {ATTEMPTS} times, {self.reason}"
        return EpisodeError(reason, self.env_steps, self.details)
