"""Everything a training run can be told, typed and documented; what it is told is what it does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from headstart.agents.config import DDPGConfig
from headstart.demos.reset_goals import ResetGoal
from headstart.dotted import change_settings
from headstart.envs.task import TaskConfig
from headstart.errors import InputError, require
from headstart.rollout.exploration import Exploration
from headstart.rollout.limits import EPISODE_TIMEOUT
from headstart.settings import check_types
from headstart.text import counted

ActorInputs = Literal["auto", "all", "no-velocities", "no-absolute", "neither"]
StrategyName = Literal["future", "final", "episode", "random", "none"]
MatmulPrecision = Literal["float32", "bfloat16"]
MOST_EPISODES = 100_000
"""How many episodes can be asked for at once; a configuration of a stranger may ask for more."""
_MOST_ROWS, _MOST_STATES, _MOST_THREADS = 2**20, 2**31 - 1, 1024


@dataclass(frozen=True, kw_only=True)
class CycleConfig:
    """One turn of the training loop: some episodes, then some updates."""

    episodes: int = 2
    """Episodes collected per cycle."""
    updates_per_step: float | None = None
    """Updates per env step of the cycle; 0.5 unless cycle.updates is given."""
    updates: int | None = None
    """Updates per cycle, however many env steps it has; instead of updates_per_step."""
    ahead: bool = True
    """Collect the next cycle's episodes during this cycle's updates, with the policy from before
    them; off collects with the newest policy, while the learner waits."""

    def __post_init__(self) -> None:
        check_types(self, "cycle.")
        _require_episodes("cycle.episodes", self.episodes, least=1)
        ratio, updates = self.updates_per_step, self.updates
        in_range = ratio is None or 0.0 <= ratio <= 1000.0
        require(in_range, "cycle.updates_per_step must lie in [0, 1000]", ratio)
        require(updates is None or updates >= 0, "cycle.updates must not be negative", updates)
        require(
            ratio is None or updates is None,
            "cycle.updates and cycle.updates_per_step exclude each other; one must be None",
            f"{updates} and {ratio}",
        )


@dataclass(frozen=True, kw_only=True)
class HindsightConfig:
    """Which goals replace the original ones, and how often."""

    strategy: StrategyName = "future"
    """Where substitute goals come from: states the episode reached later, its final state, any of
    its states, any stored state; none relabels nothing."""
    relabel_fraction: float = 0.8
    """Share of each batch that gets a substitute goal; 0.8 is k = 4 in the paper."""
    moved_share: float = 0.0
    """Share of the substitute goals that are drawn again while they lie where the object is
    already; goals that need no action teach little."""
    moved_distance: float = 0.01
    """How far, in units of the goal, an object must have moved to count as moved."""

    def __post_init__(self) -> None:
        check_types(self, "hindsight.")
        _require_share("hindsight.relabel_fraction", self.relabel_fraction)
        _require_share("hindsight.moved_share", self.moved_share)
        distance = self.moved_distance
        require(distance > 0.0, "hindsight.moved_distance must be positive", distance)
        require(
            self.strategy != "none" or self.moved_share == 0.0,
            "hindsight.moved_share needs a hindsight.strategy",
            self.strategy,
        )


@dataclass(frozen=True, kw_only=True)
class DemosConfig:
    """How demonstrations enter training; without demonstrations nothing here acts."""

    fraction: float = 0.5
    """Share of each batch that is demonstrated."""
    num_episodes: int | None = None
    """How many demonstrations of the file to use, from its start; all of them by default."""

    def __post_init__(self) -> None:
        check_types(self, "demos.")
        require(0.0 < self.fraction < 1.0, "demos.fraction must lie in (0, 1)", self.fraction)
        if self.num_episodes is not None:
            require(
                self.num_episodes >= 1, "demos.num_episodes must be at least 1", self.num_episodes
            )


@dataclass(frozen=True, kw_only=True)
class ResetsConfig:
    """Training episodes that start in states of demonstrations; evaluation never does."""

    probability: float = 0.0
    """Probability that a training episode starts in a random state of a random demonstration."""
    goal: ResetGoal = "achieved"
    """Goal of such an episode: what the demonstration had achieved at its end (the paper), or the
    goal it was shown for (desired)."""

    def __post_init__(self) -> None:
        check_types(self, "resets.")
        _require_share("resets.probability", self.probability)


@dataclass(frozen=True, kw_only=True)
class WarmStartConfig:
    """What happens before the first cycle, in this order."""

    bc_updates: int = 2000
    """Updates of pure behaviour cloning; none without demonstrations."""
    episodes: int | None = None
    """Episodes collected with the clone, or without demonstrations with random actions. By default
    20, but at most 6000 env steps and three quarters of env_steps."""
    critic_updates: int = 1000
    """Updates of the critics alone on these episodes and the demonstrations."""

    def __post_init__(self) -> None:
        check_types(self, "warm_start.")
        for name in ("bc_updates", "critic_updates"):
            value = getattr(self, name)
            require(value >= 0, f"warm_start.{name} must not be negative", value)
        if self.episodes is not None:
            _require_episodes("warm_start.episodes", self.episodes, least=0)
        require(
            self.episodes != 0 or self.critic_updates == 0,
            "warm_start.critic_updates needs warm_start.episodes",
            self.critic_updates,
        )


@dataclass(frozen=True, kw_only=True)
class EvaluationConfig:
    """Greedy evaluation during a run, which chooses its best policy.

    Its episodes are none of training, and none of `headstart evaluate`.
    """

    every: int | None = None
    """Env steps from one evaluation to the next; there is one more at the end. By default 2000, and
    more where episodes are long: evaluation then takes at most about twice the env steps of
    training. There are fewer than 4 evaluations only where 10 episodes each would take more."""
    episodes: int | None = None
    """Episodes per evaluation. By default 50, or as many as may take twice evaluation.every env
    steps if those are fewer."""
    at_start: bool = False
    """Evaluate at 0 env steps too: what nothing was learned by, and what was cloned."""

    def __post_init__(self) -> None:
        check_types(self, "evaluation.")
        if self.every is not None:
            require(self.every >= 1, "evaluation.every must be at least 1", self.every)
        if self.episodes is not None:
            _require_episodes("evaluation.episodes", self.episodes, least=1)


@dataclass(frozen=True, kw_only=True)
class FailuresConfig:
    """How many training episodes may fail however often they are run, and be dropped.

    An episode fails if the environment raises, returns numbers that are not finite, loses the state
    of its simulator, or takes its process with it.
    """

    share: float = 0.01
    """Share of the training episodes that may fail."""
    at_least: int = 3
    """Number of episodes that may fail however few there are; one more ends the run."""

    def __post_init__(self) -> None:
        check_types(self, "failures.")
        _require_share("failures.share", self.share)
        require(self.at_least >= 0, "failures.at_least must not be negative", self.at_least)


@dataclass(frozen=True, kw_only=True)
class CheckpointConfig:
    """How often a run is saved, to go on from after a crash; nothing learned depends on it."""

    seconds: float = 30.0
    """Seconds from one checkpoint to the next; at most these are lost."""
    keep: int = 2
    """How many checkpoints stay on the disk."""

    def __post_init__(self) -> None:
        check_types(self, "checkpoint.")
        require(self.seconds >= 0.0, "checkpoint.seconds must not be negative", self.seconds)
        require(self.keep >= 2, "checkpoint.keep must be at least 2", self.keep)


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """A whole training run."""

    seed: int = 0
    """Root of every random draw."""
    env_steps: int = 15_000
    """Env steps to take in training, warm start included; 0 leaves the cloning of demonstrations
    alone."""
    target_success: float | None = None
    """Stop early once an evaluation reaches this success rate."""
    batch_size: int = 256
    """Rows per update, demonstrations included."""
    replay_capacity: int = 1_000_000
    """States the replay holds before it forgets the oldest episodes."""
    scale_rewards: bool = True
    """Learn from rewards of 0 at the goal and about -1 elsewhere, however the env pays them; off
    takes them as they are."""
    actor_inputs: ActorInputs = "auto"
    """What the actor sees of a state: all of it; all but velocities; all but absolute positions and
    angles, which are seen from the hand and from the goal; or neither. The critics see all. auto
    clones actors that see neither, nothing absolute, and all, lets the clones run the episodes of
    the warm start in turn, and trains on with a good one that sees little; without demonstrations
    it is all."""
    fine_scales: tuple[float, ...] = ()
    """For each k of these, the actor also sees tanh(k x) of each difference of positions x, in the
    env's units: small distances apart from larger ones."""
    symmetry: bool = True
    """Mirror half of each batch where the env is known to be symmetric."""
    policy_every: int = 10_000
    """Env steps from one numbered policy file to the next."""
    log_every: int = 100
    """Updates from one row of means, for TensorBoard and observers, to the next."""
    episode_timeout: float = EPISODE_TIMEOUT
    """Seconds that an episode may take in a collector process, before the process is replaced and
    the episode run again."""
    torch_threads: int = 1
    """Threads of the learner; collectors use one core each beside it."""
    matmul_precision: MatmulPrecision = "float32"
    """Precision of the learner's matrix products; bfloat16 makes wide networks nearly twice as fast
    on processors that have it (AVX512-BF16, AMX)."""
    task: TaskConfig = field(default_factory=TaskConfig)
    agent: DDPGConfig = field(default_factory=DDPGConfig)
    hindsight: HindsightConfig = field(default_factory=HindsightConfig)
    demos: DemosConfig = field(default_factory=DemosConfig)
    resets: ResetsConfig = field(default_factory=ResetsConfig)
    warm_start: WarmStartConfig = field(default_factory=WarmStartConfig)
    cycle: CycleConfig = field(default_factory=CycleConfig)
    exploration: Exploration = field(
        default_factory=lambda: Exploration(noise=0.1, random_action=0.1)
    )
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    failures: FailuresConfig = field(default_factory=FailuresConfig)
    checkpoint: CheckpointConfig = field(default_factory=CheckpointConfig)

    def __post_init__(self) -> None:
        check_types(self)
        require(self.env_steps >= 0, "env_steps must not be negative", self.env_steps)
        require(self.policy_every >= 1, "policy_every must be at least 1", self.policy_every)
        require(self.log_every >= 1, "log_every must be at least 1", self.log_every)
        require(self.seed >= 0, "seed must not be negative", self.seed)
        require(
            self.episode_timeout > 0.0, "episode_timeout must be positive", self.episode_timeout
        )
        _require_from_to("torch_threads", self.torch_threads, 1, _MOST_THREADS)
        _require_from_to("batch_size", self.batch_size, 2, _MOST_ROWS)
        _require_from_to("replay_capacity", self.replay_capacity, 2, _MOST_STATES)
        positive = all(0.0 < scale < float("inf") for scale in self.fine_scales)
        require(positive, "fine_scales must be positive", self.fine_scales)
        if self.target_success is not None:
            _require_share("target_success", self.target_success)

    def with_(self, changes: Mapping[str, Any] | None = None, /, **settings: Any) -> "TrainConfig":
        """Return this configuration with some settings changed.

        ``config.with_(env_steps=5000)``, or by dotted names, ``config.with_({"agent.actor_lr":
        3e-4})``, which ``**`` passes as well.

        Raises:
            InputError: if there is no such setting, or its value is refused.
        """
        given = {} if changes is None else changes
        return change_settings(self, {**given, **settings} if settings else given)

    def check_demos(self, available: int) -> None:
        """Refuse settings that ``available`` demonstrations cannot meet.

        Raises:
            InputError: if there are fewer than asked for, or their rows leave none for experience.
        """
        asked = self.demos.num_episodes
        if available == 0:
            raise InputError("the demo file holds no episodes; collect some with --episodes N")
        if asked is not None and asked > available:
            raise InputError(
                f"demos.num_episodes is {asked}, but the demo file holds "
                f"{counted(available, 'episode')}"
            )
        rows = round(self.batch_size * self.demos.fraction)
        if not 1 <= rows < self.batch_size:
            raise InputError(
                f"demos.fraction {self.demos.fraction} makes {rows} of {self.batch_size} rows "
                f"demonstrations; at least one row of either kind is needed"
            )


def _require_episodes(name: str, value: int, *, least: int) -> None:
    _require_from_to(name, value, least, MOST_EPISODES)


def _require_from_to(name: str, value: int, least: int, most: int) -> None:
    require(value >= least, f"{name} must be at least {least}", value)
    require(value <= most, f"{name} must be at most {most}", value)


def _require_share(name: str, value: float) -> None:
    require(0.0 <= value <= 1.0, f"{name} must lie in [0, 1]", value)
