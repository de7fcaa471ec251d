"""`juniper-ctl restart`."""

import argparse

from juniper_ctl import control
from juniper_ctl.commands.arguments import add_services
from juniper_ctl.errors import Exit
from juniper_ctl.progress import say
from juniper_ctl.services import named


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which, and whether to wait."""
    parser.add_argument("--no-wait", action="store_true", help="do not wait until they are ready")
    add_services(parser)


def run(options: argparse.Namespace) -> Exit:
    """Restart them."""
    return control.restart(named(options.service), say, wait=not options.no_wait)
