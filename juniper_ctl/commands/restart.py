"""`juniper-ctl restart`."""

import argparse

from juniper_ctl import control
from juniper_ctl.commands.arguments import add_json_of_state, add_services, add_wait
from juniper_ctl.errors import Exit
from juniper_ctl.progress import reporter
from juniper_ctl.services import named
from juniper_ctl.status import tell_state

EXAMPLES = (
    ("juniper-ctl restart", "all three: new processes"),
    ("juniper-ctl restart data", "a training on cascor goes on"),
    ("juniper-ctl restart --no-wait canopy", "do not wait until it is ready"),
)
EXITS = (Exit.UNKNOWN_UNIT, Exit.NO_BUS, Exit.TIMEOUT, Exit.CONFIGURATION)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which, and whether to wait."""
    add_wait(parser)
    add_json_of_state(parser)
    add_services(parser)


def run(options: argparse.Namespace) -> Exit:
    """Restart them."""
    services = named(options.service)
    control.restart(services, reporter(as_json=options.json), wait=options.wait)
    return tell_state(services, as_json=options.json)
