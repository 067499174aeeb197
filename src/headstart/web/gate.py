"""Who may open a page, and what the browser must not do with it."""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

SOCKET = "/socket"
"""Where a page connects to."""
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def new_token() -> str:
    """Return what is in a link and nobody guesses, 128 bits."""
    return secrets.token_urlsafe(16)


@dataclass(frozen=True)
class Gate:
    """Lets in who has the link, from the page itself, under the server's own name.

    Any page in the same browser can send requests to a server on this machine; it knows no token.
    A page whose name is made to point at this machine (DNS rebinding) sends that name as ``Host``.
    """

    port: int
    host: str = "127.0.0.1"
    scheme: str = "http"
    token: str = field(default_factory=new_token)

    @property
    def link(self) -> str:
        """The address to open."""
        return f"{self.scheme}://{self._bracketed}:{self.port}/?token={self.token}"

    @property
    def socket_link(self) -> str:
        """The address that a program connects to."""
        scheme = f"ws{self.scheme.removeprefix('http')}"
        return f"{scheme}://{self._bracketed}:{self.port}{SOCKET}?token={self.token}"

    @property
    def authorities(self) -> frozenset[str]:
        """The names under which a browser may reach the server."""
        return frozenset(f"{name}:{self.port}" for name in (*_LOOPBACK, self._bracketed))

    @property
    def origins(self) -> list[str]:
        """The pages that may connect to the socket."""
        return [f"{self.scheme}://{authority}" for authority in sorted(self.authorities)]

    def refusal(self, path: str, host: str | None, *, needs_token: bool) -> HTTPStatus | None:
        """Return how a request is refused; ``None`` if it is not."""
        if host not in self.authorities:
            return HTTPStatus.FORBIDDEN
        given = parse_qs(urlsplit(path).query).get("token", [])
        is_known = any(hmac.compare_digest(_bytes(it), _bytes(self.token)) for it in given)
        return HTTPStatus.UNAUTHORIZED if needs_token and not is_known else None

    def headers(self, host: str) -> Mapping[str, str]:
        """Return what is sent with every page: it loads nothing from elsewhere, and is in no frame.

        Args:
            host: one of ``authorities``, the one that the browser uses.
        """
        socket = f"ws{self.scheme.removeprefix('http')}://{host}"
        return {
            "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
            f"img-src 'self' blob: data:; connect-src 'self' {socket}; base-uri 'none'; "
            "form-action 'none'; frame-ancestors 'none'",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
            "Connection": "close",
        }

    @property
    def _bracketed(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host


def _bytes(text: str) -> bytes:
    # Of text that is not ASCII no digest is compared.
    return text.encode("utf-8", "surrogateescape")
