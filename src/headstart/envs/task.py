"""What a user declares of an environment from outside, for packages that one cannot edit."""

from dataclasses import dataclass, field, fields
from typing import Any, Literal

from headstart.data.goals import GoalRegions
from headstart.data.layout import ComponentLayout, StateLayout
from headstart.data.symmetry import Reflection
from headstart.errors import InputError, require
from headstart.settings import check_settings, setting

UnexplainedReward = Literal["refuse", "add", "ignore"]


@dataclass(frozen=True, kw_only=True)
class TaskConfig:
    """What the environment does not say of itself; what is not given is detected."""

    success_terminates: bool | None = None
    """Whether reaching the goal ends an episode, where compute_terminated is missing or wrong."""
    reward_range: tuple[float, float] | None = None
    """Lowest and highest reward of a step; infinite where there is no bound."""
    velocities: tuple[int, ...] | None = setting(None, resume="fixed")
    """Entries of the observation that are velocities, from 0 on."""
    positions: tuple[int, ...] | None = setting(None, resume="fixed")
    """First entries of positions in the observation, all in one frame."""
    goal_positions: tuple[int, ...] | None = setting(None, resume="fixed")
    """First entries of positions in a goal, in the same frame."""
    hand: int | None = setting(None, resume="fixed")
    """Which of the positions is the hand's, by its first entry."""
    angles: tuple[int, ...] | None = setting(None, resume="fixed")
    """Entries of the observation that are angles in that frame."""
    shift_axes: tuple[int, ...] | None = setting(None, resume="fixed")
    """Axes of the frame along which the whole scene may be moved."""
    hand_actions: tuple[int, ...] | None = None
    """Entries of the action that move the hand along the axes of the frame, in order."""
    hand_steps: tuple[float, ...] | None = None
    """How far a unit of each of them moves the hand in a step."""
    gripper_action: int | None = None
    """Entry of the action that opens and closes the gripper."""
    goal_components: tuple[int, ...] | None = setting(None, at_least=1)
    """How many numbers each component of a goal has, one behind the other."""
    goal_component_names: tuple[str, ...] | None = None
    """Names of these components; their numbers from 0 on by default."""
    component_layout: ComponentLayout = field(default_factory=ComponentLayout)
    """The components of a goal as things to finish one after the other."""
    unexplained_reward: UnexplainedReward = "refuse"
    """What to do where step pays something else than compute_reward, such as a penalty for a
    collision: refuse the environment, add the difference to the reward of every goal, or ignore it
    and learn from compute_reward alone."""
    goal_regions: GoalRegions = field(default_factory=GoalRegions)
    """Regions of the goal space in which successes are counted apart."""
    state_mirror: Reflection = field(default_factory=Reflection)
    """The mirror image of the task; it is used if random actions move both alike."""

    def __post_init__(self) -> None:
        check_settings(self, "task.")
        if self.reward_range is not None:
            check_range("task.reward_range", self.reward_range)

    def declared_layout(self) -> dict[str, Any]:
        """Return the parts of a state's layout that are declared, by their names."""
        declared = {name: getattr(self, name) for name in LAYOUT}
        return {name: value for name, value in declared.items() if value is not None}


LAYOUT = tuple(it.name for it in fields(StateLayout) if it.name in TaskConfig.__annotations__)
"""The parts of a state's layout that can be declared."""


def check_range(name: str, declared: object) -> tuple[float, float]:
    """Return a declared range of rewards as two floats.

    Raises:
        InputError: if it is not ``(low, high)`` with ``low <= high``.
    """
    try:
        low, high = (float(bound) for bound in declared)  # type: ignore[attr-defined]
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be (low, high), got {declared!r}") from error
    require(low <= high, f"{name} must be (low, high)", repr(declared))
    return low, high
