"""A trainer from its parts and its configuration, put together in one place."""

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from headstart.agents.ddpg import DDPG
from headstart.agents.device import find_device
from headstart.agents.learners import Learners, Shards
from headstart.data import strategies
from headstart.data.component_inputs import ComponentInputs
from headstart.data.episode import Episode
from headstart.data.inputs import InputMap
from headstart.data.layout import choose_inputs
from headstart.data.replay import EpisodeReplay
from headstart.data.strategies import GoalStrategy
from headstart.data.symmetry import Mirror
from headstart.demos.resets import DemoFrontier, DemoResets
from headstart.envs.components import component_inputs
from headstart.envs.episode_check import EpisodeCheck
from headstart.envs.goal_env import GoalReward, GoalSpec
from headstart.envs.reward_facts import AVOIDS_GOALS
from headstart.errors import InputError, require
from headstart.rollout.executors import Executor
from headstart.rollout.task_source import OwnResets, TaskSource
from headstart.seeding import Streams, integer_seed
from headstart.training.adaptation import adapt, adapt_to_demos, sees_component
from headstart.training.config import ActorInputs, TrainConfig
from headstart.training.contest import Contest
from headstart.training.goal_use import compare_goal_use
from headstart.training.observer import Observer
from headstart.training.sampling import goal_reached, make_relabelling, make_samplers
from headstart.training.share import Share
from headstart.training.trainer import Trainer

_log = logging.getLogger("headstart")


def check_fit(config: TrainConfig, spec: GoalSpec, *, with_demos: bool) -> None:
    """Refuse an environment and settings that do not go together.

    Args:
        config: all settings, none of them left open.
        spec: the environment.
        with_demos: whether there are demonstrations.

    Raises:
        InputError: if nothing could be learned, stored or seen.
    """
    find_device(config.device)
    _check_reward(spec)
    _check_inputs(config, spec)
    for seen in views(config, spec, None):
        actor_inputs(config, spec, seen)
    if config.replay_capacity <= spec.max_episode_steps:
        raise InputError(
            f"replay_capacity {config.replay_capacity} cannot hold one episode of {spec.env_id}, "
            f"which takes {spec.max_episode_steps + 1} states"
        )
    cloned = with_demos and config.warm_start.bc_updates != 0
    require(
        config.env_steps > 0 or cloned,
        "env_steps must be at least 1 where no demonstrations are cloned (warm_start.bc_updates)",
        config.env_steps,
    )
    if with_demos:
        shown = round(config.batch_size * config.demos.fraction)
        config.check_shards(shown, "the demonstrated rows of a batch (demos.fraction)")
    else:
        require(
            config.resets.probability == 0.0,
            "resets.probability must be 0 without demonstrations (--demos)",
            config.resets.probability,
        )


def build_trainer(
    config: TrainConfig,
    spec: GoalSpec,
    demos: Sequence[Episode] | None,
    executor: Executor,
    reward: GoalReward,
    observers: Sequence[Observer],
    goal_strategy: GoalStrategy | None = None,
    mirror: Mirror | None = None,
    tasks: TaskSource | None = None,
    learners: Learners | None = None,
    process: int = 0,
) -> Trainer:
    """Assemble agent, replay and samplers.

    Of several learners, ``process`` is the number of this one.
    """
    share = Share.of(config.learner, process)
    learners = learners or Shards(config.learner.shards)
    config = adapt_to_demos(adapt(config, spec), spec, demos or ())
    replay = _replay(config.replay_capacity, spec)
    streams = Streams(config.seed, share.process)
    check = EpisodeCheck(reward, config.task.unexplained_reward)
    if demos is not None:
        demos = [check(episode, is_demo=True).demonstrated() for episode in demos]
    relabelling = make_relabelling(config, reward, goal_strategy)
    cloned = demos
    open_goals = config.demos.relabel_fraction is None
    if demos is not None and open_goals and relabelling.strategy is not strategies.own:
        cloned = [goal_reached(demo) for demo in demos]
    config = _decide_other_goals(config, spec, cloned)
    by_component = sees_component(config, spec)
    sampler, demo_sampler = make_samplers(
        config, mirror, replay, cloned, relabelling, streams, by_component=by_component
    )
    return Trainer(
        config=config,
        spec=spec,
        contest=Contest(
            {seen: _agent(config, spec, seen, learners) for seen in views(config, spec, demos)},
            keeps_actors=config.init_policy is not None,
            keeps_clones=demo_sampler is not None and config.warm_start.bc_updates != 0,
        ),
        check=check,
        executor=executor,
        replay=replay,
        streams=streams,
        relabelling=relabelling,
        sampler=sampler,
        demos=demos or (),
        tasks=tasks or _resets(config, demos),
        demo_sampler=demo_sampler,
        observers=observers,
        share=share,
    )


def _check_reward(spec: GoalSpec) -> None:
    """Refuse a reward from which nothing can be learned.

    Raises:
        InputError: if it is the same everywhere, and no end marks the goal either.
    """
    units, asked = spec.reward_units, spec.terminates and spec.asks_terminated
    if not units.tells_goal and not asked and not spec.reward_info_keys:
        raise InputError(
            f"{spec.env_id}: every reward is {units.best:g}, at the goal too, and "
            f"compute_terminated does not say that the goal ends an episode: pay another reward at "
            f"the goal, or add compute_terminated(achieved_goal, desired_goal, info)"
        )
    if units.avoids_goals:
        _log.warning("%s: %s", spec.env_id, AVOIDS_GOALS)


def _check_inputs(config: TrainConfig, spec: GoalSpec) -> None:
    """Refuse networks that cannot see how far the goal is.

    Raises:
        InputError: if they are fed the observation, which lacks what is achieved, and the goal.
    """
    if config.agent.goal_input == "absolute" and not spec.observes_goal:
        raise InputError(
            f"agent.goal_input absolute shows the networks observation and desired goal, and the "
            f"observation of {spec.env_id} lacks the achieved goal: pass --agent.goal-input both"
        )


def _replay(capacity: int, spec: GoalSpec) -> EpisodeReplay:
    try:
        return EpisodeReplay(
            capacity,
            observation_dim=spec.observation_dim,
            goal_dim=spec.goal_dim,
            action_dim=spec.action_dim,
            info_dim=spec.info_dim,
        )
    except MemoryError as error:
        raise InputError(
            f"replay_capacity {capacity} does not fit into this machine's memory; choose less"
        ) from error


def _resets(config: TrainConfig, demos: Sequence[Episode] | None) -> TaskSource:
    resets = config.resets
    if demos is None or not resets.probability:
        return OwnResets()
    kind = DemoFrontier if resets.frontier else DemoResets
    return kind(demos, resets.probability, resets.goal)


def _decide_other_goals(
    config: TrainConfig, spec: GoalSpec, demos: Sequence[Episode] | None
) -> TrainConfig:
    """Return settings that say whether first steps of demonstrations get other goals."""
    if config.demos.other_goals is not None or demos is None:
        return config
    view, use = views(config, spec, demos)[0], None
    if config.warm_start.bc_updates and config.agent.bc_weight:
        use = compare_goal_use(
            lambda: _agent(config, spec, view),
            demos,
            batch_size=config.batch_size,
            seed=integer_seed(config.seed, "goal use"),
        )
    misleads = use is not None and use.misleads
    if use is not None and misleads:
        _log.info(
            "before anything has moved, clones that see no goal foresee demonstrations better "
            "(error %.2f, %.2f with goals): such steps are shown with other goals too "
            "(--demos.other-goals False)",
            use.blind, use.seeing,
        )  # fmt: skip
    return replace(config, demos=replace(config.demos, other_goals=misleads))


def _agent(
    config: TrainConfig, spec: GoalSpec, seen: ActorInputs, learners: Learners | None = None
) -> DDPG:
    return DDPG(
        config.agent,
        observation_dim=spec.observation_dim,
        goal_dim=spec.goal_dim,
        action_low=spec.action_low,
        action_high=spec.action_high,
        # The trainer narrows it to what is known of the environment.
        reward_range=(-np.inf, np.inf),
        seed=integer_seed(config.seed, "networks"),
        actor_inputs=actor_inputs(config, spec, seen),
        device=find_device(config.device),
        learners=learners,
    )


def views(
    config: TrainConfig, spec: GoalSpec, demos: Sequence[Episode] | None
) -> list[ActorInputs]:
    """Return what the actor may see of a state, less before more: episodes decide."""
    if sees_component(config, spec):
        return ["component"]
    if config.actor_inputs != "auto":
        return [config.actor_inputs]
    warm_start = config.warm_start
    tried = demos is not None and warm_start.bc_updates and warm_start.episodes
    if not tried:
        return ["all"]
    names: tuple[ActorInputs, ...] = ("all", "neither", "no-absolute")
    different: dict[InputMap | ComponentInputs | None, ActorInputs] = {}
    for name in names:
        different.setdefault(actor_inputs(config, spec, name), name)
    everything, *less = different.values()
    return [*less, everything]


def actor_inputs(
    config: TrainConfig, spec: GoalSpec, seen: ActorInputs
) -> InputMap | ComponentInputs | None:
    """Return what the actor sees, if that is not everything.

    Raises:
        InputError: if it is one component at a time, and the environment does not declare them so.
    """
    if seen == "component":
        return component_inputs(spec, config.fine_scales)
    everything = InputMap.of(spec.observation_dim, spec.goal_dim, config.agent.goal_input)
    chosen = choose_inputs(
        spec.layout,
        everything,
        velocities=seen in ("all", "no-absolute"),
        absolute=seen in ("all", "no-velocities"),
        fine_scales=config.fine_scales,
    )
    return None if chosen == everything else chosen
