"""The options of verbs that open a page in the browser."""

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart import torchrun
from headstart.errors import InputError, require
from headstart.files.paths import user_path

if TYPE_CHECKING:
    from headstart.training.config import TrainConfig
    from headstart.web.server import File, PageServer

_STEER_PORT = 8937


def add_page(parser: argparse.ArgumentParser, port: int) -> None:
    """Let the user choose where a page is served.

    Args:
        parser: of the verb.
        port: the usual one.
    """
    parser.add_argument(
        "--port", type=int, default=port, help=f"port to listen at; 0 takes any ({port})"
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
    replies: int | None = None,
) -> "PageServer":
    """Return a server, to be entered, at the address that the user named; see ``PageServer``.

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
        replies=replies,
    )


def add_steer(parser: argparse.ArgumentParser) -> None:
    """Let the user step in while a policy is trained."""
    parser.add_argument(
        "--steer",
        action="store_true",
        help="Show rollouts in the browser, and let a person steer with the controls there; with "
        "nobody at the page nothing changes. Needs `pip install 'headstart[web]'`.",
    )
    add_page(parser, _STEER_PORT)


@contextlib.contextmanager
def steering_of(
    arguments: argparse.Namespace,
    env_id: str,
    out: Path,
    config: "TrainConfig",
    collectors: int | str,
) -> Iterator[dict[str, Any]]:
    """Yield the arguments of ``train`` and ``resume`` that say who runs the episodes.

    Args:
        arguments: of the command line.
        env_id: the environment.
        out: the run directory.
        config: of the run.
        collectors: how many, or a Ray cluster.

    Raises:
        InputError: as ``page_of``.
    """
    if not arguments.steer:
        yield {"collectors": collectors}
        return
    if torchrun.is_used():
        raise InputError("--steer is for one process, not for torchrun: there is one person")
    from headstart.web.server import page_files
    from headstart.web.steer.opening import open_steering
    from headstart.web.teleop.messages import read_message
    from headstart.web.teleop.run import PAGE

    with (
        page_of(arguments, page_files(*PAGE), read_message) as server,
        open_steering(
            env_id,
            server,
            out,
            collectors=collectors,
            timeout=config.episode_timeout,
            task=config.task,
        ) as executor,
    ):
        print(f"steer at {server.link}", file=sys.stderr, flush=True)
        yield {"executor": executor}
