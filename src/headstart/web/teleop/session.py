"""The state machine of teleoperation: controls in, steps and episodes out. No browser, no clock."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import gymnasium as gym
import numpy as np

from headstart.data.episode import Episode
from headstart.envs.goal_env import GoalSpec
from headstart.envs.interface import env_name, reset_env
from headstart.envs.restoring import restoring_problem
from headstart.envs.snapshot import Restorable, restorable
from headstart.errors import EpisodeError, InputError, RunError
from headstart.rollout.job import Behaviour, Constant, EpisodeJob
from headstart.rollout.steps import EpisodeSteps
from headstart.web.teleop.drive import Drive, FloatArray
from headstart.web.teleop.messages import Assist, Deed, Do, Stick

STEPS_PER_SECOND = 25
STALE_SECONDS = 0.2
"""After this long without a word of the page, or with its window in the background, all rests."""

Mode = Literal["waiting", "running", "paused"]


@dataclass(frozen=True)
class Recorded:
    """An episode that is over."""

    episode: Episode
    scene: int
    """Number of the scene, from which its seed follows."""
    undone_steps: int
    most_assisted: float
    """The largest share that the ghost had in an action."""
    is_kept: bool


class Session:
    """One pilot at one environment.

    A scene waits until something is asked of it. What leads nowhere is undone a second at a time;
    the steps that are left are an episode once the pilot or the environment ends it.

    Args:
        env: the environment, with time enough for a person.
        spec: what is known of it.
        seed: root of the scenes' seeds.
        ghost: an expert or a policy that may help.

    Attributes:
        on_recorded: called with each episode that is over.
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        spec: GoalSpec,
        *,
        seed: int = 0,
        ghost: Behaviour | None = None,
    ) -> None:
        self._env, self._spec, self._seed, self._ghost = env, spec, seed, ghost
        self.on_recorded: Callable[[Recorded], None] = lambda recorded: None
        self.drive = Drive(spec)
        env.reset(seed=0)
        self.simulator: Restorable | None = restorable(env)
        self.can_undo = self.simulator is not None and restoring_problem(env) is None
        self.assist = 0.0
        self.note = ""
        """The last thing that the pilot must know, in words."""
        self._is_half_speed = False
        self._open(0)

    def _open(self, scene: int) -> None:
        """Put the environment into a scene, which waits."""
        self.scene = scene
        observation, _ = reset_env(self._env, self._job.env_seed)
        name = f"{env_name(self._env)}, scene {scene}"
        keys = self._spec.reward_info_keys
        self._steps = EpisodeSteps(self._env, observation, name, self.simulator, keys)
        self.mode: Mode = "waiting"
        self.is_closed = False
        self._stick, self._heard = Stick(), -np.inf
        self._ticks, self._most_assisted = 0, 0.0
        self.drive.forget_reach()

    @property
    def _job(self) -> EpisodeJob:
        return EpisodeJob(Constant(self.drive.rest), self._seed, "teleop", self.scene)

    @property
    def observation(self) -> Any:
        """What is observed in the present state."""
        return self._steps.observation

    def state(self) -> dict[str, Any]:
        """Return what a page shows besides the pictures, as JSON has it."""
        layout, observation = self._spec.layout, self.observation
        hand = []
        if layout.hand is not None:
            hand = np.asarray(observation["observation"])[layout.hand :][: layout.dim].tolist()
        return {
            "mode": self.mode,
            "scene": self.scene,
            "steps": self._steps.num_steps,
            "undone": self._steps.env_steps - self._steps.num_steps,
            "is_success": self._steps.is_success,
            "is_closed": self.is_closed,
            "is_half_speed": self._is_half_speed,
            "assist": self.assist,
            "note": self.note,
            "hand": hand,
            "achieved": np.asarray(observation["achieved_goal"], float).tolist(),
            "desired": np.asarray(observation["desired_goal"], float).tolist(),
        }

    @property
    def heard(self) -> int:
        """Number of the last controls that were heard."""
        return self._stick.number

    def hear(self, message: Stick | Do | Assist, now: float) -> None:
        """Take in what the pilot says; ``now`` is in seconds of any clock that never goes back."""
        if isinstance(message, Assist):
            self.assist = message.share if self._ghost is not None else 0.0
        elif isinstance(message, Do):
            self._do(message.deed)
        else:
            self._hold(message, now)

    def leave(self) -> None:
        """Let all rest: the pilot is gone."""
        self._stick = Stick()
        self.drive.forget_reach()
        if self.mode == "running":
            self.mode = "paused"

    def tick(self, now: float) -> bool:
        """Let a 25th of a second pass; return whether a step was taken."""
        if self.mode != "running":
            return False
        self._ticks += 1
        if self._is_half_speed and self._ticks % 2:
            return False
        try:
            self._step(now)
        except EpisodeError as error:
            self._restart(str(error))
        except (InputError, RunError, FloatingPointError) as error:
            # The next step is the pilot's own again.
            self._ghost, self.assist, self.note = None, 0.0, f"the ghost is gone: {error}"
        return True

    def _step(self, now: float) -> None:
        if now - self._heard > STALE_SECONDS:
            self._stick = Stick(self._stick.number)
            self.drive.forget_reach()
        entries = self.observation["observation"]
        action = self.drive.action(self._stick, entries, is_closed=self.is_closed)
        if self._ghost is not None and self.assist:
            action = self._assisted(self._ghost, action)
        self._steps.step(action)
        if self._steps.finished:
            self._end(self._steps.is_success)

    def _assisted(self, ghost: Behaviour, action: FloatArray) -> FloatArray:
        """Return an action of which the ghost decides its share."""
        wanted = np.asarray(ghost(self.observation), np.float32)
        if wanted.shape != action.shape or not np.isfinite(wanted).all():
            raise RunError(f"it wants {wanted}, which is not an action")
        self._most_assisted = max(self._most_assisted, self.assist)
        mixed = action + np.float32(self.assist) * (wanted - action)
        return np.clip(mixed, self.drive.low, self.drive.high)

    def _hold(self, stick: Stick, now: float) -> None:
        self._stick, self._heard = stick, now
        if stick.grip is not None:
            self.is_closed = stick.grip
        self.drive.reach(stick.reach, self.observation["observation"])
        if self.mode == "waiting" and not stick.is_at_rest:
            self.mode = "running"

    def _do(self, deed: Deed) -> None:
        self.note = ""
        if deed == "start" and self.mode != "running":
            self.mode = "running"
        elif deed == "pause":
            self.mode = "running" if self.mode == "paused" else "paused"
        elif deed == "half":
            self._is_half_speed = not self._is_half_speed
        elif deed == "grip":
            self.is_closed = not self.is_closed
        elif deed == "undo":
            self._undo()
        elif deed == "success":
            self._declare_success()
        elif deed == "failure" and self._steps.num_steps:
            self._end(is_kept=False)
        elif deed == "rerecord":
            self._open(self.scene)
        elif deed == "skip":
            self._open(self.scene + 1)

    def _undo(self) -> None:
        """Go back by a second, and wait there."""
        if not self.can_undo:
            self.note = "this environment cannot be put back: its states are not restored exactly"
        elif self._steps.num_steps:
            self._steps.go_back(max(self._steps.num_steps - STEPS_PER_SECOND, 0))
            self.mode = "waiting"
            self._stick = Stick(self._stick.number)
            self.drive.forget_reach()

    def _declare_success(self) -> None:
        if self._steps.is_success:
            self._end(is_kept=True)
        else:
            self.note = "the task does not call this a success yet"

    def _end(self, is_kept: bool) -> None:
        """Record the episode, and go to the next scene."""
        try:
            episode = self._steps.episode(snapshots=self.simulator is not None)
        except EpisodeError as error:
            self._restart(str(error))
            return
        undone = self._steps.env_steps - self._steps.num_steps
        recorded = Recorded(
            episode.demonstrated(), self.scene, undone, self._most_assisted, is_kept
        )
        self._open(self.scene + 1)
        self.on_recorded(recorded)

    def _restart(self, reason: str) -> None:
        self._open(self.scene)
        self.note = reason
