"""Training for real: what each part of the method is for."""

from dataclasses import replace

import numpy as np
import pytest
from builders import point_expert

from headstart.agents.ddpg import DDPGConfig
from headstart.demos.experts import expert_for
from headstart.demos.record import collect_demos
from headstart.demos.storage import DemoSet
from headstart.envs.make import make_env
from headstart.rollout.exploration import Exploration
from headstart.rollout.job import EpisodeJob, run_episode
from headstart.runs.train import train
from headstart.training.config import (
    CycleConfig,
    DemosConfig,
    EvaluationConfig,
    HindsightConfig,
    TrainConfig,
    WarmStartConfig,
)
from headstart.training.evaluation import evaluate

POINT, REACH = "PointReach-v0", "FetchReach-v4"
SLOW = TrainConfig(
    env_steps=3000,
    batch_size=128,
    agent=DDPGConfig(hidden_sizes=(64, 64), tau=0.02, action_l2=0.1, q_filter_from=0),
    warm_start=WarmStartConfig(bc_updates=0, episodes=10, critic_updates=0),
    cycle=CycleConfig(episodes=4, updates=40),
    exploration=Exploration(noise=0.2, random_action=0.2),
    evaluation=EvaluationConfig(every=3000, episodes=50),
)
CONFIG = replace(
    SLOW, env_steps=1500, agent=replace(SLOW.agent, actor_lr=3e-3, critic_lr=3e-3, tau=0.05)
)
"""Learns all but one of these in half of the steps, from other seeds too."""


def success_rate(config=CONFIG, *, env_id=POINT, demos=None, relabel_fraction=0.8):
    config = replace(config, hindsight=HindsightConfig(relabel_fraction=relabel_fraction))
    return train(env_id, config, demos=demos).evaluation.success_rate


def test_hindsight_is_what_makes_point_reach_learnable():
    assert success_rate(relabel_fraction=0.8) > 0.8
    assert success_rate(relabel_fraction=0.0) < 0.1


@pytest.mark.slow
@pytest.mark.parametrize(("strategy", "config"), [("final", SLOW), ("episode", CONFIG)])
def test_other_goals_of_the_same_episode_teach_it_too(strategy, config):
    config = replace(config, hindsight=HindsightConfig(strategy=strategy))
    assert train(POINT, config).evaluation.success_rate > 0.8


@pytest.mark.slow
def test_a_strategy_of_ones_own_trains_and_replaces_the_configured_one():
    def one_step_ahead(rows, rng):
        return rows.achieved_at(rows.row + 1)

    # Which learns nothing by itself, as the test of hindsight shows.
    config = replace(CONFIG, hindsight=HindsightConfig(strategy="none"))
    own = train(POINT, config, goal_strategy=one_step_ahead)
    assert own.evaluation.success_rate > 0.5


def clone_of(env_id, demos):
    """A policy that is cloned and never updated afterwards."""
    config = replace(
        SLOW,
        env_steps=1,
        warm_start=WarmStartConfig(bc_updates=1500, episodes=0, critic_updates=0),
        cycle=CycleConfig(episodes=1, updates=0),
        evaluation=EvaluationConfig(every=1000, episodes=1),
    )
    result = train(env_id, config, demos=demos)
    assert result.progress.updates == 0
    return result.policy


@pytest.mark.slow
@pytest.mark.parametrize(
    ("env_id", "expert", "num_demos"),
    [
        (POINT, point_expert, 30),
        (REACH, expert_for(REACH), 30),
    ],
)
def test_cloning_alone_makes_the_expert_again(env_id, expert, num_demos):
    policy = clone_of(env_id, collect_demos(env_id, expert, episodes=num_demos))
    assert evaluate(policy, env_id, episodes=30).success_rate > 0.9
    # And acts like it, in episodes that it has not seen.
    unseen = collect_demos(env_id, expert, episodes=10, seed=1).episodes
    errors = [
        policy(
            {
                "observation": episode.observations[:-1],
                "achieved_goal": episode.achieved_goals[:-1],
                "desired_goal": episode.desired_goals,
            }
        )
        - episode.actions
        for episode in unseen
    ]
    spread = np.concatenate([episode.actions for episode in unseen]).std()
    assert np.sqrt(np.square(np.concatenate(errors)).mean()) < 0.5 * spread


def still(observation):
    return np.zeros(2, np.float32)


def random_demos(num_demos):
    """Demonstrations of somebody who does not know the task."""
    env = make_env(POINT)
    drunk = Exploration(random_action=1.0)
    jobs = [EpisodeJob(still, 0, "demos", index, drunk) for index in range(num_demos)]
    demos = DemoSet(POINT, tuple(run_episode(env, job) for job in jobs))
    assert demos.success_rate < 0.1
    return demos


@pytest.mark.slow
def test_the_q_filter_ignores_bad_demonstrations():
    demos = random_demos(20)
    # For what they ended with they would not be as bad.
    filtered = replace(CONFIG, demos=DemosConfig(relabel_fraction=0.8))
    unfiltered = replace(filtered, agent=replace(CONFIG.agent, q_filter=False))
    assert success_rate(filtered, demos=demos) > 0.8
    assert success_rate(unfiltered, demos=demos) < 0.7


@pytest.mark.slow
@pytest.mark.parametrize("q_filter", [True, False])
def test_good_demonstrations_are_not_an_obstacle(q_filter):
    demos = collect_demos(POINT, point_expert, episodes=10)
    config = replace(CONFIG, env_steps=1800, agent=replace(CONFIG.agent, q_filter=q_filter))
    assert success_rate(config, demos=demos) > 0.7


@pytest.mark.slow
def test_demonstrations_in_the_replay_alone_are_not_an_obstacle():
    demos = collect_demos(POINT, point_expert, episodes=10)
    config = replace(CONFIG, agent=replace(CONFIG.agent, bc_weight=0.0))
    assert success_rate(config, demos=demos) > 0.7
