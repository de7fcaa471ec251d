"""`juniper-ctl status`."""

import argparse

from juniper_ctl.commands.arguments import add_json, add_services
from juniper_ctl.errors import Exit
from juniper_ctl.services import named
from juniper_ctl.status import status

EXAMPLES = (
    ("juniper-ctl status", "all three"),
    ("juniper-ctl status cascor", "one of them; the exit code is about it alone"),
    ("juniper-ctl status --json", "for programs"),
)
EXITS = (Exit.DEGRADED, Exit.STOPPED, Exit.UNKNOWN_UNIT, Exit.NO_BUS, Exit.CONFIGURATION)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Of which, and for whom."""
    add_json(parser)
    add_services(parser)


def run(options: argparse.Namespace) -> Exit:
    """Print it."""
    return status(named(options.service), as_json=options.json)
