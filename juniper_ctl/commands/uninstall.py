"""`juniper-ctl uninstall`."""

import argparse

from juniper_ctl.commands.arguments import add_json
from juniper_ctl.errors import Exit
from juniper_ctl.uninstall import uninstall

EXAMPLES = (("juniper-ctl uninstall", "settings and data stay"),)
EXITS = (Exit.UNKNOWN_UNIT, Exit.NO_BUS)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """For whom it tells."""
    add_json(parser)


def run(options: argparse.Namespace) -> Exit:
    """Take it away."""
    return uninstall(as_json=options.json)
