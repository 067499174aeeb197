"""Between the pages and the session: who is the pilot, what is shown, what is said."""

import time
from collections.abc import Mapping
from typing import Any

from headstart.web.screen import Screen
from headstart.web.seats import Seats
from headstart.web.server import Event, PageServer
from headstart.web.teleop.messages import Do, Keep, Message
from headstart.web.teleop.session import Recorded, Session
from headstart.web.teleop.takes import Takes


class Desk:
    """Serves the pages of one session.

    Args:
        server: the pages.
        session: what is steered.
        screen: the pictures.
        takes: the episodes.
        facts: what is sent to a page once: names of things, and how it may steer.
    """

    def __init__(
        self,
        server: PageServer,
        session: Session,
        screen: Screen,
        takes: Takes,
        facts: Mapping[str, Any],
    ) -> None:
        self._server, self._screen, self._takes, self._facts = server, screen, takes, facts
        self._session = session
        session.on_recorded = self._record
        self._seats = Seats()
        self._is_stale = True
        self._said: dict[str, Any] = {}
        self.is_over = False
        """Whether the pilot has ended the session."""

    def hear(self) -> bool:
        """Hear what the pages say; return whether the controls have moved."""
        before, now = self._session.heard, time.monotonic()
        for event in self._server.events():
            self._handle(event, now)
        return self._session.heard != before

    def tick(self, now: float) -> None:
        """Hear what the pages say, take a step, and show where it led."""
        session, scene = self._session, self._session.scene
        self.hear()
        has_moved = session.tick(now) or session.scene != scene
        state = {**session.state(), "pilot": self._seats.pilot, "kept": len(self._takes.kept)}
        is_stale = self._is_stale or self._screen.is_behind or state != self._said
        if self._seats.clients and (has_moved or is_stale):
            self._screen.show(session.observation, session.heard, is_moving=has_moved)
            self._server.say({"state": state})
            self._said, self._is_stale = state, False

    def _record(self, recorded: Recorded) -> None:
        """Take an episode into the list."""
        self._takes.add(recorded, self._screen.thumbnail())
        self._say_take(len(self._takes.all) - 1)

    def _handle(self, event: Event, now: float) -> None:
        if event.kind == "joined":
            self._seats.join(event)
            self._is_stale = True
            self._server.say({"hello": {**self._facts, "you": event.client}}, event.client)
            for number in range(len(self._takes.all)):
                self._say_take(number, event.client)
        elif event.kind == "left":
            if self._seats.leave(event):
                self._session.leave()
        else:
            self._hear(event.client, event.message, now)

    def _hear(self, client: int, message: Message, now: float) -> None:
        if message == Do("take"):
            self._seats.take(client)
        if client != self._seats.pilot:
            return
        if isinstance(message, Keep):
            self._takes.keep(message.number, is_kept=message.is_kept)
            if message.number < len(self._takes.all):
                self._say_take(message.number)
        elif message == Do("end"):
            self.is_over = True
        else:
            self._session.hear(message, now)

    def _say_take(self, number: int, client: int | None = None) -> None:
        self._server.say({"take": self._takes.all[number].to_json(number)}, client)
