"""The training loop: collect, store, update, evaluate, save."""

import math
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from headstart.agents.ddpg import DDPG, Metrics
from headstart.agents.device import TensorBatch, send_batch
from headstart.data.episode import Episode
from headstart.data.hindsight import Relabelling, Sampler
from headstart.data.replay import EpisodeReplay
from headstart.envs.episode_check import EpisodeCheck
from headstart.envs.goal_env import GoalSpec
from headstart.envs.source import EnvLike
from headstart.errors import InputError, RunError
from headstart.policy import Policy
from headstart.rollout.executors import Executor
from headstart.rollout.exploration import RANDOM, Exploration
from headstart.rollout.job import VALIDATION
from headstart.rollout.task_source import TaskSource
from headstart.seeding import Streams
from headstart.training.clock import Clock
from headstart.training.config import TrainConfig
from headstart.training.contest import Contest
from headstart.training.corrections import Corrections
from headstart.training.evaluation import Trials, each_trial, summarize
from headstart.training.metrics import mean_value, require_finite
from headstart.training.observer import Observer, RunHandle, new_id
from headstart.training.progress import Phase, Progress
from headstart.training.rollouts import Asked, Rollouts, collect, wait_for
from headstart.training.schedule import clones_due, evaluation_period_over, updates_due
from headstart.training.share import ALL, Share
from headstart.training.state import TrainerState


@dataclass
class Trainer:
    """One run. Everything in it is passed in; nothing is looked up."""

    config: TrainConfig
    spec: GoalSpec
    contest: Contest
    """The agent, or several of them until the warm start has shown which one is trained on."""
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
    tasks: TaskSource
    demo_sampler: Sampler | None
    """Batches of demonstrations alone, for the warm start."""
    observers: Sequence[Observer] = ()
    share: Share = ALL
    env: EnvLike | None = None
    """The environment, for those who run the policy later."""
    should_stop: Callable[[], bool] = lambda: False
    """Asked wherever the run can be saved; it then ends there."""

    def __post_init__(self) -> None:
        every, trials = self.config.evaluation.every, self.config.evaluation.episodes
        assert every is not None and trials is not None  # noqa: PT018 - one line
        self._period, self._num_trials = every, trials
        self._wanted = self.config.warm_start.episodes or 0
        self.state = TrainerState()
        self.handle = RunHandle(new_id(), self.spec.env_id, len(self.demos), task=self.config.task)
        self.ahead: Asked | None = None
        """Episodes that are asked for before the updates that come first."""
        corrections, seed = Corrections(self.demo_sampler), self.config.seed
        self.rollouts = Rollouts(self.executor, seed, self.spec, self.tasks, corrections)
        self.clock = Clock(lambda: self.progress, self.rollouts.cpu_seconds)
        if self.config.profile:
            self.contest.time_parts(self.clock.timed)
        # Now, so that a checkpoint can put it back.
        self._normalizer_rng = self.streams["normalizer"]
        self.hold_values()

    @property
    def progress(self) -> Progress:
        """Counters and clocks."""
        return self.state.progress

    @property
    def agent(self) -> DDPG:
        """Who is trained, or would be if the warm start ended now."""
        return self.contest.leader

    def run(self) -> bool:
        """Train until ``config.env_steps`` are taken or the target success rate is reached.

        Returns:
            Whether that is so; otherwise ``should_stop`` has ended the run where it can be saved.

        Raises:
            InputError: if the environment never did what it must.
            RunError: if the run cannot continue; it says after how many env steps.
        """
        try:
            # The only place at which a run is saved on its way, or stopped.
            for _ in self._train():
                if self.should_stop():
                    return False
                for observer in self.observers:
                    observer.resumable()
        except (InputError, RunError) as error:
            # An environment that has worked so far is not bad input.
            if isinstance(error, InputError) and not self.progress.episodes:
                raise
            raise RunError(f"after {self.progress.env_steps} env steps: {error}") from error
        return True

    def _train(self) -> Iterator[None]:
        """Train, and yield wherever the run can be saved and continued to the same bits."""
        yield from self._warm_start()
        while True:
            yield
            at_end = self.finished and self.progress.env_steps != self.state.evaluated_at
            if at_end or self._period_over:
                yield from self._evaluate()
            if self.finished:
                return
            self._cycle()

    def _warm_start(self) -> Iterator[None]:
        """Clone the demonstrations, collect with the clone, teach the critics from both."""
        warm_start, progress = self.config.warm_start, self.progress
        to_clone = 0 if self.demo_sampler is None else warm_start.bc_updates or 0
        if not self.state.begun and self.demos:
            self._observe(EpisodeReplay.from_episodes(self.demos))
        self.state.begun = True
        yield from self._evaluate_start(after=0)
        first = to_clone // 4 if self.contest.is_open else to_clone
        yield from self._clone(first)
        yield from self._evaluate_start(after=first)
        yield from self._collect_warm_start(self._wanted)
        if self.contest.is_open and progress.episodes >= self._wanted:
            # Which clone is best is in doubt: whole ones run more episodes.
            yield from self._clone(to_clone)
            yield from self._collect_warm_start(warm_start.most_episodes)
        # What is left of the warm start is done if the run is made longer.
        if self._in_warm_start or not progress.episodes:
            return
        yield from self._clone(to_clone)
        while progress.warm_start_updates < to_clone + warm_start.critic_updates:
            if self.handle.stop_requested:
                return
            with self.clock("update"):
                metrics = self.agent.update_critics(self._batch(self.sampler))
            if self._count_warm_start(metrics, "teaching the critics"):
                yield

    def _clone(self, updates: int) -> Iterator[None]:
        """Clone the demonstrations until there are as many updates."""
        while self.demo_sampler is not None and self.progress.warm_start_updates < updates:
            if self.handle.stop_requested:
                return
            count = clones_due(self.progress.warm_start_updates, updates)
            batches = [self._batch(self.demo_sampler) for _ in range(count)]
            with self.clock("cloning"):
                metrics = self.contest.clone(batches)
            if self.progress.warm_start_updates + count == updates:
                self.contest.end_cloning()
            due = [self._count_warm_start(each, "cloning demonstrations") for each in metrics]
            if due[-1]:
                yield

    def _evaluate_start(self, *, after: int) -> Iterator[None]:
        """Evaluate before the first env step, if that is wanted and not done: cloning shows."""
        due = self.state.evaluated_clone < after == self.progress.warm_start_updates
        due &= self.config.evaluation.at_start and not self.handle.stop_requested
        if due and not self.progress.env_steps:
            yield from self._evaluate()
            self.state.evaluated_clone = after

    def _collect_warm_start(self, wanted: int) -> Iterator[None]:
        """Collect episodes until there are as many, no more than env steps allow."""
        final = wanted >= self.config.warm_start.most_episodes
        usual = self.config.exploration if self.demos or self.config.init_policy else RANDOM
        explore = self.contest.exploration(usual)
        while self.progress.episodes < wanted and not self.finished:
            left = (self.config.env_steps - self.progress.env_steps) / self.spec.max_episode_steps
            count = min(wanted - self.progress.episodes, math.ceil(left))
            for index, episode in self._store(self._ask(count, explore)).items():
                self.contest.count(index, episode)
            self.progress.warm_start_env_steps = self.progress.env_steps
            if self.progress.episodes >= wanted and self.contest.decide(final=final):
                # All at once, however many times the run was made longer meanwhile.
                self._observe(self.replay)
            yield

    def _cycle(self) -> None:
        """Store some episodes, ask for the next ones, and learn meanwhile."""
        cycle, before, stored = self.config.cycle, self.progress.env_steps, self.progress.episodes
        ask = partial(self._ask, cycle.episodes * self.share.count, self.config.exploration)
        if episodes := [*self._store(self.ahead or ask()).values()]:
            self._observe(EpisodeReplay.from_episodes(self.share.among(episodes, stored)))
        # After the last cycle too: a run that is made longer continues as the long one would.
        self.ahead = ask(begin=not self.finished) if cycle.ahead else None
        due, taken = 0, (self.progress.env_steps - before) / self.share.count
        if self.progress.episodes >= self.share.count:
            due, self.state.owed_updates = updates_due(cycle, self.state.owed_updates, taken)
        for _ in range(due):
            with self.clock("update"):
                metrics = self.agent.update(self._batch(self.sampler))
            self.progress.updates += 1
            self._note(metrics)
        self.agent.end_cycle()
        self._require_finite()
        self._report("training")

    def _require_finite(self) -> None:
        """Stop before what is broken is executed, saved or learned from."""
        for agent in self.contest.agents.values():
            require_finite(agent, self.state.metrics, self.progress.all_updates)

    def _ask(self, count: int, exploration: Exploration, *, begin: bool = True) -> Asked:
        """Ask for new episodes with the newest policy; none is begun if it is not to be."""
        self._require_finite()
        indices, env_steps = self.state.ask(count), self.progress.env_steps
        asked = Asked(self.contest.policies, indices, exploration, env_steps)
        return self.rollouts.begin(asked) if begin else asked

    def _store(self, asked: Asked) -> dict[int, Episode]:
        """Wait for episodes; store those that did not fail or, if it must end, none, by index."""
        if asked.pending is None:
            asked = self.rollouts.begin(asked)
        with self.clock(self.rollouts.part):
            collected = collect(asked.pending or (), self.progress, self.config.failures)
        finished = {place: self.check(episode) for place, episode in collected.items()}
        episodes = {asked.indices[place]: episode for place, episode in finished.items()}
        self.hold_values()
        for episode in episodes.values():
            if self.share.has(self.progress.episodes):
                self.replay.add(episode)
            self.state.count(episode)
        self.rollouts.observe(asked, finished)
        return episodes

    def continue_from(self, state: TrainerState, policy_ahead: Policy | None) -> None:
        """Continue where another trainer stood, whose agents, replay and streams are here.

        Args:
            state: where it stood.
            policy_ahead: the policy of the episodes that it had asked for, if there were some.
        """
        self.state = state
        self.hold_values()
        if policy_ahead is None:
            return
        # The same jobs again: an episode is a pure function of its job.
        indices, exploration = range(state.num_over, state.num_asked), self.config.exploration
        asked = Asked([policy_ahead], indices, exploration, self.progress.env_steps)
        self.ahead = asked if self.finished else self.rollouts.begin(asked)

    def hold_values(self) -> None:
        """Clip targets to what is known of the rewards by now."""
        reward_range, scale = self.check.reward.reward_range, self.relabelling.scale
        self.contest.hold_values(reward_range if scale is None else scale.range(reward_range))

    def _observe(self, replay: EpisodeReplay) -> None:
        """Count new episodes into the normaliser the way they will be seen: relabelled."""
        sampler = self.relabelling.sampler(replay, self._normalizer_rng)
        self.contest.observe(sampler.sample(replay.num_transitions))

    @property
    def _period_over(self) -> bool:
        """Whether an evaluation is due that the end of the run has no part in."""
        return not self._in_warm_start and evaluation_period_over(self._period, self.state)

    @property
    def _in_warm_start(self) -> bool:
        return self.contest.is_open or self.progress.episodes < self._wanted

    def _evaluate(self) -> Iterator[None]:
        # The clock of the evaluation must not pay for the next cycle's episodes.
        with self.clock(self.rollouts.part):
            wait_for(self.ahead)
        self._report("evaluating")
        with self.clock("evaluation"):
            trials = yield from self._run_trials()
            mean_q = mean_value(self.agent, trials.episodes)
        policy, only_at_end = self.agent.policy(deployed=True), not self._period_over
        result = summarize(self.spec.env_id, self.config.seed, *trials, reward=self.check.reward)
        self.state.last_result, self.state.evaluated_at = result, self.progress.env_steps
        self.clock.read_processors()
        row = {**self.state.row(mean_q), "health/repeated_episodes": self.executor.repeated}
        if not only_at_end:
            # Otherwise the long run would not have evaluated here: its next row counts on.
            self.state.metrics.clear()
            self.state.successes.clear()
        for observer in self.observers:
            observer.evaluated(policy, result, row)

    def _run_trials(self) -> Generator[None, None, Trials]:
        """Run the episodes of an evaluation; of several agents the best one leads from then on."""
        self._require_finite()
        trials = {}
        for name, agent in self.contest.agents.items():
            policy, outcomes = agent.policy(deployed=True), []
            count, seed = self._num_trials, self.config.seed
            asked = each_trial(self.executor, policy, episodes=count, seed=seed, stream=VALIDATION)
            for outcome in asked:
                outcomes.append(outcome)
                # Nothing of the run changes until the evaluation is done.
                yield
            trials[name] = Trials.of(outcomes)
        self.contest.lead(max(trials, key=lambda name: trials[name].successes))
        return trials[self.contest.leading]

    @property
    def finished(self) -> bool:
        """Whether all env steps are taken, the target is reached, or an observer has ended it."""
        if self.handle.stop_requested or self.progress.env_steps >= self.config.env_steps:
            return True
        target, result = self.config.target_success, self.state.last_result
        return target is not None and result is not None and result.success_rate >= target

    def _batch(self, sampler: Sampler) -> TensorBatch:
        with self.clock("sampling"):
            return send_batch(sampler.sample(self.config.batch_size), self.agent.device)

    def _count_warm_start(self, metrics: Metrics, phase: Phase) -> bool:
        """Count an update, and return whether it is time to save the run."""
        self.progress.warm_start_updates += 1
        self._note(metrics)
        if self.progress.warm_start_updates % 50:
            return False
        self._require_finite()
        self._report(phase)
        return True

    def _note(self, metrics: Metrics) -> None:
        """Count the metrics of one update, and show observers the last ones now and then."""
        self.state.metrics.add(metrics)
        self.state.recent.add(metrics)
        if self.progress.all_updates % self.config.log_every == 0:
            row = self.state.take_recent()
            for observer in self.observers:
                observer.logged({**row}, self.progress.env_steps)

    def _report(self, phase: Phase) -> None:
        self.progress.phase = phase
        self.clock.read_processors()
        for observer in self.observers:
            observer.progressed(self.progress)
