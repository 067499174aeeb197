"""The training loop: collect, store, update, evaluate, save."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from headstart.agents.ddpg import DDPG
from headstart.data.batch import Batch
from headstart.data.episode import Episode
from headstart.data.hindsight import Relabelling, Sampler
from headstart.data.replay import EpisodeReplay
from headstart.demos.resets import DemoResets
from headstart.envs.goal_env import GoalSpec
from headstart.policy import Policy
from headstart.rollout.executors import Executor, Pending
from headstart.rollout.exploration import Exploration
from headstart.rollout.job import EpisodeJob
from headstart.seeding import generator
from headstart.training.config import TrainConfig
from headstart.training.evaluation import EvalResult, run_evaluation, summarize
from headstart.training.metrics import MeanMetrics
from headstart.training.schedule import Every


@dataclass
class Progress:
    """Where a run stands."""

    phase: str = "starting"
    env_steps: int = 0
    warm_start_env_steps: int = 0
    episodes: int = 0
    updates: int = 0
    """Updates within cycles; the warm start's are counted apart."""
    warm_start_updates: int = 0
    evaluation_seconds: float = 0.0
    started: float = field(default_factory=time.monotonic)

    @property
    def wall_seconds(self) -> float:
        """Seconds since the run started, evaluation included."""
        return time.monotonic() - self.started


class Observer:
    """What a trainer reports to. Every method may be left as it is."""

    def progressed(self, progress: Progress) -> None:
        """Called after every cycle, every 50 warm-start updates, and before an evaluation."""

    def evaluated(self, policy: Policy, result: EvalResult, metrics: dict[str, float]) -> None:
        """Called after every evaluation with the row of metrics that belongs to it."""


@dataclass
class Trainer:
    """One run. Everything in it is passed in; nothing is looked up."""

    config: TrainConfig
    spec: GoalSpec
    agent: DDPG
    executor: Executor
    replay: EpisodeReplay
    relabelling: Relabelling
    sampler: Sampler
    """Batches of own experience, mixed with demonstrations if there are some."""
    demos: Sequence[Episode]
    resets: DemoResets | None
    demo_sampler: Sampler | None
    """Batches of demonstrations alone, for the warm start."""
    observers: Sequence[Observer] = ()

    def __post_init__(self) -> None:
        self.progress = Progress()
        self.last_result: EvalResult | None = None
        self._metrics = MeanMetrics()
        self._successes: list[bool] = []  # of the training episodes since the last evaluation
        self._evaluation_due = Every(self.config.evaluation.every)
        self._normalizer_rng = generator(self.config.seed, "normalizer")
        self._num_asked = 0

    def run(self) -> EvalResult:
        """Train until ``config.env_steps`` are taken or the target success rate is reached.

        Returns:
            The last evaluation.
        """
        cycle = self.config.cycle
        self._warm_start()
        pending = self._next_episodes()
        while pending:
            self._store([episode.result() for episode in pending])
            if cycle.ahead:
                pending = self._next_episodes()

            for _ in range(self._updates_due()):
                self._metrics.add(self.agent.update(self._batch(self.sampler)))
                self.progress.updates += 1
            self.agent.end_cycle()
            self._report("training")

            if self._evaluation_due.due(self.progress.env_steps) or self._finished():
                self._evaluate(pending if cycle.ahead else ())
            if self._finished() or not cycle.ahead:
                pending = self._next_episodes()
        if self.last_result is None:
            self._evaluate(())
        assert self.last_result is not None
        return self.last_result

    def _warm_start(self) -> None:
        """Clone the demonstrations, collect with the clone, teach the critics from both."""
        warm_start = self.config.warm_start
        if self.demo_sampler is not None:
            self._observe(self.demos)
            for _ in range(warm_start.bc_updates):
                self._metrics.add(self.agent.clone(self._batch(self.demo_sampler)))
                self._count_warm_start("cloning demonstrations")
        if warm_start.episodes and not self._finished():
            blind = Exploration(random_action=1.0)
            exploration = self.config.exploration if self.demos else blind
            pending = self._submit(warm_start.episodes, exploration)
            self._store([episode.result() for episode in pending])
            self.progress.warm_start_env_steps = self.progress.env_steps
            for _ in range(warm_start.critic_updates):
                self._metrics.add(self.agent.update_critics(self._batch(self.sampler)))
                self._count_warm_start("teaching the critics")

    def _updates_due(self) -> int:
        """Return how many updates this cycle has; fractions of one carry over to the next."""
        cycle, progress = self.config.cycle, self.progress
        if cycle.updates is not None:
            return cycle.updates
        env_steps = progress.env_steps - progress.warm_start_env_steps
        return int(cycle.updates_per_step * env_steps) - progress.updates

    def _next_episodes(self) -> Sequence[Pending]:
        """Ask for the episodes of one more cycle, or for none when the run is over."""
        if self._finished():
            return ()
        return self._submit(self.config.cycle.episodes, self.config.exploration)

    def _submit(self, count: int, exploration: Exploration) -> Sequence[Pending]:
        policy = self.agent.policy(deployed=False)
        indices = range(self._num_asked, self._num_asked + count)
        self._num_asked += count
        seed, keys, resets = self.config.seed, self.spec.reward_info_keys, self.resets
        return self.executor.submit(
            [
                EpisodeJob(
                    policy,
                    seed,
                    "rollout",
                    index,
                    exploration,
                    reward_info_keys=keys,
                    start=None if resets is None else resets.start(index),
                )
                for index in indices
            ]
        )

    def _store(self, episodes: Sequence[Episode]) -> None:
        for episode in episodes:
            self.replay.add(episode)
            self.progress.env_steps += len(episode)
            self.progress.episodes += 1
            self._successes.append(episode.success)
        self._observe(episodes)

    def _observe(self, episodes: Sequence[Episode]) -> None:
        """Count new episodes into the normaliser the way they will be seen: relabelled."""
        replay = EpisodeReplay.from_episodes(episodes)
        sampler = self.relabelling.sampler(replay, self._normalizer_rng)
        self.agent.observe(sampler.sample(sum(len(episode) for episode in episodes)))

    def _evaluate(self, pending: Sequence[Pending]) -> None:
        for episode in pending:
            # The clock of the evaluation must not pay for the next cycle's episodes.
            episode.result()
        self._report("evaluating")
        begun = time.monotonic()
        policy = self.agent.policy(deployed=True)
        episodes = run_evaluation(
            self.executor,
            policy,
            episodes=self.config.evaluation.episodes,
            seed=self.config.seed,
        )
        self.last_result = summarize(self.spec.env_id, self.config.seed, episodes)
        mean_q = self._mean_q(episodes)
        self.progress.evaluation_seconds += time.monotonic() - begun
        row = self._row(self.last_result, mean_q)
        for observer in self.observers:
            observer.evaluated(policy, self.last_result, row)

    def _row(self, result: EvalResult, mean_q: float) -> dict[str, float]:
        progress, successes = self.progress, self._successes
        row = {
            "eval/success_rate": result.success_rate,
            "eval/mean_q": mean_q,
            **{f"eval/success_rate_{name}": p.success_rate for name, p in result.parts.items()},
            **{f"train/{name}": value for name, value in self._metrics.pop().items()},
            "time/env_steps": progress.env_steps,
            "time/episodes": progress.episodes,
            "time/updates": progress.updates,
            "time/warm_start_updates": progress.warm_start_updates,
            "time/wall_seconds": progress.wall_seconds,
            "time/evaluation_seconds": progress.evaluation_seconds,
        }
        if successes:
            row["rollout/success_rate"] = sum(successes) / len(successes)
            successes.clear()
        return row

    def _mean_q(self, episodes: Sequence[Episode]) -> float:
        """Mean ``Q(s, pi(s))`` over all steps of the evaluation's episodes."""
        observation = np.concatenate([episode.observations[:-1] for episode in episodes])
        achieved_goal = np.concatenate([episode.achieved_goals[:-1] for episode in episodes])
        desired_goal = np.concatenate([episode.desired_goals for episode in episodes])
        columns = (observation, achieved_goal, desired_goal)
        return float(self.agent.values(*(torch.from_numpy(column) for column in columns)).mean())

    def _finished(self) -> bool:
        if self.progress.env_steps >= self.config.env_steps:
            return True
        target, result = self.config.target_success, self.last_result
        return target is not None and result is not None and result.success_rate >= target

    def _batch(self, sampler: Sampler) -> Batch[torch.Tensor]:
        return sampler.sample(self.config.batch_size).map(torch.from_numpy)

    def _count_warm_start(self, phase: str) -> None:
        self.progress.warm_start_updates += 1
        if self.progress.warm_start_updates % 50 == 0:
            self._report(phase)

    def _report(self, phase: str) -> None:
        self.progress.phase = phase
        for observer in self.observers:
            observer.progressed(self.progress)
