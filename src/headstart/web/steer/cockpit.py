"""Rollouts of a policy in training, shown in the browser, where somebody may step in."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from headstart.data.episode import CORRECTED, OWN, Episode
from headstart.envs.goal_env import GoalSpec
from headstart.rollout.job import EpisodeJob, run_episode
from headstart.web.screen import Screen
from headstart.web.seats import Seats
from headstart.web.server import Event, PageServer
from headstart.web.steer.helm import Helm
from headstart.web.teleop.messages import Do, Stick
from headstart.web.teleop.session import STEPS_PER_SECOND

Observation = Mapping[str, NDArray[Any]]


class Cockpit:
    """Runs episodes before somebody's eyes.

    Args:
        server: the pages.
        env: the environment, for these episodes alone.
        spec: what is known of it.
        screen: the pictures.
    """

    def __init__(
        self,
        server: PageServer,
        env: gym.Env[Any, Any],
        spec: GoalSpec,
        screen: Screen,
    ) -> None:
        self._server, self._env, self._screen = server, env, screen
        self._helm, self._seats = Helm(spec), Seats()
        self._facts = {
            "kind": "steer",
            "env": spec.env_id,
            "file": "the run directory",
            **self._helm.drive.describe(),
            "can_undo": False,
            "ghost": None,
            "episodes": None,
        }
        self._takes: list[dict[str, Any]] = []
        self._observation: Observation = {}
        self._is_half_speed = self._is_hurried = False
        self._steps = self._index = 0
        self._due = 0.0

    def is_manned(self) -> bool:
        """Return whether a page is open."""
        self._hear()
        return bool(self._seats.clients)

    def run(self, job: EpisodeJob) -> tuple[Episode, list[list[float]]]:
        """Run an episode, a step every 25th of a second, and let the person at the page step in.

        Where nobody does, the episode is what it is anywhere.

        Returns:
            The episode, and what the policy wanted in each of its steps.
        """
        wanted: list[list[float]] = []
        sources: list[int] = []

        def act(observation: Observation) -> NDArray[Any]:
            self._observation = observation
            self._show(observation)
            return job.policy(observation)

        def explore(
            action: NDArray[Any], low: Any, high: Any, rng: np.random.Generator
        ) -> NDArray[np.float32]:
            wanted.append(np.asarray(action, float).tolist())
            explored = job.exploration(action, low, high, rng)
            entries = np.asarray(self._observation["observation"])
            chosen = self._helm.decide(entries, explored, time.monotonic())
            sources.append(CORRECTED if self._helm.is_steering else OWN)
            self._steps += 1
            return chosen

        self._helm.begin()
        self._index, self._steps, self._is_hurried = job.index, 0, False
        steered = replace(job, policy=act, exploration=explore, snapshots=True)  # type: ignore[arg-type]
        episode = run_episode(self._env, steered)
        if CORRECTED in sources:
            episode = replace(episode, sources=np.array(sources, np.uint8))
            self._list(episode)
        self._say("learning")
        return episode, wanted

    def _show(self, observation: Observation) -> None:
        """Show where the episode is, wait until the next step is due, and hear the pages."""
        if self._seats.clients and not self._is_hurried:
            self._say("you" if self._helm.is_steering else "policy")
            self._screen.show(observation, self._helm.heard, is_moving=True)
            period = (2.0 if self._is_half_speed else 1.0) / STEPS_PER_SECOND
            now = time.monotonic()
            self._due = max(self._due + period, now) if self._steps else now
            time.sleep(self._due - now)
        self._hear()

    def _hear(self) -> None:
        for event in self._server.events():
            if event.kind == "joined":
                self._seats.join(event)
                self._server.say({"hello": {**self._facts, "you": event.client}}, event.client)
                self._say("learning")
                for take in self._takes:
                    self._server.say({"take": take}, event.client)
            elif event.kind == "left":
                if self._seats.leave(event):
                    self._helm.leave()
            else:
                self._take_in(event)

    def _take_in(self, event: Event) -> None:
        message = event.message
        if message == Do("take"):
            self._seats.take(event.client)
        elif event.client != self._seats.pilot:
            return
        elif isinstance(message, Stick):
            if self._observation:
                entries = np.asarray(self._observation["observation"])
                self._helm.hold(message, entries, time.monotonic())
        elif message == Do("half"):
            self._is_half_speed = not self._is_half_speed
        elif message == Do("skip"):
            self._is_hurried = True
        elif isinstance(message, Do):
            self._helm.do(message.deed)

    def _say(self, mode: str) -> None:
        state = {
            "mode": mode,
            "scene": self._index,
            "steps": self._steps,
            "is_success": False,
            "is_closed": self._helm.is_closed,
            "is_held": self._helm.is_held,
            "is_half_speed": self._is_half_speed,
            "assist": 0.0,
            "note": "",
            "pilot": self._seats.pilot,
            "kept": len(self._takes),
        }
        self._server.say({"state": state})

    def _list(self, episode: Episode) -> None:
        take = {
            "number": len(self._takes),
            "scene": self._index,
            "seconds": round(len(episode) / STEPS_PER_SECOND, 1),
            "is_success": episode.success,
            "is_kept": True,
            "picture": self._screen.thumbnail(),
        }
        self._takes.append(take)
        self._server.say({"take": take})
