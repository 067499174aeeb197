"""The training loop: collect, store, update, evaluate, save."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from headstart.agents.ddpg import DDPG
from headstart.agents.state import live_tensors, not_finite
from headstart.data.batch import Batch
from headstart.data.episode import Episode
from headstart.data.hindsight import Relabelling, Sampler
from headstart.data.replay import EpisodeReplay
from headstart.demos.resets import DemoResets
from headstart.demos.storage import DemoSet
from headstart.envs.episode_check import EpisodeCheck
from headstart.envs.goal_env import GoalSpec
from headstart.envs.source import EnvLike
from headstart.errors import InputError, RunError
from headstart.policy import Policy
from headstart.rollout.executors import Executor, Pending
from headstart.rollout.exploration import Exploration
from headstart.rollout.job import VALIDATION, EpisodeJob
from headstart.seeding import Streams
from headstart.training.config import TrainConfig
from headstart.training.evaluation import EvalResult, run_evaluation, summarize
from headstart.training.metrics import MeanMetrics
from headstart.training.observer import Observer, RunHandle
from headstart.training.progress import Progress
from headstart.training.row import evaluation_metrics, mean_value, progress_metrics
from headstart.training.schedule import period_ended
from headstart.training.seen import new_id


@dataclass(frozen=True)
class Ahead:
    """Episodes that have been asked for before the updates that come first."""

    policy: Policy
    first: int
    """Index of the first of them."""
    pending: Sequence[Pending]


@dataclass
class Trainer:
    """One run. Everything in it is passed in; nothing is looked up."""

    config: TrainConfig
    spec: GoalSpec
    agent: DDPG
    check: EpisodeCheck
    """Every episode passes it on its way into the replay."""
    executor: Executor
    replay: EpisodeReplay
    streams: Streams
    """Everything that is drawn at random in this process."""
    relabelling: Relabelling
    sampler: Sampler
    """Batches of own experience, mixed with demonstrations if there are some."""
    demos: Sequence[Episode]
    resets: DemoResets | None
    demo_sampler: Sampler | None
    """Batches of demonstrations alone, for the warm start."""
    observers: Sequence[Observer] = ()
    env: EnvLike | None = None
    """The environment, for those who run the policy later."""

    def __post_init__(self) -> None:
        self.progress = Progress()
        self.last_result: EvalResult | None = None
        self.evaluated_at = -1
        """Env steps at the last evaluation, -1 before the first."""
        self.handle = RunHandle(id=new_id(), env_id=self.spec.env_id, num_demos=len(self.demos))
        self.metrics = MeanMetrics()
        """Of the updates since the last evaluation."""
        self.recent = MeanMetrics()
        """Of the updates since observers were last shown them."""
        self.successes: list[bool] = []
        """Of the training episodes since the last evaluation."""
        self.num_asked = 0
        """Training episodes asked for so far."""
        self.ahead: Ahead | None = None
        self.begun = False
        self.demo_set: DemoSet | None = None
        """The demonstrations as they were read, which a run directory keeps."""
        # Now, so that a checkpoint can put it back.
        self._normalizer_rng = self.streams["normalizer"]
        self.hold_values()

    def run(self) -> EvalResult:
        """Train until ``config.env_steps`` are taken or the target success rate is reached.

        Returns:
            The last evaluation.

        Raises:
            InputError: if the environment never did what it must.
            RunError: if the run cannot go on; it says after how many env steps.
        """
        try:
            return self._train()
        except (InputError, RunError) as error:
            # An environment that has worked so far is no bad input.
            if isinstance(error, InputError) and not self.progress.env_steps:
                raise
            raise RunError(f"after {self.progress.env_steps} env steps: {error}") from error

    def _train(self) -> EvalResult:
        self._warm_start()
        while True:
            self._resumable()
            if self._evaluation_due():
                self._evaluate()
            if self._finished():
                assert self.last_result is not None
                return self.last_result
            self._cycle()

    def _warm_start(self) -> None:
        """Clone the demonstrations, collect with the clone, teach the critics from both."""
        warm_start, progress = self.config.warm_start, self.progress
        to_clone = 0 if self.demo_sampler is None else warm_start.bc_updates
        if not self.begun and self.demos:
            self._observe(self.demos)
        self.begun = True
        while self.demo_sampler is not None and progress.warm_start_updates < to_clone:
            if self.handle.stop_requested:
                return
            metrics = self.agent.clone(self._batch(self.demo_sampler))
            if progress.warm_start_updates + 1 == to_clone:
                self.agent.end_cloning()
            self._count_warm_start(metrics, "cloning demonstrations")
        if not warm_start.episodes:
            return
        if not progress.warm_start_env_steps:
            if self._finished():
                return
            blind = Exploration(random_action=1.0)
            exploration = self.config.exploration if self.demos else blind
            self._store(self._submit(warm_start.episodes, exploration).pending)
            progress.warm_start_env_steps = progress.env_steps
            self._resumable()
        while progress.warm_start_updates < to_clone + warm_start.critic_updates:
            if self.handle.stop_requested:
                return
            metrics = self.agent.update_critics(self._batch(self.sampler))
            self._count_warm_start(metrics, "teaching the critics")

    def _cycle(self) -> None:
        """Store some episodes, ask for the next ones, and learn meanwhile."""
        self.ahead = self.ahead or self._next_episodes()
        self._store(self.ahead.pending)
        more = self.config.cycle.ahead and not self._finished()
        self.ahead = self._next_episodes() if more else None

        for _ in range(self._updates_due()):
            metrics = self.agent.update(self._batch(self.sampler))
            self.progress.updates += 1
            self._note(metrics)
        self.agent.end_cycle()
        self._require_finite()
        self._report("training")

    def _require_finite(self) -> None:
        """Stop before what is broken is executed, saved or learned from."""
        mean = torch.from_numpy(self.agent.moments.mean)
        tensors = {**live_tensors(self.agent), "the normaliser's mean": mean}
        broken = not_finite(tensors) or self.metrics.not_finite()
        if broken is not None:
            updates = self.progress.warm_start_updates + self.progress.updates
            means = self.metrics.pop().items()
            losses = ", ".join(f"{name} {value:.3g}" for name, value in means)
            raise RunError(
                f"learning diverged: {broken} is not finite after {updates} updates ({losses}); "
                f"smaller --agent.critic-lr and --agent.actor-lr may help, with --allow-change on "
                f"resume"
            )

    def _policy(self, *, deployed: bool) -> Policy:
        self._require_finite()
        return self.agent.policy(deployed=deployed)

    def _updates_due(self) -> int:
        """Return how many updates this cycle has; fractions of one carry over to the next."""
        cycle, progress = self.config.cycle, self.progress
        if cycle.updates is not None:
            return cycle.updates
        env_steps = progress.env_steps - progress.warm_start_env_steps
        return int(cycle.updates_per_step * env_steps) - progress.updates

    def _next_episodes(self) -> Ahead:
        return self._submit(self.config.cycle.episodes, self.config.exploration)

    def _submit(self, count: int, exploration: Exploration) -> Ahead:
        first = self.num_asked
        self.num_asked += count
        policy = self._policy(deployed=False)
        return Ahead(policy, first, self.ask(policy, range(first, first + count), exploration))

    def ask(self, policy: Policy, indices: range, exploration: Exploration) -> Sequence[Pending]:
        """Ask for the training episodes of these indices."""
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

    def _store(self, pending: Sequence[Pending]) -> None:
        """Wait for episodes, and then store all of them or, if one fails, none."""
        episodes = [self.check(episode.result()) for episode in pending]
        self.hold_values()
        for episode in episodes:
            self.replay.add(episode)
            self.progress.env_steps += len(episode)
            self.progress.episodes += 1
            self.successes.append(episode.success)
        self._observe(episodes)

    def hold_values(self) -> None:
        """Clip targets to what is known of the rewards by now."""
        reward_range, scale = self.check.reward.reward_range, self.relabelling.scale
        self.agent.hold_values(reward_range if scale is None else scale.range(reward_range))

    def _observe(self, episodes: Sequence[Episode]) -> None:
        """Count new episodes into the normaliser the way they will be seen: relabelled."""
        replay = EpisodeReplay.from_episodes(episodes)
        sampler = self.relabelling.sampler(replay, self._normalizer_rng)
        self.agent.observe(sampler.sample(sum(len(episode) for episode in episodes)))

    def _evaluation_due(self) -> bool:
        now, before = self.progress.env_steps, self.evaluated_at
        if self._finished() and now != before:
            return True
        return period_ended(self.config.evaluation.every, before=max(before, 0), now=now)

    def _evaluate(self) -> None:
        for episode in () if self.ahead is None else self.ahead.pending:
            # The clock of the evaluation must not pay for the next cycle's episodes.
            episode.result()
        self._report("evaluating")
        begun = time.monotonic()
        policy = self._policy(deployed=True)
        episodes = run_evaluation(
            self.executor,
            policy,
            episodes=self.config.evaluation.episodes,
            seed=self.config.seed,
            stream=VALIDATION,
            # Nothing of the run changes until the evaluation is done.
            call=lambda _: self._resumable(),
        )
        self.last_result = summarize(self.spec.env_id, self.config.seed, episodes)
        self.evaluated_at = self.progress.env_steps
        mean_q = mean_value(self.agent, episodes)
        self.progress.evaluation_seconds += time.monotonic() - begun
        row = {
            **evaluation_metrics(self.last_result, mean_q),
            **{f"train/{name}": value for name, value in self.metrics.pop().items()},
            **progress_metrics(self.progress),
            "health/repeated_episodes": self.executor.repeated,
        }
        if self.successes:
            row["rollout/success_rate"] = sum(self.successes) / len(self.successes)
            self.successes.clear()
        for observer in self.observers:
            observer.evaluated(policy, self.last_result, row)

    def _finished(self) -> bool:
        if self.handle.stop_requested:
            return True
        if self.progress.env_steps >= self.config.env_steps:
            return True
        target, result = self.config.target_success, self.last_result
        return target is not None and result is not None and result.success_rate >= target

    def _batch(self, sampler: Sampler) -> Batch[torch.Tensor]:
        return sampler.sample(self.config.batch_size).map(torch.from_numpy)

    def _count_warm_start(self, metrics: Mapping[str, torch.Tensor], phase: str) -> None:
        self.progress.warm_start_updates += 1
        self._note(metrics)
        if self.progress.warm_start_updates % 50 == 0:
            self._require_finite()
            self._report(phase)
            self._resumable()

    def _note(self, metrics: Mapping[str, torch.Tensor]) -> None:
        """Count the metrics of one update, and show observers the last ones now and then."""
        self.metrics.add(metrics)
        self.recent.add(metrics)
        progress = self.progress
        if (progress.warm_start_updates + progress.updates) % self.config.log_every == 0:
            means = {f"updates/{name}": value for name, value in self.recent.pop().items()}
            for observer in self.observers:
                observer.logged({**means, **progress_metrics(progress)}, progress.env_steps)

    def _resumable(self) -> None:
        for observer in self.observers:
            observer.resumable()

    def _report(self, phase: str) -> None:
        self.progress.phase = phase
        for observer in self.observers:
            observer.progressed(self.progress)
