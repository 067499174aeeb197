"""Between the pages and the session: who is the pilot, what is shown, what is said."""

import base64
import struct
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from headstart.viz.live import THUMBNAIL, Frame, encode
from headstart.web.seats import Seats
from headstart.web.server import Event, PageServer
from headstart.web.teleop.messages import Do, Keep, Message
from headstart.web.teleop.session import Recorded, Session
from headstart.web.teleop.takes import Takes
from headstart.web.views import Views


class Desk:
    """Serves the pages of one session.

    Args:
        server: the pages.
        session: what is steered.
        views: the pictures.
        takes: the episodes.
        facts: what is sent to a page once: names of things, and how it may steer.
    """

    def __init__(
        self,
        server: PageServer,
        session: Session,
        views: Views,
        takes: Takes,
        facts: Mapping[str, Any],
    ) -> None:
        self._server, self._views, self._takes, self._facts = server, views, takes, facts
        self._session = session
        session.on_recorded = self._record
        self._seats = Seats()
        self._last: Frame = np.zeros((1, 1, 3), np.uint8)
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
        if self._seats.clients and (has_moved or self._is_stale or state != self._said):
            self._show()
            self._server.say({"state": state})
            self._said, self._is_stale = state, False

    def _record(self, recorded: Recorded) -> None:
        """Take an episode into the list."""
        picture = base64.b64encode(encode(self._last, THUMBNAIL)).decode()
        self._takes.add(recorded, f"data:image/jpeg;base64,{picture}")
        self._say_take(len(self._takes.all) - 1)

    def _show(self) -> None:
        """Draw what there is, each view sent before the next one is drawn."""
        heard = struct.pack("<I", self._session.heard)
        for number, frame in enumerate(self._views.draw(self._session.observation)):
            self._server.show(number, heard + encode(frame))
            if number == 0:
                self._last = frame

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
