"""The executor of a run that shows its rollouts in the browser."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from headstart.envs.goal_env import GoalSpec
from headstart.envs.make import env_source
from headstart.envs.source import EnvLike
from headstart.envs.task import TaskConfig
from headstart.rollout.executors import Collectors, Executor, make_executor
from headstart.rollout.limits import EPISODE_TIMEOUT
from headstart.runs.steered import Remembering
from headstart.web.screen import Screen
from headstart.web.server import PageServer
from headstart.web.steer.cockpit import Cockpit
from headstart.web.steer.executor import Steering
from headstart.web.views import drawable_env, open_views

_SIZE = 480


@contextlib.contextmanager
def open_steering(
    env: EnvLike,
    server: PageServer,
    directory: Path,
    *,
    collectors: Collectors = 0,
    timeout: float = EPISODE_TIMEOUT,
    task: TaskConfig | None = None,
    draw: bool = True,
) -> Iterator[Executor]:
    """Yield an executor for ``train`` or ``resume`` whose rollouts people may steer.

    Args:
        env: the environment, all that ``make_env`` takes.
        server: serves the files of the page of teleoperation and reads ``read_message``.
        directory: of the run, where steered episodes are kept; it need not exist yet.
        collectors: processes, or a Ray cluster, that run the other episodes.
        timeout: seconds that an episode may take in a collector.
        task: what is declared of the environment from outside.
        draw: whether to render; if not, a diagram of the places in the observation is shown.

    Raises:
        InputError: if the environment cannot be built.
    """
    source = env_source(env)
    with contextlib.closing(drawable_env(source, draw=draw)) as shown:
        spec = GoalSpec.from_env(shown, task, name=source.name)
        with (
            contextlib.closing(open_views(shown, spec, _SIZE, draw=draw)) as views,
            make_executor(source, collectors, timeout=timeout) as inner,
        ):
            cockpit = Cockpit(server, shown, spec, Screen(server, views))
            yield Steering(Remembering(inner, directory), cockpit, spec)
