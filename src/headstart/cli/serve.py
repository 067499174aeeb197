"""``headstart serve``."""

import argparse
import time

from headstart.cli.page import add_page, page_of
from headstart.cli.parser import Parser
from headstart.files.paths import user_path
from headstart.policy import load_policy

_PORT = 8938
DESCRIPTION = """\
Serve a policy over a websocket, as JSON: {"observation": [...], "achieved_goal": [...],
"desired_goal": [...]} goes in, {"action": [...]} comes out. The address that is printed holds the
token that a client needs.

It listens for this machine alone; for another one: ssh -L 8938:localhost:8938 MACHINE. Needs
`pip install 'headstart[web]'`.

examples:
  headstart serve runs/first
  headstart serve policy.safetensors --port 9000
"""


def add_options(parser: Parser) -> None:
    """Say what the verb takes."""
    parser.description = DESCRIPTION
    parser.add_argument(
        "policy", type=user_path, metavar="DIR", help="a run directory, or a policy file"
    )
    add_page(parser, _PORT)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> None:
    policy = load_policy(arguments.policy)
    from headstart.web.serving import Answers

    answers = Answers(policy)
    with page_of(arguments, {}, answers, replies=answers.most_bytes) as server:
        print(server.gate.socket_link, flush=True)
        while True:
            # Who joined and left is of no interest, and would fill the memory.
            server.events()
            time.sleep(1.0)
