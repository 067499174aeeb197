"""Who decides the next action of a rollout: the policy, or the person at the page."""

import numpy as np

from headstart.envs.goal_env import GoalSpec
from headstart.web.teleop.drive import Drive, FloatArray
from headstart.web.teleop.messages import Deed, Stick
from headstart.web.teleop.session import STALE_SECONDS


class Helm:
    """A person who moves the controls steers from that step on, and the policy after they let go.

    Args:
        spec: what is known of the environment.

    Attributes:
        is_steering: whether the last action was the person's.
        is_held: whether the person keeps the helm with the controls at rest too.
        is_closed: whether the person wants the fingers closed.
    """

    def __init__(self, spec: GoalSpec) -> None:
        self.drive = Drive(spec)
        self.begin()

    def begin(self) -> None:
        """Begin with an episode, which the policy steers."""
        self.is_steering = self.is_held = self.is_closed = False
        self.leave()

    def leave(self) -> None:
        """Let go of everything: the person is gone."""
        self._stick, self._heard = Stick(), -np.inf
        self.is_held = False
        self.drive.forget_reach()

    @property
    def heard(self) -> int:
        """Number of the last controls that were heard."""
        return self._stick.number

    def hold(self, stick: Stick, observation: FloatArray, now: float) -> None:
        """Note where the controls stand."""
        self._stick, self._heard = stick, now
        if stick.grip is not None:
            self.is_closed = stick.grip
        self.drive.reach(stick.reach, observation)

    def do(self, deed: Deed) -> None:
        """Do what a key or a button says; those of other pages do nothing."""
        if deed == "hold":
            self.is_held = not self.is_held
        elif deed == "grip":
            self.is_held, self.is_closed = True, not self.is_closed

    def decide(self, observation: FloatArray, wanted: FloatArray, now: float) -> FloatArray:
        """Return the action that is executed; ``is_steering`` then says whose it is.

        Args:
            observation: what is observed, ``(observation_dim,)``.
            wanted: the policy's action, with its exploration, ``(action_dim,)``.
            now: seconds of any clock that never goes back.
        """
        stick = self._stick
        if now - self._heard > STALE_SECONDS:
            stick = Stick(stick.number)
            self.drive.forget_reach()
        is_moved = any(stick.move + stick.reach + stick.sliders)
        if not is_moved and not self.is_held:
            self.is_steering = False
            self.drive.forget_reach()
            # The fingers stay as the policy has them when somebody takes over.
            self.is_closed = self.drive.closes(wanted)
            return wanted
        self.is_steering = True
        return self.drive.action(stick, observation, is_closed=self.is_closed)
