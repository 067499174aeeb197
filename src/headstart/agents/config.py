"""Networks, losses and optimisation of the agent, as settings."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from headstart.data.inputs import GoalInput
from headstart.errors import require
from headstart.settings import check_types

_MOST_WEIGHTS = 2**27  # of the critics together; with their optimiser and targets 2 GiB


@dataclass(frozen=True, kw_only=True)
class DDPGConfig:
    """Networks, losses and optimisation of the agent."""

    hidden_sizes: tuple[int, ...] = (128, 128, 128)
    """Hidden layers of the actor and of each critic."""
    critic_layer_norm: bool = True
    """Normalise each hidden layer of the critics (RLPD; Ball et al. 2023)."""
    num_critics: int = 2
    """Independent critics; the policy follows the first."""
    target_combination: Literal["min", "mean"] = "min"
    """How the target critics' values become one target."""
    clip_target: bool = True
    """Keep targets within what the reward range allows, [-1/(1-discount), 0] for -1/0."""
    discount: float = 0.98
    """Discount per env step."""
    actor_lr: float = 1e-3
    """Adam rate of the actor."""
    critic_lr: float = 1e-3
    """Adam rate of the critics."""
    tau: float = 0.005
    """Share of the online network in each target update (1 - polyak)."""
    target_update: Literal["update", "cycle"] = "update"
    """Move the target networks after every update, or once per cycle."""
    actor_delay: int = 1
    """Critic updates per actor update."""
    action_l2: float = 1.0
    """Penalty on squared actions in the policy loss."""
    goal_input: GoalInput = "both"
    """Whether networks see the goal, the goal minus what is achieved, or both."""
    normalize_inputs: bool = True
    """Standardise inputs with their running mean and deviation; off leaves them as they are."""
    input_clip: float = 200.0
    """Bound on raw inputs."""
    output_clip: float = 5.0
    """Bound on standardised inputs."""
    std_floor: float = 0.01
    """Smallest standard deviation divided by."""
    q_weight: float = 0.001
    """Weight of the policy loss where there are demonstrations."""
    bc_weight: float = 1.0
    """Weight of the behaviour-cloning loss; 0 leaves demonstrations to the replay alone."""
    q_filter: bool = True
    """Clone a demonstrated action only where a critic rates it above the policy's."""
    q_filter_from: int = 4000
    """Number of updates before the filter acts; until then every demonstration is cloned."""
    deploy: Literal["averaged", "online"] = "averaged"
    """Which actor is evaluated and saved: the slowly averaged target actor, or the online one."""

    def __post_init__(self) -> None:
        check_types(self, "agent.")
        _require(0.0 <= self.discount < 1.0, "discount must lie in [0, 1)", self.discount)
        _require(0.0 < self.tau <= 1.0, "tau must lie in (0, 1]", self.tau)
        for name in ("num_critics", "actor_delay"):
            _require(getattr(self, name) >= 1, f"{name} must be at least 1", getattr(self, name))
        for name in ("actor_lr", "critic_lr", "input_clip", "output_clip", "std_floor"):
            _require(getattr(self, name) > 0.0, f"{name} must be positive", getattr(self, name))
        for name in ("action_l2", "q_weight", "bc_weight", "q_filter_from"):
            value = getattr(self, name)
            _require(value >= 0, f"{name} must not be negative", value)
        sizes = self.hidden_sizes
        _require(len(sizes) > 0 and min(sizes) > 0, "hidden_sizes must be positive", sizes)
        # The first layer counts as if it had as many inputs as outputs.
        weights = self.num_critics * sum(a * b for a, b in pairwise((sizes[0], *sizes)))
        _require(
            weights <= _MOST_WEIGHTS,
            f"hidden_sizes and num_critics must make at most {_MOST_WEIGHTS} weights",
            f"{weights}",
        )


def _require(holds: bool, rule: str, value: object) -> None:
    require(holds, f"agent.{rule}", value)
