"""A page without a browser: connects as one would, and keeps what it gets."""

import json
from urllib.parse import urlsplit

from websockets.sync.client import connect

from headstart.envs.task import TaskConfig
from headstart.web.gate import SOCKET

HAND = TaskConfig(positions=(0,), hand=0, hand_actions=(0, 1), hand_steps=(0.1, 0.1))
"""What moves the hand of PointReach, which does not say so itself."""


def address(server, token=None, host="127.0.0.1"):
    given = server.gate.token if token is None else token
    return f"ws://{host}:{server.gate.port}{SOCKET}?token={given}"


def join(server, **options):
    """Connect to a server as its own page does."""
    options.setdefault("origin", f"http://127.0.0.1:{server.gate.port}")
    return connect(address(server), compression=None, proxy=None, **options)


def join_link(link):
    """Connect as the page of a link does."""
    page = urlsplit(link)
    return connect(
        f"ws://{page.netloc}{SOCKET}?{page.query}", origin=f"http://{page.netloc}", proxy=None
    )


def say(page, **message):
    page.send(json.dumps(message))


def words(page):
    """Return the next message that is not a picture."""
    while isinstance(received := page.recv(timeout=60), bytes):
        pass
    return json.loads(received)
