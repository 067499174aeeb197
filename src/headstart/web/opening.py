"""Opening a page at an address that the user names."""

import ipaddress
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from headstart.errors import InputError
from headstart.web.server import File, PageServer


def open_page(
    files: Mapping[str, File],
    read: Callable[[dict[str, Any]], Any] | None,
    *,
    host: str,
    port: int,
    certificate: Path | None,
    replies: int | None = None,
) -> PageServer:
    """Return a server, to be entered, for this machine alone or behind a certificate.

    Args:
        files: as in ``PageServer``.
        read: as in ``PageServer``.
        host: the address to listen at.
        port: 0 for any that is free.
        certificate: a PEM file with certificate and private key.
        replies: as in ``PageServer``.

    Raises:
        InputError: if others could read along, or the certificate cannot be used.
    """
    if certificate is None and not _is_own(host):
        raise InputError(
            f"--host {host}: others could read along; give --certificate FILE.pem, or leave --host "
            f"out and reach the page through a tunnel: ssh -L {port}:localhost:{port} MACHINE"
        )
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(certificate)
        except (OSError, ValueError) as error:
            raise InputError(
                f"{certificate}: must be a PEM file with a certificate and its private key "
                f"({error})"
            ) from error
    return PageServer(files, read, host=host, port=port, certificate=context, replies=replies)


def _is_own(host: str) -> bool:
    """Return whether an address is one of this machine that no other can reach."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
