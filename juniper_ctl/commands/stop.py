"""`juniper-ctl stop`."""

import argparse

from juniper_ctl import control
from juniper_ctl.commands.arguments import add_services
from juniper_ctl.errors import Exit
from juniper_ctl.progress import say
from juniper_ctl.services import named


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which."""
    add_services(parser)


def run(options: argparse.Namespace) -> Exit:
    """Stop them."""
    return control.stop(named(options.service), say)
