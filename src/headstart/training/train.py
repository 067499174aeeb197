"""``train``: begin one run."""

from collections.abc import Sequence
from pathlib import Path

from headstart.data.strategies import GoalStrategy
from headstart.demos.storage import DemoSet
from headstart.paths import user_path
from headstart.training.assembly import prepared
from headstart.training.config import TrainConfig
from headstart.training.execution import TrainResult, run, run_in
from headstart.training.observer import Observer
from headstart.training.record import RunRecord, current_versions, name_of
from headstart.training.run_directory import new_run


def train(
    env_id: str,
    config: TrainConfig | None = None,
    *,
    demos: DemoSet | None = None,
    out: str | Path | None = None,
    collectors: int = 0,
    goal_strategy: GoalStrategy | None = None,
    observers: Sequence[Observer] = (),
) -> TrainResult:
    """Train a policy for a goal environment.

    Args:
        env_id: Gymnasium id.
        config: all settings; the default is the ``fast`` preset.
        demos: demonstrations, from ``load_demos``; without them this is DDPG + HER.
        out: run directory for configuration, metrics, policies and checkpoints, from which
            ``resume`` goes on; nothing is written without it. SIGINT and SIGTERM then save the run
            before they end it.
        collectors: processes that run episodes; 0 runs them here. Metrics and policy do not depend
            on it, bit for bit.
        goal_strategy: where hindsight goals come from, instead of ``config.hindsight.strategy``;
            see ``headstart.data.strategies``.
        observers: told of progress and evaluations as they happen.

    Raises:
        InputError: if environment, demonstrations, configuration and directory do not go together.
        RunError: if the run cannot go on: learning diverged, the environment fails again and
            again, or the disk refuses the policies to the end.
    """
    config = config or TrainConfig()
    with prepared(env_id, config, demos, collectors, goal_strategy, observers) as trainer:
        if out is None:
            return run(trainer)
        record = RunRecord(
            env_id=env_id,
            config=config,
            demos=None,
            versions=current_versions(),
            goal_strategy=name_of(goal_strategy),
        )
        used = None if demos is None else demos.first(config.demos.num_episodes)
        with new_run(user_path(out), record, used) as directory:
            return run_in(directory, trainer)
