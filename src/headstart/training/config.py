"""Training settings: typed, documented, checked, and all of them used."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from headstart.agents.config import FAR_FROM, SHORT_EPISODES, DDPGConfig, DeviceName
from headstart.data.goals import ResetGoal
from headstart.dotted import change_settings
from headstart.envs.task import TaskConfig
from headstart.errors import InputError, require
from headstart.rollout.exploration import MOST_NOISE, Exploration
from headstart.rollout.limits import EPISODE_TIMEOUT
from headstart.settings import check_settings, setting
from headstart.text import counted

ActorInputs = Literal["auto", "all", "no-velocities", "no-absolute", "neither", "component"]
StrategyName = Literal["future", "final", "episode", "random", "none"]
MatmulPrecision = Literal["float32", "bfloat16"]
MOST_EPISODES = 100_000
"""How many episodes can be asked for at once; an untrusted configuration may ask for more."""


@dataclass(frozen=True, kw_only=True)
class CycleConfig:
    """One turn of the training loop: some episodes, then some updates."""

    episodes: int = setting(2, at_least=1, at_most=MOST_EPISODES)
    """Episodes collected per cycle."""
    updates_per_step: float | None = setting(None, at_least=0, at_most=1000)
    """Updates per env step of the cycle; 0.5 unless cycle.updates is given."""
    updates: int | None = setting(None, at_least=0)
    """Updates per cycle, however many env steps it has; instead of updates_per_step."""
    ahead: bool = True
    """Collect the next cycle's episodes during this cycle's updates, with the policy from before
    them; off collects with the newest policy, while the learner waits."""

    def __post_init__(self) -> None:
        check_settings(self, "cycle.")
        require(
            self.updates_per_step is None or self.updates is None,
            "cycle.updates and cycle.updates_per_step exclude each other; one must be None",
            f"{self.updates} and {self.updates_per_step}",
        )


@dataclass(frozen=True, kw_only=True)
class HindsightConfig:
    """Which goals replace the original ones, and how often."""

    strategy: StrategyName = "future"
    """Where substitute goals come from: states the episode reached later, its final state, any of
    its states, any stored state; none relabels nothing."""
    relabel_fraction: float | None = setting(None, at_least=0, at_most=1)
    """Share of each batch that gets a substitute goal; 0.8 is k = 4 in the paper. By default 0.8;
    but 0.5 without demonstrations where episodes have more than 100 steps, so that far goals are
    seen more often."""
    moved_share: float = setting(0.0, at_least=0, at_most=1)
    """Share of the substitute goals that are drawn again while they lie where the object is
    already; goals that need no action teach little."""
    moved_distance: float = setting(0.01, above=0)
    """How far, in units of the goal, an object must have moved to count as moved."""

    def __post_init__(self) -> None:
        check_settings(self, "hindsight.")
        relabels = self.strategy != "none" or self.moved_share == 0.0
        require(relabels, "hindsight.moved_share needs a hindsight.strategy", self.strategy)

    def fraction_for(self, episode_steps: int = SHORT_EPISODES) -> float:
        """Return the share that is relabelled in episodes of so many steps, none demonstrated."""
        if self.relabel_fraction is not None:
            return self.relabel_fraction
        return 0.8 if episode_steps <= FAR_FROM else 0.5


@dataclass(frozen=True, kw_only=True)
class DemosConfig:
    """How demonstrations enter training, and whether they are made from nothing."""

    fraction: float = setting(0.5, above=0, below=1)
    """Share of each batch that is demonstrated."""
    num_episodes: int | None = setting(None, at_least=1, resume="fixed")
    """How many demonstrations of the file to use, from its start; all of them by default."""
    relabel_fraction: float | None = setting(None, at_least=0, at_most=1)
    """Share of the demonstrated steps that get a substitute goal, as hindsight.strategy says. By
    default none: demonstrations are cloned for the goal that they end at, those that failed for
    what they ended with. How to reach what they pass through they do not show. Where some failed,
    that of hindsight after cloning: of a shaky hand, what its actions led to is known better than
    what they were for; but not where the actor sees a goal by component. Without a strategy all
    keep the goals that they were meant for."""
    expand: int | None = setting(None, at_least=0, at_most=MOST_EPISODES, resume="fixed")
    """Demonstrations to make of those given, in new scenes, as `headstart demos expand` does, to
    learn from these instead; 0 makes none. By default 100 for each place in a goal, of 20 or fewer
    and of slow ones, where the task says how its hand is moved and the run is as long as 100
    episodes."""
    expand_speed: float | None = setting(None, at_least=0.2, at_most=3.0, resume="fixed")
    """How fast the hand moves in those, as `headstart demos expand --speed` says. By default 1, and
    2 where the given ones are slow."""
    expand_noise: float = setting(0.0, at_least=0, at_most=MOST_NOISE, resume="fixed")
    """Gaussian noise on what is executed in those, as `headstart demos expand --noise` says."""
    find: int | None = setting(None, at_least=0, at_most=MOST_EPISODES, resume="fixed")
    """Demonstrations to make from nothing where none are given, as `headstart demos find` does; 0
    makes none. By default 100 where the task says how its hand is moved and a goal is the place of
    one object, or of the hand itself and more than ten steps away."""
    other_goals: bool | None = None
    """Show half of the demonstrated steps before anything has moved with goals of others. By
    default where clones that see no goal foresee such steps of other demonstrations better."""

    def __post_init__(self) -> None:
        check_settings(self, "demos.")


@dataclass(frozen=True, kw_only=True)
class ResetsConfig:
    """Training episodes that start in states of demonstrations; evaluation never does."""

    probability: float = setting(0.0, at_least=0, at_most=1)
    """Probability that a training episode starts in a random state of a random demonstration."""
    goal: ResetGoal = "achieved"
    """Goal of such an episode: what the demonstration had achieved at its end (the paper), or the
    goal it was shown for (desired)."""
    frontier: bool = setting(False, resume="fixed")
    """Start such episodes near the end of a demonstration, and further back as they succeed,
    instead of in any of its states; at last all start at the env's own reset."""

    def __post_init__(self) -> None:
        check_settings(self, "resets.")
        rule = "resets.frontier needs a resets.probability above 0"
        require(not self.frontier or self.probability > 0.0, rule, self.probability)


@dataclass(frozen=True, kw_only=True)
class WarmStartConfig:
    """What happens before the first cycle, in this order."""

    bc_updates: int | None = setting(None, at_least=0, resume="fixed")
    """Updates of pure behaviour cloning; none without demonstrations. By default 4000, or 2000 from
    20 demonstrations or fewer, which a longer fit would learn by heart. Of several clones each gets
    a quarter, and the one that is chosen, for which it takes env steps, the rest."""
    episodes: int | None = setting(None, at_least=0, at_most=MOST_EPISODES, resume="fixed")
    """Episodes collected with the clone, or without demonstrations with random actions. By default
    20, but at most 6000 env steps and three quarters of env_steps."""
    episodes_in_doubt: int | None = setting(None, at_least=0, at_most=MOST_EPISODES, resume="fixed")
    """Where they leave in doubt which clone is best, whole clones run more, until there are these.
    By default as many as are given, else three times as many, at most 3/4 of env_steps."""
    critic_updates: int = setting(1000, at_least=0, resume="fixed")
    """Updates of the critics alone on these episodes and the demonstrations."""

    def __post_init__(self) -> None:
        check_settings(self, "warm_start.")
        has_episodes = self.episodes != 0 or self.critic_updates == 0
        rule = "warm_start.critic_updates needs warm_start.episodes"
        require(has_episodes, rule, self.critic_updates)

    @property
    def most_episodes(self) -> int:
        """Episodes of a warm start in doubt."""
        return max(self.episodes or 0, self.episodes_in_doubt or 0)


@dataclass(frozen=True, kw_only=True)
class LearnerConfig:
    """What several processes under torchrun share."""

    mode: Literal["sharded", "per-process"] = setting("sharded", resume="fixed")
    """Whether processes share one batch and one replay (learner.shards), or each has its own replay
    and batch of batch_size rows and all average their gradients, as OpenAI Baselines does under
    MPI. cycle.episodes, cycle.updates_per_step and replay_capacity then count for each process;
    all else counts for all together."""
    shards: int = setting(1, at_least=1, at_most=4096, resume="fixed")
    """Parts of each batch, whose gradients are added in a fixed order. As many processes as divide
    it share them, to the same bits as one; by another number of shards results differ in rounding,
    as by another seed. 1 is for one process."""
    processes: int | None = setting(None, at_least=1, resume="fixed")
    """How many processes a run per process has, whose result depends on it; by default as many as
    torchrun has started. None where they share one batch."""

    def __post_init__(self) -> None:
        check_settings(self, "learner.")
        if self.mode == "per-process":
            rule = "learner.shards must be 1 where learner.mode is per-process"
            require(self.shards == 1, rule, self.shards)
        else:
            rule = "learner.processes must be None where learner.mode is sharded"
            require(self.processes is None, rule, self.processes)


@dataclass(frozen=True, kw_only=True)
class EvaluationConfig:
    """Greedy evaluation during a run, which chooses its best policy.

    Its episodes are none of training, and none of `headstart evaluate`.
    """

    every: int | None = setting(None, at_least=1, resume="free")
    """Env steps from one evaluation to the next; there is one more at the end. By default 2000, and
    more where episodes are long: evaluation then takes at most about twice the env steps of
    training. There are fewer than 4 evaluations only where 10 episodes each would take more."""
    episodes: int | None = setting(None, at_least=1, at_most=MOST_EPISODES, resume="free")
    """Episodes per evaluation. By default 50, or as many as may take twice evaluation.every env
    steps if those are fewer."""
    at_start: bool = setting(False, resume="free")
    """Evaluate at 0 env steps too: what nothing was learned by, and what was cloned."""

    def __post_init__(self) -> None:
        check_settings(self, "evaluation.")


@dataclass(frozen=True, kw_only=True)
class FailuresConfig:
    """How many training episodes may fail however often they are run, and be dropped.

    An episode fails if the environment raises, returns numbers that are not finite, loses the state
    of its simulator, or takes its process with it.
    """

    share: float = setting(0.01, at_least=0, at_most=1, resume="free")
    """Share of the training episodes that may fail."""
    at_least: int = setting(3, at_least=0, resume="free")
    """Number of episodes that may fail however few there are; one more ends the run."""

    def __post_init__(self) -> None:
        check_settings(self, "failures.")


@dataclass(frozen=True, kw_only=True)
class CheckpointConfig:
    """How often a run is saved, to continue from after a crash; nothing learned depends on it."""

    seconds: float = setting(30.0, at_least=0, resume="free")
    """Seconds from one checkpoint to the next; at most these are lost."""
    keep: int = setting(2, at_least=2, resume="free")
    """How many checkpoints stay on the disk."""

    def __post_init__(self) -> None:
        check_settings(self, "checkpoint.")


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """A whole training run."""

    seed: int = setting(0, at_least=0, resume="fixed")
    """Root of every random draw."""
    env_steps: int = setting(15_000, at_least=0, resume="free")
    """Env steps to take in training, warm start included; 0 leaves the cloning of demonstrations
    alone."""
    target_success: float | None = setting(None, at_least=0, at_most=1, resume="free")
    """Stop early once an evaluation reaches this success rate."""
    batch_size: int = setting(256, at_least=2, at_most=2**20)
    """Rows per update, demonstrations included."""
    replay_capacity: int = setting(1_000_000, at_least=2, at_most=2**31 - 1, resume="fixed")
    """States the replay holds before it forgets the oldest episodes."""
    scale_rewards: bool = True
    """Learn from rewards of 0 at the goal and about -1 elsewhere, however the env pays them; off
    takes them as they are."""
    actor_inputs: ActorInputs = setting("auto", resume="fixed")
    """What the actor sees of a state: all of it; all but velocities; all but absolute positions and
    angles, which are seen from the hand and from the goal; neither; or the current component of a
    goal and what is around it. The critics see all. auto is component where the env declares
    component_layout; else it clones actors that see neither, nothing absolute, and all, lets the
    clones run the episodes of the warm start in turn, and trains on with a good one that sees
    little; without demonstrations it is all."""
    init_policy: str | None = setting(None, resume="fixed")
    """Policy file, or directory of another run, that the actor starts from; it must see the same of
    a state, and have the same layers. Of goals with components, one for another number of them."""
    fine_scales: tuple[float, ...] = setting((), above=0, below=math.inf, resume="fixed")
    """For each k of these, the actor also sees tanh(k x) of each difference of positions x, in the
    env's units: small distances apart from larger ones. One that sees the current component has two
    of them by default."""
    symmetry: bool = setting(True, resume="fixed")
    """Mirror half of each batch where the env is known to be symmetric."""
    policy_every: int = setting(10_000, at_least=1, resume="free")
    """Env steps from one numbered policy file to the next."""
    log_every: int = setting(100, at_least=1, resume="free")
    """Updates from one row of means, for TensorBoard and observers, to the next."""
    episode_timeout: float = setting(EPISODE_TIMEOUT, above=0, resume="free")
    """Seconds that an episode may take in a collector process, before the process is replaced and
    the episode run again."""
    device: DeviceName = setting("auto", resume="free")
    """Where the learner computes: the processor, or the GPU that torch calls cuda, where no run is
    repeated to the same bits; auto is the processor."""
    torch_threads: int = setting(1, at_least=1, at_most=1024)
    """Threads of the learner; collectors use one core each beside it."""
    matmul_precision: MatmulPrecision = "float32"
    """Precision of the learner's matrix products; bfloat16 makes wide networks half as fast again
    where torch multiplies it (AMX; see `headstart doctor`)."""
    profile: bool = setting(False, resume="free")
    """Time the parts of updates too, and print where the time of the run went."""
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
    learner: LearnerConfig = field(default_factory=LearnerConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    failures: FailuresConfig = field(default_factory=FailuresConfig)
    checkpoint: CheckpointConfig = field(default_factory=CheckpointConfig)

    def __post_init__(self) -> None:
        check_settings(self)
        self.check_shards(self.batch_size, "the rows of a batch")

    def check_shards(self, rows: int, of: str) -> None:
        """Refuse rows that do not make equal shards.

        Raises:
            InputError: says how many there are.
        """
        shards = self.learner.shards
        require(rows % shards == 0, f"learner.shards {shards} must divide {of}", rows)

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
