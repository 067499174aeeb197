"""``headstart demos``: make demonstration files, convert them, look into them."""

from headstart.cli.demos import collect, convert, expand, find, inspect, play
from headstart.cli.parser import Parser

DESCRIPTION = """\
Get demonstrations from somewhere, see whether they are any good, and train on them.

examples:
  headstart demos collect FetchPickAndPlace-v4 --episodes 100 --out demos.npz
  headstart demos import data_fetch_random_100.npz --env FetchPickAndPlace-v4 --out demos.npz
  headstart demos expand one.npz --episodes 100 --out demos.npz
  headstart demos find FetchPickAndPlace-v4 --out demos.npz
  headstart demos inspect demos.npz --plot demos.png
  headstart demos play demos.npz --video demos.mp4
  headstart train FetchPickAndPlace-v4 --demos demos.npz

`headstart demos ACTION --help` explains an action.
"""


def add_options(parser: Parser) -> None:
    """Say what the verb takes."""
    parser.description = DESCRIPTION
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for module in (collect, expand, find, inspect, play, convert):
        module.add_action(actions)
