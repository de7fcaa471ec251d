"""`juniper-ctl wait`."""

import argparse

from juniper_ctl import control
from juniper_ctl.commands.arguments import add_json_of_state, add_services, seconds
from juniper_ctl.errors import Exit
from juniper_ctl.progress import reporter
from juniper_ctl.services import named
from juniper_ctl.status import tell_state

EXAMPLES = (
    ("juniper-ctl wait", "until all three are ready, whoever starts them"),
    ("juniper-ctl wait cascor --timeout 20", "20 seconds at most"),
    ("juniper-ctl start --no-wait && juniper-ctl wait --json", "start, and tell what came of it"),
)
EXITS = (Exit.UNKNOWN_UNIT, Exit.NO_BUS, Exit.TIMEOUT, Exit.CONFIGURATION)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """For which, and how long."""
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=control.START_TIMEOUT_S,
        metavar="SECONDS",
        help="for all together (default: %(default)g)",
    )
    add_json_of_state(parser)
    add_services(parser)


def run(options: argparse.Namespace) -> Exit:
    """Wait."""
    services = named(options.service)
    control.wait(services, reporter(as_json=options.json), timeout_s=options.timeout)
    return tell_state(services, as_json=options.json)
