"""Short runs of training on PointReach, and what is noted of them."""

import numpy as np

from headstart.agents.ddpg import DDPGConfig
from headstart.rollout.executors import SerialExecutor
from headstart.rollout.exploration import Exploration
from headstart.training.config import (
    CycleConfig,
    DemosConfig,
    EvaluationConfig,
    HindsightConfig,
    TrainConfig,
    WarmStartConfig,
)
from headstart.training.observer import Observer

POINT = "PointReach-v0"
SMALL = TrainConfig(
    env_steps=300,
    batch_size=32,
    agent=DDPGConfig(
        hidden_sizes=(16, 16),
        actor_decay=0.0,
        bc_error="distance",
        q_filter_margin=0.0,
        q_filter_from=5,
        discount=0.98,
        target_combination="min",
    ),
    hindsight=HindsightConfig(relabel_fraction=0.8),
    demos=DemosConfig(fraction=0.25, other_goals=False),
    warm_start=WarmStartConfig(bc_updates=20, episodes=2, episodes_in_doubt=2, critic_updates=10),
    cycle=CycleConfig(episodes=2, updates=5),
    exploration=Exploration(noise=0.1, random_action=0.1, greedy_episodes=0.0),
    evaluation=EvaluationConfig(every=100, episodes=4),
)


class Diary(Observer):
    """Keeps what a trainer reports."""

    def __init__(self):
        self.phases, self.rows, self.policies, self.results = [], [], [], []

    def progressed(self, progress):
        self.phases.append((progress.phase, progress.env_steps, progress.updates))

    def evaluated(self, policy, result, metrics):
        self.policies.append(policy)
        self.results.append(result)
        self.rows.append(metrics)


class Noted(SerialExecutor):
    """An executor that keeps the jobs it is given."""

    def __init__(self, env_id):
        super().__init__(env_id)
        self.jobs = []

    def submit(self, jobs):
        self.jobs += jobs
        return super().submit(jobs)


def weights_of(policy):
    layers = [array.ravel() for layer in policy.layers for array in layer]
    return np.concatenate([*layers, policy.mean, policy.std])
