"""One page and the socket behind it, for the user of this machine alone."""

import asyncio
import contextlib
import itertools
import json
import logging
import mimetypes
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from importlib import resources
from typing import Any, Literal
from urllib.parse import urlsplit

from headstart.errors import InputError
from headstart.files.strict_json import parse_json
from headstart.web.gate import SOCKET, Gate
from headstart.web.outbox import Outbox

try:
    from websockets.asyncio.server import Server, ServerConnection, serve
    from websockets.datastructures import Headers
    from websockets.exceptions import ConnectionClosed
    from websockets.http11 import Request, Response
except ImportError as error:
    raise InputError(
        "pages in the browser need the package websockets: run `pip install 'headstart[web]'`"
    ) from error

MOST_CLIENTS = 16
MOST_BYTES = 4096
"""Of one message of a page."""
MOST_MESSAGES = 240
"""Of one page in a second; who gets replies waits for them instead."""
_MOST_EVENTS = 4096
_REFUSED, _TOO_SLOW = 1008, 1013  # close codes of RFC 6455

# Every request that is refused would print a traceback.
_silent = logging.getLogger("headstart.web.silent")
_silent.disabled = True


@dataclass(frozen=True)
class File:
    """What is answered to a request."""

    content: bytes
    kind: str
    is_public: bool = False
    """Whether it is answered without the token: scripts and styles, which hold no secret."""


@dataclass(frozen=True)
class Event:
    """Something that happened to a connection."""

    client: int
    kind: Literal["joined", "left", "message"]
    message: Any = None


def page_files(*names: str) -> dict[str, File]:
    """Return files of ``headstart.web.pages`` by their paths; the first one is the page itself."""
    directory = resources.files("headstart.web") / "pages"
    found = {}
    for number, name in enumerate(names):
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        content = (directory / name).read_bytes()
        is_page = number == 0
        found["/" if is_page else f"/{name}"] = File(content, f"{kind}; charset=utf-8", not is_page)
    return found


class PageServer:
    """Serves a page and its socket from a thread of its own, while it is entered.

    All methods may be called from any thread.

    Args:
        files: what is served, by path; asked in the server's thread at each request.
        read: makes of a message, a JSON object, what ``events`` returns; raises ``ValueError``
            for one that is not understood, which ends the connection. ``None`` takes no messages.
        host: the address to listen at, which is also the name in the link.
        port: 0 for any that is free.
        certificate: for HTTPS; without one, only addresses of this machine itself are safe.
        replies: the most bytes of a message, where what ``read`` makes of it is sent back to whom
            it is from, and programs that are no browser may connect; ``None`` for pages.

    Raises:
        InputError: on entering, if the address cannot be listened at.
    """

    def __init__(
        self,
        files: Mapping[str, File],
        read: Callable[[dict[str, Any]], Any] | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        certificate: ssl.SSLContext | None = None,
        replies: int | None = None,
    ) -> None:
        self._replies = replies
        self._files, self._read, self._certificate = files, read, certificate
        self._listening = _listen(host, port)
        scheme = "http" if certificate is None else "https"
        self.gate = Gate(self._listening.getsockname()[1], host, scheme)
        self._clients: dict[int, _Client] = {}
        self._numbers = itertools.count(1)
        self._events: deque[Event] = deque()
        self._has_news = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="headstart web", daemon=True)
        self._stopping = asyncio.Event()
        self._started = threading.Event()

    def __enter__(self) -> "PageServer":
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._stopping.set)
        self._thread.join()

    @property
    def link(self) -> str:
        """The address to open, with the token."""
        return self.gate.link

    def events(self) -> list[Event]:
        """Return what has happened since the last call, in its order."""
        found = []
        with contextlib.suppress(IndexError):
            while True:
                found.append(self._events.popleft())
        return found

    def wait(self, seconds: float) -> None:
        """Return when something has happened since the last call, or after some seconds."""
        self._has_news.wait(seconds)
        self._has_news.clear()

    def show(self, view: int, picture: bytes) -> None:
        """Send a picture to all pages; one that is too slow gets a later one instead."""
        self._call(self._show, view, picture)

    def say(self, message: Mapping[str, Any], client: int | None = None) -> None:
        """Send a message to one page, or to all."""
        self._call(self._say, json.dumps(message, allow_nan=False), client)

    def _call(self, function: Callable[..., None], *arguments: Any) -> None:
        # The loop may have ended.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function, *arguments)

    def _show(self, view: int, picture: bytes) -> None:
        for client in self._clients.values():
            client.outbox.show(view, picture)
            client.something.set()

    def _say(self, text: str, to: int | None) -> None:
        for number, client in self._clients.items():
            if to in (None, number):
                client.is_in_time &= client.outbox.say(text)
                client.something.set()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve_until_stopped())
        finally:
            self._started.set()
            self._loop.close()

    async def _serve_until_stopped(self) -> None:
        server: Server = await serve(
            self._attend,
            sock=self._listening,
            ssl=self._certificate,
            process_request=self._answer,
            # A browser always names the origin; nothing else has to.
            origins=self.gate.origins + ([None] if self._replies else []),  # type: ignore[arg-type]
            max_size=self._replies or MOST_BYTES,
            max_queue=4,
            compression=None,
            server_header=None,
            logger=_silent,
            ping_interval=5,
            # What a client has sent already is answered before its answer to a ping is read.
            ping_timeout=300 if self._replies else 10,
            close_timeout=1,
        )
        self._started.set()
        async with server:
            await self._stopping.wait()

    def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer a request for a file, or let the socket be opened by returning nothing."""
        path, hosts = urlsplit(request.path).path, request.headers.get_all("Host")
        file = self._files.get(path)
        host = hosts[0] if len(hosts) == 1 else None
        is_public = file is not None and file.is_public
        refusal = self.gate.refusal(request.path, host, needs_token=not is_public)
        if refusal is None and path == SOCKET:
            if len(self._clients) < MOST_CLIENTS:
                return None
            refusal = HTTPStatus.SERVICE_UNAVAILABLE
        if refusal is None and file is None:
            refusal = HTTPStatus.NOT_FOUND
        if refusal is not None or file is None or host is None:
            status = refusal or HTTPStatus.NOT_FOUND
            return _response(status, f"{_ADVICE.get(status, status.phrase)}\n".encode(), {})
        headers = {**self.gate.headers(host), "Content-Type": file.kind}
        return _response(HTTPStatus.OK, file.content, headers)

    async def _attend(self, connection: ServerConnection) -> None:
        """Serve one page until it leaves."""
        if len(self._clients) >= MOST_CLIENTS:
            await connection.close(_TOO_SLOW, "too many pages")
            return
        number, client = next(self._numbers), _Client(connection)
        self._clients[number] = client
        self._happen(Event(number, "joined"))
        sending = asyncio.ensure_future(client.send_all())
        try:
            await self._listen_to(number, client)
        except ConnectionClosed:
            pass
        finally:
            del self._clients[number]
            sending.cancel()
            self._happen(Event(number, "left"))

    def _happen(self, event: Event) -> None:
        self._events.append(event)
        self._has_news.set()

    async def _listen_to(self, number: int, client: "_Client") -> None:
        budget = _Budget(self._loop.time)
        async for words in client.connection:
            if not self._replies and not budget.allows():
                return await client.connection.close(_REFUSED, "too many messages")
            try:
                content = parse_json(words)
                if not isinstance(content, dict):
                    raise ValueError("not an object")
                if content.keys() == {"seen"} and type(content["seen"]) is int:
                    client.outbox.saw(content["seen"])
                    client.something.set()
                    continue
                if self._read is None:
                    raise ValueError("this page takes no messages")
                message = self._read(content)
            except ValueError as error:
                # 123 bytes of a reason are sent at most.
                return await client.connection.close(_REFUSED, ascii(str(error))[:100])
            if self._replies:
                # Of a client that does not read what it is sent, nothing more is read.
                await client.connection.send(json.dumps(message, allow_nan=False))
                # The other clients' turn.
                await asyncio.sleep(0)
            elif len(self._events) < _MOST_EVENTS:
                self._happen(Event(number, "message", message))
        return None


class _Client:
    """One open page."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection
        self.outbox = Outbox()
        self.something = asyncio.Event()
        self.is_in_time = True

    async def send_all(self) -> None:
        """Send what there is, as fast as the page takes it."""
        with contextlib.suppress(ConnectionClosed):
            while self.is_in_time:
                await self.something.wait()
                self.something.clear()
                while (content := self.outbox.next()) is not None:
                    await self.connection.send(content)
            await self.connection.close(_TOO_SLOW, "too slow")


class _Budget:
    """Messages that a page may send: ``MOST_MESSAGES`` a second, and as many at once."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._left, self._last = clock, float(MOST_MESSAGES), clock()

    def allows(self) -> bool:
        """Take one message from the budget; return whether it was there."""
        now = self._clock()
        self._left = min(MOST_MESSAGES, self._left + (now - self._last) * MOST_MESSAGES) - 1
        self._last = now
        return self._left >= 0


_ADVICE = {
    HTTPStatus.FORBIDDEN: "open the page under the address that was printed",
    HTTPStatus.UNAUTHORIZED: "open the link that was printed, with its token",
    HTTPStatus.SERVICE_UNAVAILABLE: "too many pages are open",
}


def _response(status: HTTPStatus, body: bytes, headers: Mapping[str, str]) -> Response:
    basic = {"Content-Type": "text/plain; charset=utf-8", "Connection": "close", **headers}
    basic["Content-Length"] = str(len(body))
    return Response(status.value, status.phrase, Headers(basic), body)


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        InputError: if the address is taken, or not one of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except (OSError, UnicodeError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"cannot listen at {host} port {port} ({reason}); another port: --port 0 takes any"
        ) from error
    listening.setblocking(False)
    return listening
