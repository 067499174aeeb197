"""One finished episode, the unit that everything in the library is made of."""

from dataclasses import dataclass, field, fields, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]

OWN, DEMONSTRATED, CORRECTED = range(3)
"""Where a step comes from: the agent, a demonstrator, or somebody who stepped in meanwhile."""
STEP_ARRAYS = ("desired_goals", "actions", "terminated", "is_success", "reward_infos", "sources")
STATE_ARRAYS = ("observations", "achieved_goals", "snapshots")
VECTORS = ("observations", "achieved_goals", "desired_goals", "actions", "reward_infos")
_NUMBERS = (*VECTORS, "rewards", "snapshots")
_NOTHING = np.zeros((0, 0), np.float32)
_NO_REWARDS = np.zeros(0, np.float32)
_NO_SOURCES = np.zeros(0, np.uint8)
_NO_SNAPSHOTS = np.zeros((0, 0), np.float64)


@dataclass(frozen=True, eq=False)
class Episode:
    """One finished episode of ``T`` steps, run for one goal. States have ``T + 1`` rows.

    Raises:
        ValueError: if the lengths disagree, an episode is empty, a number is not finite in
            float32, or the goal changes on the way.
    """

    observations: FloatArray  # (T + 1, observation_dim)
    achieved_goals: FloatArray  # (T + 1, goal_dim)
    desired_goals: FloatArray  # (T, goal_dim)
    actions: FloatArray  # (T, action_dim), in the env's own units
    terminated: BoolArray  # (T,), true where the bootstrap ends
    is_success: BoolArray  # (T,), whether the state that step led to fulfils the goal
    # (T, info_dim), what the reward reads besides the goals; of most environments nothing.
    reward_infos: FloatArray = field(default_factory=lambda: _NOTHING)
    # (T + 1, state_dim), the simulator at every state, see ``headstart.envs.snapshot``; or of
    # width 0.
    snapshots: NDArray[np.float64] = field(default_factory=lambda: _NO_SNAPSHOTS)
    # (T,), what each step paid; or (0,) where that is not known. Nothing is learned from them: they
    # are held against what ``compute_reward`` says.
    rewards: FloatArray = field(default_factory=lambda: _NO_REWARDS)
    discarded_steps: int = 0  # of branches that were tried on the way and gone back from
    # (T,), whose each step is: OWN, DEMONSTRATED or CORRECTED; by default the agent's own.
    sources: NDArray[np.uint8] = field(default_factory=lambda: _NO_SOURCES)
    # What the env says of the end besides, see ``docs/environments.md``; no file keeps it.
    strict_success: bool | None = field(default=None, compare=False)
    failure: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if self.reward_infos is _NOTHING:
            object.__setattr__(self, "reward_infos", np.zeros((len(self.actions), 0), np.float32))
        if self.snapshots is _NO_SNAPSHOTS:
            object.__setattr__(self, "snapshots", np.zeros((len(self.observations), 0)))
        if self.sources is _NO_SOURCES:
            object.__setattr__(self, "sources", np.full(len(self.actions), OWN, np.uint8))
        object.__setattr__(self, "sources", _sources(self.sources))
        for name in _NUMBERS:
            array = np.asarray(getattr(self, name))
            if array.dtype.kind not in "fiu":
                raise ValueError(f"episode.{name} must hold numbers, got {array.dtype}")
            dtype = np.float64 if name == "snapshots" else np.float32
            with np.errstate(over="ignore"):  # A number too large for float32 is refused below.
                object.__setattr__(self, name, array.astype(dtype, copy=False))
        lengths = {len(getattr(self, name)) for name in STEP_ARRAYS}
        lengths |= {len(getattr(self, name)) - 1 for name in STATE_ARRAYS}
        lengths |= {len(self.rewards)} - {0}
        if len(lengths) != 1:
            raise ValueError(f"inconsistent episode lengths: {sorted(lengths)}")
        if len(self) == 0:
            raise ValueError("an episode needs at least one step")
        for name in _NUMBERS:
            if getattr(self, name).ndim != (1 if name == "rewards" else 2):
                kind = "number" if name == "rewards" else "vector"
                raise ValueError(f"episode.{name} must hold one {kind} a row")
            if not np.isfinite(getattr(self, name)).all():
                raise ValueError(f"episode.{name} holds NaN or infinity")
        for name in ("terminated", "is_success"):
            array = getattr(self, name)
            if array.ndim != 1 or array.dtype != bool:
                raise ValueError(f"episode.{name} must hold one bool a row, got {array.dtype}")
        self._check_goals()

    def first(self, steps: int) -> "Episode":
        """Return the episode as it was after its first ``steps`` steps, at least one."""
        parts = {name: getattr(self, name)[:steps] for name in (*STEP_ARRAYS, "rewards")}
        parts |= {name: getattr(self, name)[: steps + 1] for name in STATE_ARRAYS}
        return replace(self, **parts, strict_success=None, failure="")

    def demonstrated(self) -> "Episode":
        """Return the episode as a demonstration: no step of it is the agent's own."""
        if (self.sources != OWN).all():
            return self
        return replace(self, sources=np.maximum(self.sources, np.uint8(DEMONSTRATED)))

    def _check_goals(self) -> None:
        if self.desired_goals.shape[1] != self.achieved_goals.shape[1]:
            raise ValueError("episode.desired_goals and episode.achieved_goals differ in width")
        # A goal that moves on its own is not a part of the state: a value of it cannot be learned.
        moved = (self.desired_goals != self.desired_goals[0]).any(axis=1)
        if moved.any():
            raise ValueError(
                f"the goal changes within the episode, at step {int(np.argmax(moved))}: "
                f"hindsight needs one goal an episode"
            )

    def __len__(self) -> int:
        return len(self.actions)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Episode):
            return NotImplemented
        return all(
            np.array_equal(getattr(self, field.name), getattr(other, field.name))
            for field in fields(self)
            if field.compare
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Return what it is, in one line: the arrays would fill a notebook."""
        widths = f"observation {self.observations.shape[1]}, goal {self.achieved_goals.shape[1]}"
        end = "success" if self.success else "failure"
        snapshots = ", with snapshots" if self.snapshots.shape[1] else ""
        steps = f"{len(self)} step{'s' * (len(self) != 1)}"
        return f"Episode({steps}: {widths}, action {self.actions.shape[1]}; {end}{snapshots})"

    @property
    def success(self) -> bool:
        """Whether the goal is fulfilled at the last step: what a reported success means."""
        return bool(self.is_success[-1])


def _sources(given: ArrayLike) -> NDArray[np.uint8]:
    """Return whose steps are as the constants are stored."""
    array = np.asarray(given)
    if array.ndim != 1 or array.dtype.kind not in "iub" or not np.isin(array, (0, 1, 2)).all():
        raise ValueError(
            "episode.sources must hold one integer a step: 0 own, 1 demonstrated, 2 corrected"
        )
    return array.astype(np.uint8, copy=False)
