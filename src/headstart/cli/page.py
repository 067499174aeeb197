"""The options of verbs that open a page in the browser."""

import argparse
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from headstart.errors import require
from headstart.files.paths import user_path

if TYPE_CHECKING:
    from headstart.web.server import File, PageServer


def add_page(parser: argparse.ArgumentParser, port: int) -> None:
    """Let the user choose where a page is served.

    Args:
        parser: of the verb.
        port: the usual one.
    """
    parser.add_argument(
        "--port", type=int, default=port, help=f"port of the page; 0 takes any ({port})"
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen at; one that others can reach needs --certificate (127.0.0.1)",
    )
    parser.add_argument(
        "--certificate",
        type=user_path,
        metavar="FILE.pem",
        help="certificate and private key, for https",
    )


def page_of(
    arguments: argparse.Namespace,
    files: "Mapping[str, File]",
    read: Callable[[dict[str, Any]], Any] | None = None,
) -> "PageServer":
    """Return a server, to be entered, at the address that the user named.

    Raises:
        InputError: if the address cannot be listened at, or websockets is missing.
    """
    require(0 <= arguments.port < 65536, "--port must lie in [0, 65535]", arguments.port)
    from headstart.web.opening import open_page

    return open_page(
        files,
        read,
        host=arguments.host,
        port=arguments.port,
        certificate=arguments.certificate,
    )
