"""Recording demonstrations with a scripted expert, or with a policy."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.metadata import version
from typing import Any

from headstart.data.episode import Episode
from headstart.demos.storage import DemoSet
from headstart.envs.goal_env import GoalSpec
from headstart.envs.make import make_env
from headstart.errors import InputError, require
from headstart.rollout.executors import Executor, make_executor
from headstart.rollout.exploration import Exploration
from headstart.rollout.job import Behaviour, EpisodeJob

_MAX_FAILURES_PER_SUCCESS = 20
_PACKAGES = ("headstart", "gymnasium", "gymnasium-robotics", "mujoco")


def collect_demos(
    env_id: str,
    expert: Behaviour,
    *,
    episodes: int,
    seed: int = 0,
    collectors: int = 0,
    keep_failures: bool = False,
    noise: float = 0.0,
    snapshots: bool = True,
    on_episode: Callable[[Episode], None] | None = None,
) -> DemoSet:
    """Run an expert until ``episodes`` demonstrations are kept.

    Args:
        env_id: Gymnasium id of the goal environment.
        expert: a scripted expert, a ``Policy``, or any picklable function of an observation dict.
        episodes: how many to keep.
        seed: root of the episodes' seeds. The result depends on it, and not on ``collectors``.
        collectors: processes that run the episodes; 0 runs them here.
        keep_failures: keep episodes that do not end in success too.
        noise: standard deviation of Gaussian noise, as a share of half the action range, on what is
            executed. The demonstrations keep what the expert wanted, so that they show how to
            recover (noise injection, Laskey et al. 2017).
        snapshots: keep the simulator's state at every step, where the environment has one to keep.
        on_episode: called with each kept episode.

    Raises:
        InputError: if no episode is asked for, the seed is negative, or the expert fails nearly
            always.
    """
    if episodes < 1:
        raise InputError(f"episodes must be at least 1, got {episodes}")
    require(seed >= 0, "seed must not be negative", seed)
    job = EpisodeJob(
        expert,
        seed,
        "demos",
        index=0,
        exploration=Exploration(noise=noise),
        reward_info_keys=_reward_info_keys(env_id),
        snapshots=snapshots,
        record_intended=noise > 0.0,
    )
    kept: dict[int, Episode] = {}
    with make_executor(env_id, collectors) as executor:
        for index, episode in _attempts(executor, job, max(2 * collectors, 1)):
            if episode.success or keep_failures:
                kept[index] = episode
                if on_episode is not None:
                    on_episode(episode)
            if len(kept) == episodes:
                break
            if index + 1 >= _MAX_FAILURES_PER_SUCCESS * (len(kept) + 1):
                raise InputError(
                    f"only {len(kept)} of {index + 1} episodes on {env_id} ended in success; "
                    f"--keep-failures keeps the others too"
                )
    return DemoSet(env_id, tuple(kept.values()), _header(job, list(kept)))


def _header(job: EpisodeJob, indices: list[int]) -> dict[str, Any]:
    """Return where the demonstrations come from, enough to collect them again."""
    return {
        "expert": getattr(job.policy, "__name__", type(job.policy).__name__),
        "seed": job.seed,
        "noise": job.exploration.noise,
        "episode_indices": indices,
        "reward_info_keys": list(job.reward_info_keys),
        "versions": {name: version(name) for name in _PACKAGES},
    }


def _reward_info_keys(env_id: str) -> tuple[str, ...]:
    env = make_env(env_id)
    try:
        return GoalSpec.from_env(env).reward_info_keys
    finally:
        env.close()


def _attempts(executor: Executor, job: EpisodeJob, ahead: int) -> Iterator[tuple[int, Episode]]:
    """Yield numbered episodes in order, asking for ``ahead`` more than are needed at once."""
    waiting = list(executor.submit([replace(job, index=index) for index in range(ahead)]))
    index = 0
    while True:
        waiting += executor.submit([replace(job, index=index + ahead)])
        yield index, waiting.pop(0).result()
        index += 1
