"""A trainer from environment, demonstrations and configuration, put together in one place."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import gymnasium as gym

from headstart.agents.ddpg import DDPG
from headstart.data import strategies
from headstart.data.hindsight import Relabelling, Sampler
from headstart.data.mixture import MixedSampler
from headstart.data.replay import EpisodeReplay
from headstart.data.strategies import GoalStrategy
from headstart.data.symmetry import MirroredSampler
from headstart.demos.resets import DemoResets, check_resets
from headstart.demos.storage import DemoSet
from headstart.envs.goal_env import GoalReward, GoalSpec
from headstart.envs.known import known
from headstart.envs.make import make_env
from headstart.errors import InputError, require
from headstart.rollout.executors import Executor, make_executor
from headstart.seeding import Streams, integer_seed
from headstart.training.config import StrategyName, TrainConfig
from headstart.training.observer import Observer
from headstart.training.trainer import Trainer


@contextlib.contextmanager
def prepared(
    env_id: str,
    config: TrainConfig,
    demos: DemoSet | None,
    collectors: int,
    goal_strategy: GoalStrategy | None,
    observers: Sequence[Observer],
) -> Iterator[Trainer]:
    """Yield a trainer that has not begun.

    Raises:
        InputError: if environment, demonstrations and configuration do not go together.
    """
    with contextlib.closing(make_env(env_id)) as reward_env:
        spec = GoalSpec.from_env(reward_env)
        demos = _checked(config, reward_env, spec, demos)
        with make_executor(env_id, collectors, timeout=config.episode_timeout) as executor:
            reward = GoalReward(reward_env, spec)
            yield build_trainer(config, spec, demos, executor, reward, observers, goal_strategy)


def _checked(
    config: TrainConfig, env: gym.Env[Any, Any], spec: GoalSpec, demos: DemoSet | None
) -> DemoSet | None:
    """Return the demonstrations to train from; refuse what does not go together."""
    if config.replay_capacity <= spec.max_episode_steps:
        raise InputError(
            f"replay_capacity {config.replay_capacity} cannot hold one episode of {spec.env_id}, "
            f"which takes {spec.max_episode_steps + 1} states"
        )
    cloned = demos is not None and config.warm_start.bc_updates > 0
    require(
        config.env_steps > 0 or cloned,
        "env_steps must be at least 1 where no demonstrations are cloned (warm_start.bc_updates)",
        config.env_steps,
    )
    if demos is None:
        require(
            config.resets.probability == 0.0,
            "resets.probability needs demonstrations (--demos)",
            config.resets.probability,
        )
        return None
    config.check_demos(len(demos.episodes))
    demos = demos.first(config.demos.num_episodes)
    demos.check_fits(spec)
    if config.resets.probability:
        check_resets(env, demos)
    return demos


def build_trainer(
    config: TrainConfig,
    spec: GoalSpec,
    demos: DemoSet | None,
    executor: Executor,
    reward: GoalReward,
    observers: Sequence[Observer],
    goal_strategy: GoalStrategy | None = None,
) -> Trainer:
    """Assemble agent, replay and samplers."""
    replay = _replay(config.replay_capacity, spec)
    streams = Streams(config.seed)
    relabelling = _relabelling(config, reward, goal_strategy)
    sampler, demo_sampler = _samplers(config, spec, replay, demos, relabelling, streams)
    return Trainer(
        config=config,
        spec=spec,
        agent=_agent(config, spec),
        executor=executor,
        replay=replay,
        streams=streams,
        relabelling=relabelling,
        sampler=sampler,
        demos=() if demos is None else demos.episodes,
        resets=_resets(config, demos),
        demo_sampler=demo_sampler,
        observers=observers,
    )


def _replay(capacity: int, spec: GoalSpec) -> EpisodeReplay:
    try:
        return EpisodeReplay(
            capacity,
            observation_dim=spec.observation_dim,
            goal_dim=spec.goal_dim,
            action_dim=spec.action_dim,
            info_dim=len(spec.reward_info_keys),
        )
    except MemoryError as error:
        raise InputError(
            f"replay_capacity {capacity} does not fit into this machine's memory; choose less"
        ) from error


def _samplers(
    config: TrainConfig,
    spec: GoalSpec,
    replay: EpisodeReplay,
    demos: DemoSet | None,
    relabelling: Relabelling,
    streams: Streams,
) -> tuple[Sampler, Sampler | None]:
    """Return who draws the batches of training, and those of demonstrations alone."""

    def mirrored(sampler: Sampler, stream: str) -> Sampler:
        mirror = known(spec.env_id).mirror
        if not config.symmetry or mirror is None:
            return sampler
        return MirroredSampler(sampler, mirror, streams[stream])

    online = relabelling.sampler(replay, streams["replay"])
    if demos is None:
        return mirrored(online, "replay/mirror"), None
    shown = relabelling.sampler(
        EpisodeReplay.from_episodes(demos.episodes), streams["demo"], is_demo=True
    )
    mixed = MixedSampler(online=online, demos=shown, demo_fraction=config.demos.fraction)
    return mirrored(mixed, "replay/mirror"), mirrored(shown, "demo/mirror")


def _resets(config: TrainConfig, demos: DemoSet | None) -> DemoResets | None:
    resets = config.resets
    if demos is None or not resets.probability:
        return None
    return DemoResets(demos.episodes, resets.probability, resets.goal, config.seed)


def _agent(config: TrainConfig, spec: GoalSpec) -> DDPG:
    return DDPG(
        config.agent,
        observation_dim=spec.observation_dim,
        goal_dim=spec.goal_dim,
        action_low=spec.action_low,
        action_high=spec.action_high,
        reward_range=spec.reward_range,
        seed=integer_seed(config.seed, "networks"),
    )


def _relabelling(config: TrainConfig, reward: GoalReward, own: GoalStrategy | None) -> Relabelling:
    hindsight = config.hindsight
    strategy = own or _strategy(hindsight.strategy)
    if hindsight.moved_share:
        strategy = strategies.PreferMoved(
            strategy, share=hindsight.moved_share, distance=hindsight.moved_distance
        )
    no_goals = hindsight.strategy == "none" and own is None
    return Relabelling(reward, 0.0 if no_goals else hindsight.relabel_fraction, strategy)


def _strategy(name: StrategyName) -> GoalStrategy:
    match name:
        case "future" | "none":
            return strategies.future
        case "final":
            return strategies.final
        case "episode":
            return strategies.episode
        case "random":
            return strategies.random
