"""Whether environment, demonstrations and settings go together."""

import contextlib
from collections.abc import Iterable
from typing import Any

import gymnasium as gym

from headstart.demos.reading import Demos, read_demos
from headstart.demos.resets import check_resets
from headstart.demos.storage import DemoSet
from headstart.envs.goal_env import GoalReward, GoalSpec
from headstart.envs.layout import Detected
from headstart.envs.make import env_source, make_env
from headstart.envs.source import EnvLike, EnvSource
from headstart.errors import InputError
from headstart.policy import load_policy
from headstart.runs.expanding import check_expandable
from headstart.runs.finding import open_finding
from headstart.training.adaptation import adapt
from headstart.training.assembly import check_fit
from headstart.training.config import DemosConfig, ResetsConfig, TrainConfig


def check_runs(env: EnvLike, configs: Iterable[TrainConfig], demos: Demos | None) -> None:
    """Refuse runs that ``prepare_run`` would refuse before their first episode.

    Args:
        env: the environment.
        configs: of the runs.
        demos: what they learn from.

    Raises:
        InputError: if the environment cannot be built, or does not go together with demonstrations
            and one of the configurations.
    """
    source, with_demos = env_source(env), demos is not None
    tasks = dict[str, _Task]()
    with contextlib.closing(make_env(source)) as built:
        for config in configs:
            check_expansion(config, with_demos=with_demos)
            detect = what_to_detect(config, with_demos=with_demos)
            key = f"{config.task} {detect}"
            if key not in tasks:
                spec = GoalSpec.from_env(built, config.task, name=source.name, detect=detect)
                tasks[key] = _Task(source, spec, built, demos)
            tasks[key].check(config)
            if config.init_policy is not None:
                load_policy(config.init_policy)


class _Task:
    """What runs have in common that know the same of their environment."""

    def __init__(
        self, source: EnvSource, spec: GoalSpec, env: gym.Env[Any, Any], demos: Demos | None
    ) -> None:
        self._source, self._spec, self._env, self._demos = source, spec, env, demos
        self._read: DemoSet | None = None
        self._makes = dict[tuple[DemosConfig, ResetsConfig, int], bool]()

    def check(self, config: TrainConfig) -> None:
        """Refuse a run; what takes time is done once for all that are alike in it."""
        spec, with_demos = self._spec, self._demos is not None
        config = adapt(config, spec)
        alike = config.demos, config.resets, config.batch_size
        is_new = alike not in self._makes
        if is_new:
            finding = None if with_demos else open_finding(self._source, config, spec)
            self._makes[alike] = finding is not None
        check_fit(config, spec, with_demos=with_demos or self._makes[alike])
        if self._demos is not None and self._read is None:
            self._read = read_demos(self._demos, spec, GoalReward(self._env, spec), log=False)
        if self._read is not None and is_new:
            used = fit_demos(config, self._env, self._read)
            check_expandable(self._source, config, spec, used)


def check_expansion(config: TrainConfig, *, with_demos: bool) -> None:
    """Refuse settings that make demonstrations of given ones where there are none.

    Raises:
        InputError: if they do.
    """
    count = config.demos.expand
    if count and not with_demos:
        raise InputError(
            f"demos.expand={count} makes demonstrations of given ones: add --demos FILE, or pass "
            f"--expand 0"
        )


def what_to_detect(config: TrainConfig, *, with_demos: bool) -> Detected:
    """Return what of the layout of states is detected where nothing is declared."""
    if config.actor_inputs == "auto" and not config.fine_scales:
        # Without demonstrations the actor sees all.
        return "velocities" if with_demos else "nothing"
    return "frame" if config.actor_inputs != "all" or config.fine_scales else "nothing"


def fit_demos(config: TrainConfig, env: gym.Env[Any, Any], demos: DemoSet) -> DemoSet:
    """Return the demonstrations to train from.

    Raises:
        InputError: if there are fewer than asked for, or episodes cannot start in them.
    """
    config.check_demos(len(demos.episodes))
    demos = demos.first(config.demos.num_episodes)
    if config.resets.probability:
        check_resets(env, demos)
    return demos
