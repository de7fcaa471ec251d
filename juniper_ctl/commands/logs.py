"""`juniper-ctl logs`."""

import argparse

from juniper_ctl.commands.arguments import add_services
from juniper_ctl.errors import Exit
from juniper_ctl.logs import logs
from juniper_ctl.services import named

EXAMPLES = (
    ("juniper-ctl logs", "the last lines of all three"),
    ("juniper-ctl logs cascor -f", "go on as it writes"),
    ("juniper-ctl logs data --since=-10min", "all of the last ten minutes"),
)
EXITS = (Exit.UNKNOWN_UNIT, Exit.NO_BUS)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Of which services, and how much."""
    parser.add_argument("-n", "--lines", type=int, default=50, help="how many of the last lines (default: %(default)s)")
    parser.add_argument("-f", "--follow", action="store_true", help="go on as more is written")
    parser.add_argument("--since", metavar="TIME", help="all since then, as journalctl takes it: -10min, today, 12:30")
    add_services(parser)


def run(options: argparse.Namespace) -> Exit:
    """Show them."""
    logs(named(options.service), lines=options.lines, follow=options.follow, since=options.since)
