"""Recording demonstrations with a scripted expert."""

from collections.abc import Callable, Iterator
from importlib.metadata import version

from headstart.data.episode import Episode
from headstart.demos.storage import DemoSet
from headstart.envs.goal_env import GoalSpec
from headstart.envs.make import make_env
from headstart.errors import InputError
from headstart.rollout.executors import Executor, make_executor
from headstart.rollout.job import Behaviour, EpisodeJob

_MAX_FAILURES_PER_SUCCESS = 20


def collect_demos(
    env_id: str,
    expert: Behaviour,
    *,
    episodes: int,
    seed: int = 0,
    collectors: int = 0,
    keep_failures: bool = False,
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
        on_episode: called with each kept episode.

    Raises:
        InputError: if no episode is asked for, or the expert fails nearly always.
    """
    if episodes < 1:
        raise InputError(f"episodes must be at least 1, got {episodes}")
    kept: list[Episode] = []
    indices: list[int] = []
    env = make_env(env_id)
    keys = GoalSpec.from_env(env).reward_info_keys
    env.close()

    def job(index: int) -> EpisodeJob:
        return EpisodeJob(expert, seed, "demos", index, reward_info_keys=keys)

    with make_executor(env_id, collectors) as executor:
        for index, episode in _attempts(executor, job, max(2 * collectors, 1)):
            if episode.success or keep_failures:
                kept.append(episode)
                indices.append(index)
                if on_episode is not None:
                    on_episode(episode)
            if len(kept) == episodes:
                break
            if index + 1 >= _MAX_FAILURES_PER_SUCCESS * (len(kept) + 1):
                raise InputError(
                    f"only {len(kept)} of {index + 1} episodes on {env_id} ended in success; "
                    f"--keep-failures keeps the others too"
                )
    names = ("headstart", "gymnasium", "gymnasium-robotics", "mujoco")
    header = {
        "expert": getattr(expert, "__name__", type(expert).__name__),
        "seed": seed,
        "episode_indices": indices,
        "reward_info_keys": list(keys),
        "versions": {name: version(name) for name in names},
    }
    return DemoSet(env_id, tuple(kept), header)


def _attempts(
    executor: Executor, job: Callable[[int], EpisodeJob], ahead: int
) -> Iterator[tuple[int, Episode]]:
    """Yield numbered episodes in order, asking for ``ahead`` more than are needed at once."""
    waiting = list(executor.submit([job(index) for index in range(ahead)]))
    index = 0
    while True:
        waiting += executor.submit([job(index + ahead)])
        yield index, waiting.pop(0).result()
        index += 1
