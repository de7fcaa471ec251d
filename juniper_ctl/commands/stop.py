"""`juniper-ctl stop`."""

import argparse

from juniper_ctl import control
from juniper_ctl.commands.arguments import add_json_of_state, add_services
from juniper_ctl.errors import Exit
from juniper_ctl.progress import reporter
from juniper_ctl.services import named
from juniper_ctl.status import tell_state

EXAMPLES = (
    ("juniper-ctl stop", "all three"),
    ("juniper-ctl stop data", "cascor stops with it: it has nothing to train on"),
    ("juniper-ctl stop canopy", "the page alone; a training goes on"),
)
EXITS = (Exit.UNKNOWN_UNIT, Exit.NO_BUS)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which."""
    add_json_of_state(parser)
    add_services(parser)


def run(options: argparse.Namespace) -> Exit:
    """Stop them."""
    services = named(options.service)
    control.stop(services, reporter(as_json=options.json))
    return tell_state(services, as_json=options.json)
