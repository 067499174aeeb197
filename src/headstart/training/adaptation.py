"""Settings that are left open, and what they are in a run, by its length and that of episodes."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from headstart.agents.config import SHORT_EPISODES
from headstart.data.episode import Episode
from headstart.dotted import walk
from headstart.text import counted
from headstart.training.config import (
    CycleConfig,
    EvaluationConfig,
    TrainConfig,
    WarmStartConfig,
)

if TYPE_CHECKING:  # It imports Gymnasium, and ``train --help`` needs none.
    from headstart.envs.goal_env import GoalSpec

UPDATES_PER_STEP = 0.5
_WARM_START_EPISODES = 20
_WARM_START_ENV_STEPS = 6000
_WARM_START_SHARE = 0.75
_IN_DOUBT = 3
_EVALUATION_EVERY = 2000
EVALUATION_EPISODES = 50
_FEW_EPISODES = 10
_EVALUATIONS = 4
_EVALUATION_COST = 2
"""Env steps of evaluation to one of training, at most."""
_FEW_DEMOS = 20
_GREEDY_EPISODES = 0.5
_MOSTLY_BAD = 0.25
"""Share of demonstrations that succeeded, below which they are not to be trusted."""
_BY_TASK = (
    "agent.actor_decay",
    "agent.bc_error",
    "agent.discount",
    "agent.target_combination",
    "agent.q_filter_margin",
    "demos.expand",
    "demos.expand_speed",
    "demos.find",
    "demos.other_goals",
    "evaluation.episodes",
    "evaluation.every",
    "exploration.greedy_episodes",
    "hindsight.relabel_fraction",
    "warm_start.bc_updates",
    "warm_start.episodes",
    "warm_start.episodes_in_doubt",
)
"""Settings that are decided by the task and the demonstrations where they are left open."""
_log = logging.getLogger("headstart")


def adapt(config: TrainConfig, spec: "GoalSpec") -> TrainConfig:
    """Return a configuration in which nothing is left open but what demonstrations decide."""
    return replace(
        config,
        cycle=_adapt_cycle(config.cycle),
        warm_start=_adapt_warm_start(config, spec.max_episode_steps),
        evaluation=_adapt_evaluation(config, spec.max_episode_steps),
    )


def decided(given: TrainConfig, used: TrainConfig) -> list[str]:
    """Return the names of settings that were left open, and are not in the configuration used."""
    pairs = zip(walk(given), walk(used), strict=True)
    return [before.name for before, after in pairs if before.value is None is not after.value]


def warn_of_no_updates(config: TrainConfig, spec: "GoalSpec") -> None:
    """Say before a run starts that its warm start may take all of its env steps."""
    horizon, episodes = spec.max_episode_steps, config.warm_start.episodes or 0
    if config.env_steps and 0 < config.env_steps <= episodes * horizon:
        enough = (episodes + config.cycle.episodes) * horizon
        _log.warning(
            "env_steps %d may leave no updates: the warm start takes %s of up to %d steps on %s; "
            "pass --env-steps %d or more",
            config.env_steps,
            counted(episodes, "episode"),
            horizon,
            spec.env_id,
            enough,
        )


def keep_adapted(config: TrainConfig, before: TrainConfig) -> TrainConfig:
    """Return a configuration in which what is left open is what it was in a run before."""
    names = set(_BY_TASK)
    if config.cycle.updates is None and config.cycle.updates_per_step is None:
        names |= {"cycle.updates", "cycle.updates_per_step"}
    if config.learner.mode == before.learner.mode:
        names |= {"learner.processes"}
    pairs = zip(walk(config), walk(before), strict=True)
    return config.with_(
        {now.name: then.value for now, then in pairs if now.name in names and now.value is None}
    )


def adapt_to_demos(config: TrainConfig, spec: "GoalSpec", demos: Sequence[Episode]) -> TrainConfig:
    """Return a configuration that says how demonstrations are cloned, or what is done without."""
    few = 0 < len(demos) <= _FEW_DEMOS
    # Without demonstrations, which show the way to goals that are far.
    horizon = SHORT_EPISODES if demos else spec.max_episode_steps
    agent, hindsight, warm_start = config.agent, config.hindsight, config.warm_start
    margin, exploration = agent.q_filter_margin, config.exploration
    near, is_open = spec.goals_near and not demos, agent.discount is None
    agent = replace(
        agent,
        q_filter_margin=_margin(demos, few=few) if margin is None else margin,
        actor_decay=_decay(len(demos), few=few) if agent.actor_decay is None else agent.actor_decay,
        bc_error=agent.bc_error or ("squared" if few else "distance"),
        discount=agent.discount_for(horizon, goals_near=near),
        target_combination=agent.combination_for(horizon),
    )
    if near and is_open:
        why = "goals are a few steps away"
        _log.info("%s: %s: discount %g (--agent.discount)", spec.env_id, why, agent.discount)
    hindsight = replace(hindsight, relabel_fraction=hindsight.fraction_for(horizon))
    if warm_start.bc_updates is None:
        warm_start = replace(warm_start, bc_updates=2000 if few else 4000)
    if exploration.greedy_episodes is None:
        known = demos or config.init_policy
        exploration = replace(exploration, greedy_episodes=_GREEDY_EPISODES if known else 0.0)
    return replace(
        config,
        agent=agent,
        hindsight=hindsight,
        warm_start=warm_start,
        exploration=exploration,
    )


def sees_component(config: TrainConfig, spec: "GoalSpec") -> bool:
    """Return whether the actor sees one component of a goal at a time."""
    if config.actor_inputs == "auto":
        return spec.component_layout is not None and len(spec.components) > 1
    return config.actor_inputs == "component"


def _decay(num_demos: int, *, few: bool) -> float:
    """Return the weight decay of an actor that clones so many demonstrations."""
    if num_demos == 0:
        return 0.0
    return 1.0 if few else 0.3


def _margin(demos: Sequence[Episode], *, few: bool) -> float:
    """Return the margin of the Q-filter, which without one keeps what happens to flatter critics.

    Of many good demonstrations that does no harm, and bad ones are to be left out.
    """
    good = sum(demo.success for demo in demos) / max(1, len(demos))
    return 1.0 if good >= _MOSTLY_BAD and (few or good < 1.0) else 0.0


def _adapt_cycle(cycle: CycleConfig) -> CycleConfig:
    if cycle.updates is None and cycle.updates_per_step is None:
        return replace(cycle, updates_per_step=UPDATES_PER_STEP)
    return cycle


def _adapt_warm_start(config: TrainConfig, horizon: int) -> WarmStartConfig:
    warm_start, env_steps = config.warm_start, _IN_DOUBT * _WARM_START_ENV_STEPS
    if config.env_steps:  # Without any, a run is cloning alone, and may be made longer later.
        env_steps = min(env_steps, int(_WARM_START_SHARE * config.env_steps))
    affordable, episodes = max(1, env_steps // horizon), warm_start.episodes
    in_doubt, times = warm_start.episodes_in_doubt, 1
    if episodes is None:
        episodes = min(_WARM_START_EPISODES, affordable, max(1, _WARM_START_ENV_STEPS // horizon))
        times = _IN_DOUBT
    if in_doubt is None:
        in_doubt = max(episodes, min(times * episodes, affordable))
    return replace(warm_start, episodes=episodes, episodes_in_doubt=in_doubt)


def _adapt_evaluation(config: TrainConfig, horizon: int) -> EvaluationConfig:
    evaluation = config.evaluation
    every, episodes = evaluation.every, evaluation.episodes
    # Without any, a run is cloning alone, and may be made longer later.
    env_steps = config.env_steps or TrainConfig.env_steps
    if every is None:
        worth = (episodes or EVALUATION_EPISODES) * horizon // _EVALUATION_COST
        # Fewer evaluations before fewer than ten episodes, whose success rate would say little.
        affordable = _EVALUATION_COST * env_steps // ((episodes or _FEW_EPISODES) * horizon)
        evaluations = min(_EVALUATIONS, max(1, affordable))
        every = max(_EVALUATION_EVERY, min(worth, env_steps // evaluations))
    if episodes is None:
        episodes = min(EVALUATION_EPISODES, max(1, _EVALUATION_COST * every // horizon))
    return replace(evaluation, every=every, episodes=episodes)
