"""``headstart demos``: make demonstration files, convert them, look into them."""

from headstart.cli.demos import collect, convert, inspect, play
from headstart.cli.parser import Parser


def add_options(parser: Parser) -> None:
    """Say what the verb takes."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for module in (collect, inspect, play, convert):
        module.add_action(actions)
