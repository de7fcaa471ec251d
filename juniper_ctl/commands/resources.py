"""`juniper-ctl resources`."""

import argparse

from juniper_ctl.commands.arguments import add_json, add_services, seconds
from juniper_ctl.errors import Exit
from juniper_ctl.resources import resources
from juniper_ctl.services import named

EXAMPLES = (
    ("juniper-ctl resources", "all three, the GPUs and the host"),
    ("juniper-ctl resources cascor --watch", "live, until Ctrl-C"),
    ("juniper-ctl resources --watch --interval 10 --json", "a line of JSON every 10 seconds"),
)
EXITS = (Exit.UNKNOWN_UNIT, Exit.NO_BUS, Exit.CONFIGURATION)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Of which, and how often."""
    parser.add_argument("-w", "--watch", action="store_true", help="again and again, until Ctrl-C")
    parser.add_argument(
        "--interval",
        type=seconds,
        default=1.0,
        metavar="SECONDS",
        help="for how long the processors are measured (default: %(default)g)",
    )
    add_json(parser)
    add_services(parser)


def run(options: argparse.Namespace) -> Exit:
    """Measure."""
    return resources(named(options.service), interval_s=options.interval, is_live=options.watch, as_json=options.json)
