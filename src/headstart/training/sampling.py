"""Who draws the batches of a run: hindsight, demonstrations, mirror images, in this order."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np

from headstart.data import strategies
from headstart.data.approach import OtherGoals
from headstart.data.episode import Episode
from headstart.data.hindsight import Relabelling, Sampler
from headstart.data.mixture import MixedSampler
from headstart.data.replay import EpisodeReplay
from headstart.data.rewards import RewardScale
from headstart.data.strategies import GoalStrategy
from headstart.data.symmetry import Mirror, MirroredSampler
from headstart.envs.goal_env import GoalReward, GoalSpec
from headstart.envs.interface import env_name
from headstart.envs.symmetry_check import mirror_defect
from headstart.seeding import Streams
from headstart.training.config import StrategyName, TrainConfig

_log = logging.getLogger("headstart")


def choose_mirror(config: TrainConfig, spec: GoalSpec, env: gym.Env[Any, Any]) -> Mirror | None:
    """Return the symmetry to learn from, if the settings allow it and ``env`` moves like it."""
    if spec.mirror is None or not config.symmetry:
        return None
    defect = mirror_defect(env, spec.mirror)
    if defect is not None:
        _log.warning("%s: mirror images are not used: %s", env_name(env), defect)
        return None
    _log.info("%s: half of each batch is mirrored (--no-symmetry turns it off)", env_name(env))
    return spec.mirror


def make_samplers(
    config: TrainConfig,
    mirror: Mirror | None,
    replay: EpisodeReplay,
    demos: Sequence[Episode] | None,
    relabelling: Relabelling,
    streams: Streams,
    *,
    by_component: bool,
) -> tuple[Sampler, Sampler | None]:
    """Return who draws the batches of training, and those of demonstrations alone.

    Where the actor sees a goal by component, open demonstrations are never relabelled: with other
    goals another component is current, to which the demonstrator paid no regard.
    """

    def mirrored(sampler: Sampler, stream: str) -> Sampler:
        return sampler if mirror is None else MirroredSampler(sampler, mirror, streams[stream])

    online = relabelling.sampler(replay, streams["replay"])
    if demos is None:
        return mirrored(online, "replay/mirror"), None
    demonstrated = EpisodeReplay.from_episodes(demos, grows=True)
    others = OtherGoals.of(demos) if config.demos.other_goals else None
    fraction = config.demos.relabel_fraction
    shown = replace(relabelling, fraction=fraction or 0.0)
    cloned = shown.sampler(demonstrated, streams["demo"], others)
    some_failed = not all(demo.success for demo in demos)
    if fraction is None and some_failed and not by_component:
        # Of a shaky hand, what its actions led to is known better than what they were for.
        shown = relabelling
    trained = shown.sampler(demonstrated, streams["demo"], others)
    mixed = MixedSampler(online=online, demos=trained, demo_fraction=config.demos.fraction)
    return mirrored(mixed, "replay/mirror"), mirrored(cloned, "demo/mirror")


def goal_reached(demo: Episode) -> Episode:
    """Return a demonstration that failed as one of what it ended with; any other as it is.

    It shows how to get where it ended. What it passed through on the way it does not show how to
    reach: it did not stop there.
    """
    if demo.success:
        return demo
    return replace(demo, desired_goals=np.repeat(demo.achieved_goals[-1:], len(demo), axis=0))


def make_relabelling(
    config: TrainConfig, reward: GoalReward, own: GoalStrategy | None
) -> Relabelling:
    """Return how transitions get other goals, and what they then earn."""
    hindsight = config.hindsight
    strategy = own or _strategy(hindsight.strategy)
    if hindsight.moved_share:
        strategy = strategies.PreferMoved(
            strategy, share=hindsight.moved_share, distance=hindsight.moved_distance
        )
    fraction = 0.0 if strategy is strategies.own else hindsight.fraction_for()
    return Relabelling(reward, fraction, strategy, _scale(config, reward.spec))


def _scale(config: TrainConfig, spec: GoalSpec) -> RewardScale | None:
    if not config.scale_rewards:
        return None
    units = spec.reward_units
    if not units.tells_goal and not spec.asks_terminated:
        return None  # Nothing has shown the units yet.
    return RewardScale(units.best, units.span, config.agent.discount_for(), units.tells_goal)


def _strategy(name: StrategyName) -> GoalStrategy:
    match name:
        case "none":
            return strategies.own
        case "future":
            return strategies.future
        case "final":
            return strategies.final
        case "episode":
            return strategies.episode
        case "random":
            return strategies.random
