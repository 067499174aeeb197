"""Networks, losses and optimisation of the agent, as settings."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from headstart.data.inputs import GoalInput
from headstart.errors import require
from headstart.settings import check_settings, setting

DeviceName = Literal["auto", "cpu", "cuda"]
TargetCombination = Literal["min", "mean"]
SHORT_EPISODES, FAR_FROM = 50, 100
"""Steps of the episodes for which ``fast`` is made, and of those above which goals may be far."""
_MOST_WEIGHTS = 2**27  # of the critics together; with their optimiser and targets 2 GiB


@dataclass(frozen=True, kw_only=True)
class DDPGConfig:
    """Networks, losses and optimisation of the agent."""

    hidden_sizes: tuple[int, ...] = setting((128, 128, 128), above=0, resume="fixed")
    """Hidden layers of the actor and of each critic."""
    critic_layer_norm: bool = True
    """Normalise each hidden layer of the critics (RLPD; Ball et al. 2023)."""
    num_critics: int = setting(2, at_least=1, resume="fixed")
    """Independent critics; the policy follows the first."""
    target_combination: TargetCombination | None = None
    """How the target critics' values become one target. By default the min; but the mean without
    demonstrations where episodes have more than 100 steps: the smaller of two values hides what is
    far."""
    clip_target: bool = True
    """Keep targets within what the reward range allows, [-1/(1-discount), 0] for -1/0."""
    discount: float | None = setting(None, at_least=0, below=1)
    """Discount per env step. By default 0.98, and without demonstrations 1 - 1/T for episodes of T
    steps, as in OpenAI Baselines, but at least 0.98 and at most 0.99; 0.9 without demonstrations
    where three random actions on end go half as far as goals are."""
    actor_lr: float = setting(1e-3, above=0)
    """Adam rate of the actor."""
    actor_decay: float | None = setting(None, at_least=0)
    """Decoupled weight decay of the actor (AdamW): each update shrinks its weights by this times
    the rate. By default 0.3, but 1 with 20 demonstrations or fewer, which are else learned by
    heart, and 0 with none."""
    critic_lr: float = setting(1e-3, above=0)
    """Adam rate of the critics."""
    tau: float = setting(0.005, above=0, at_most=1)
    """Share of the online network in each target update (1 - polyak)."""
    target_update: Literal["update", "cycle"] = "update"
    """Move the target networks after every update, or once per cycle."""
    actor_delay: int = setting(1, at_least=1)
    """Critic updates per actor update."""
    action_l2: float = setting(1.0, at_least=0)
    """Penalty on squared actions in the policy loss."""
    goal_input: GoalInput = setting("both", resume="fixed")
    """Whether networks see the goal, the goal minus what is achieved, or both."""
    normalize_inputs: bool = setting(True, resume="fixed")
    """Standardise inputs with their running mean and deviation; off leaves them as they are."""
    input_clip: float = setting(200.0, above=0)
    """Bound on raw inputs."""
    output_clip: float = setting(5.0, above=0)
    """Bound on standardised inputs."""
    std_floor: float = setting(0.01, above=0)
    """Smallest standard deviation divided by."""
    q_weight: float = setting(0.001, at_least=0)
    """Weight of the policy loss where there are demonstrations."""
    bc_weight: float = setting(1.0, at_least=0)
    """Weight of the behaviour-cloning loss; 0 leaves demonstrations to the replay alone."""
    bc_error: Literal["squared", "distance"] | None = None
    """Error of a cloned action: its squared distance to the demonstrated one (the paper), or the
    distance, which decides between demonstrations that disagree instead of averaging them. By
    default the distance, but the square with 20 demonstrations or fewer."""
    q_filter: bool = True
    """Clone a demonstrated action only where a critic rates it above the policy's."""
    q_filter_margin: float | None = setting(None, at_least=0)
    """By how much a critic may rate it below the policy's, in units of the critics' root mean
    square TD error in the batch. By default 1 with 20 demonstrations or fewer, or where some of
    them failed, but not most (3/4), else 0."""
    q_filter_from: int = setting(4000, at_least=0)
    """Number of updates before the filter acts; until then every demonstration is cloned."""
    deploy: Literal["averaged", "online"] = "averaged"
    """Which actor is evaluated and saved: the slowly averaged target actor, or the online one."""

    def __post_init__(self) -> None:
        check_settings(self, "agent.")
        sizes = self.hidden_sizes
        require(len(sizes) > 0, "agent.hidden_sizes must hold at least one number", sizes)
        # The first layer counts as if it had as many inputs as outputs.
        weights = self.num_critics * sum(a * b for a, b in pairwise((sizes[0], *sizes)))
        rule = f"agent.hidden_sizes and num_critics must make at most {_MOST_WEIGHTS} weights"
        require(weights <= _MOST_WEIGHTS, rule, weights)

    def discount_for(
        self, episode_steps: int = SHORT_EPISODES, *, goals_near: bool = False
    ) -> float:
        """Return the discount, for episodes of so many steps, none demonstrated."""
        if self.discount is not None:
            return self.discount
        if goals_near:
            return 0.9
        return min(max(1.0 - 1.0 / max(1, episode_steps), 0.98), 0.99)

    def combination_for(self, episode_steps: int = SHORT_EPISODES) -> TargetCombination:
        """Return what becomes of the target critics' values, for episodes of so many steps."""
        return self.target_combination or ("mean" if episode_steps > FAR_FROM else "min")
