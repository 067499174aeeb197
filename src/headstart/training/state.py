"""Where a run stands between two cycles, as plain values, and back."""

import time
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np

from headstart.data.replay import ReplayPosition
from headstart.policy import Policy
from headstart.training.config import MOST_EPISODES
from headstart.training.contest import Tally
from headstart.training.evaluation import EvalResult
from headstart.training.progress import Progress
from headstart.training.rollouts import Asked
from headstart.training.trainer import Trainer


@dataclass(frozen=True, kw_only=True)
class Counters:
    """``Progress``, its clock read."""

    env_steps: int
    warm_start_env_steps: int
    episodes: int
    updates: int
    warm_start_updates: int
    evaluation_seconds: float
    checkpoint_seconds: float
    wall_seconds: float
    dropped_episodes: int = 0
    """Checkpoints of earlier versions have none."""


_COUNTED = [field.name for field in fields(Counters)]


@dataclass(frozen=True, kw_only=True)
class AskedAhead:
    """Which episodes had been asked for; their policy is a file of its own."""

    first: int
    count: int


@dataclass(frozen=True, kw_only=True)
class TaskFacts:
    """What the episodes of a run have shown of its environment."""

    terminates: bool | None
    """Whether reaching the goal ends an episode."""
    reward_range: tuple[float, float]
    longest: int = 0
    """Steps of the longest episode."""
    latest_end: int = 0
    """Steps of the longest one that was terminated."""

    def __post_init__(self) -> None:
        low, high = self.reward_range
        if not low <= high:
            raise ValueError(f"rewards from {low} to {high}")
        if not 0 <= self.latest_end <= self.longest:
            raise ValueError(f"ends after {self.latest_end} of {self.longest} steps")


@dataclass(frozen=True, kw_only=True)
class RunState:
    """All of a run besides agent, replay, demonstrations and configuration."""

    begun: bool
    counters: Counters
    num_asked: int
    ahead: AskedAhead | None
    evaluated_at: int
    last_result: EvalResult | None
    successes: list[bool]
    metrics: dict[str, tuple[float, int]]
    """Sums and counts of what the updates reported since the last evaluation."""
    streams: dict[str, Any]
    owed_updates: float = 0.0
    """Checkpoints of earlier versions have none."""
    facts: TaskFacts | None = None
    """Runs of version 0.1 learned none."""
    recent: dict[str, tuple[float, int]] = field(default_factory=dict)
    """The same since observers were last shown them."""
    agents: dict[str, Tally] = field(default_factory=lambda: {"all": Tally()})
    """What was seen of each agent of the contest that is not dropped, the first one the leader;
    version 0.1 had one."""

    def __post_init__(self) -> None:
        counters = asdict(self.counters) | {"owed_updates": self.owed_updates}
        numbers = [*counters.values(), self.num_asked, *(count - 1 for _, count in self.sums)]
        if min(numbers) < 0 or not np.isfinite([*counters.values(), *self.totals]).all():
            raise ValueError("a counter is negative or not finite")
        over = self.counters.episodes + self.counters.dropped_episodes
        ahead = self.ahead or AskedAhead(first=over, count=0)
        if (ahead.first, ahead.first + ahead.count) != (over, self.num_asked):
            raise ValueError(f"{over} episodes of {self.num_asked} asked for")
        if ahead.count > MOST_EPISODES:
            raise ValueError(f"{ahead.count} episodes asked for at once")

    @property
    def sums(self) -> list[tuple[float, int]]:
        """Sums and counts of all metrics."""
        return [*self.metrics.values(), *self.recent.values()]

    @property
    def totals(self) -> list[float]:
        """Sums of all metrics."""
        return [total for total, _ in self.sums]


def run_state(trainer: Trainer) -> RunState:
    """Return where a trainer stands."""
    progress, ahead = trainer.progress, trainer.ahead
    return RunState(
        begun=trainer.begun,
        counters=Counters(**{name: getattr(progress, name) for name in _COUNTED}),
        num_asked=trainer.num_asked,
        ahead=None if ahead is None else AskedAhead(first=ahead.first, count=ahead.count),
        evaluated_at=trainer.evaluated_at,
        last_result=trainer.last_result,
        successes=list(trainer.successes),
        metrics=trainer.metrics.state(),
        streams=trainer.streams.state(),
        owed_updates=trainer.owed_updates,
        facts=TaskFacts(
            terminates=trainer.check.reward.terminates,
            reward_range=trainer.check.reward.reward_range,
            longest=trainer.check.longest,
            latest_end=trainer.check.latest_end,
        ),
        recent=trainer.recent.state(),
        agents={name: trainer.contest.tallies[name] for name in trainer.contest.agents},
    )


def check_run(
    trainer: Trainer, state: RunState, replay: ReplayPosition, policy_ahead: Policy | None
) -> None:
    """Refuse a state that does not go with a trainer, which is left as it is.

    Args:
        trainer: one that has not begun.
        state: where another stood.
        replay: where the replay of the other stood.
        policy_ahead: the policy of the episodes that had been asked for, if there were some.

    Raises:
        ValueError: that says what does not go together.
    """
    if replay.num_added != state.counters.episodes:
        raise ValueError(f"{replay.num_added} episodes stored of {state.counters.episodes}")
    if (state.ahead is None) != (policy_ahead is None):
        raise ValueError("episodes asked for, and their policy, are not both there")
    leader = trainer.contest.agents[next(iter(state.agents))]
    if policy_ahead is not None and _form(policy_ahead) != _form(leader.policy(deployed=False)):
        raise ValueError("the policy of episodes asked for has another form than the agent's")
    trainer.streams.check(state.streams)


def restore_run(trainer: Trainer, state: RunState, policy_ahead: Policy | None) -> None:
    """Put a new trainer where another stood; agent and replay are put back already.

    Args:
        trainer: one that has not begun.
        state: where the other stood, which ``check_run`` has not refused.
        policy_ahead: the policy of the episodes that had been asked for, if there were some.
    """
    ahead = state.ahead
    trainer.streams.restore(state.streams)
    trainer.begun = state.begun
    counted = asdict(state.counters)
    started = time.monotonic() - counted.pop("wall_seconds")
    trainer.progress = Progress(**counted, started=started)
    trainer.num_asked = state.num_asked
    trainer.evaluated_at = state.evaluated_at
    trainer.last_result = state.last_result
    trainer.successes = list(state.successes)
    trainer.metrics.restore(state.metrics)
    trainer.owed_updates = state.owed_updates
    if state.facts is not None:
        facts, check = state.facts, trainer.check
        check.reward.terminates, check.reward.reward_range = facts.terminates, facts.reward_range
        check.longest, check.latest_end = facts.longest, facts.latest_end
        trainer.hold_values()
    trainer.recent.restore(state.recent)
    trainer.contest.go_on(state.agents)
    if ahead is not None and policy_ahead is not None:
        # The same jobs again: an episode is a pure function of its job.
        indices = range(ahead.first, ahead.first + ahead.count)
        exploration = trainer.config.exploration
        pending = None
        if not trainer.finished:
            pending = trainer.rollouts.ask([policy_ahead], indices, exploration)
        trainer.ahead = Asked([policy_ahead], ahead.first, ahead.count, pending)


def _form(policy: Policy) -> tuple[object, ...]:
    """Return what two policies share that can take each other's place."""
    shapes = {name: array.shape for name, array in policy.arrays().items()}
    bounds = policy.action_low.tolist(), policy.action_high.tolist()
    return shapes, bounds, policy.goal_input, policy.observation_dim, policy.goal_dim
