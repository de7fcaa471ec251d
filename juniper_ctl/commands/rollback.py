"""`juniper-ctl rollback`."""

import argparse

from juniper_ctl.commands.arguments import add_json
from juniper_ctl.errors import Exit
from juniper_ctl.progress import print_json, say, say_nothing
from juniper_ctl.releases import go_back

EXAMPLES = (
    ("juniper-ctl rollback && juniper-ctl restart", "to the release before"),
    ("juniper-ctl rollback 1.2.0+5d0c3a1f9e27", "to one that `juniper-ctl releases` names"),
)
EXITS = (Exit.UNKNOWN_UNIT, Exit.NO_BUS, Exit.TIMEOUT, Exit.CONFIGURATION)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """To which."""
    parser.add_argument("release", nargs="?", metavar="RELEASE", help="else the one whose place the current one took")
    add_json(parser)


def run(options: argparse.Namespace) -> Exit:
    """Go back; what runs goes on until it is restarted."""
    plan = go_back(options.release, say_nothing if options.json else say)
    if options.json:
        print_json(plan.as_json())
    return Exit.OK
