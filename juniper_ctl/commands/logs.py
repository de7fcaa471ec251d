"""`juniper-ctl logs`."""

import argparse

from juniper_ctl.commands.arguments import add_json, add_services
from juniper_ctl.errors import Exit
from juniper_ctl.logs import LEVELS, Query, logs
from juniper_ctl.services import named

EXAMPLES = (
    ("juniper-ctl logs", "the last lines of all three"),
    ("juniper-ctl logs cascor -f", "go on as it writes"),
    ("juniper-ctl logs data --since -10min", "all of the last ten minutes"),
    ("juniper-ctl logs --run RUN --level warning", "what went wrong in one training"),
)
EXITS = (Exit.UNKNOWN_UNIT, Exit.NO_BUS)

_NAMED = ("run", "dataset", "request")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Of which services, how much, and which lines."""
    parser.add_argument("-n", "--lines", type=int, default=50, help="how many of the last lines (default: %(default)s)")
    parser.add_argument("-f", "--follow", action="store_true", help="go on as more is written")
    parser.add_argument("--since", metavar="TIME", help="all since then, as journalctl takes it: -10min, today, 12:30")
    parser.add_argument("--level", type=str.lower, choices=LEVELS, help="the least that is shown")
    parser.add_argument("--grep", metavar="PATTERN", help="a regular expression in the message")
    for name in _NAMED:
        parser.add_argument(f"--{name}", metavar="ID", help=f"what belongs to this {name}")
    add_json(parser)
    add_services(parser)


def run(options: argparse.Namespace) -> Exit:
    """Show them."""
    query = Query(
        services=named(options.service),
        lines=options.lines,
        since=options.since,
        follow=options.follow,
        level=options.level,
        pattern=options.grep,
        about={name: value for name in _NAMED if (value := getattr(options, name)) is not None},
    )
    return logs(query, as_json=options.json)
