"""`juniper-ctl start`."""

import argparse

from juniper_ctl import control
from juniper_ctl.commands.arguments import add_json_of_state, add_services, add_wait
from juniper_ctl.errors import Exit
from juniper_ctl.progress import reporter
from juniper_ctl.services import named
from juniper_ctl.status import tell_state

EXAMPLES = (
    ("juniper-ctl start", "all three, and wait until each is ready"),
    ("juniper-ctl start cascor canopy", "two of them"),
    ("juniper-ctl start --no-wait", "do not wait"),
)
EXITS = (Exit.UNKNOWN_UNIT, Exit.NO_BUS, Exit.TIMEOUT, Exit.CONFIGURATION)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which, and whether to wait."""
    add_wait(parser)
    add_json_of_state(parser)
    add_services(parser)


def run(options: argparse.Namespace) -> Exit:
    """Start them."""
    services = named(options.service)
    control.start(services, reporter(as_json=options.json), wait=options.wait)
    return tell_state(services, as_json=options.json)
