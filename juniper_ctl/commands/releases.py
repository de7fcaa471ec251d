"""`juniper-ctl releases`."""

import argparse

from juniper_ctl import releases
from juniper_ctl.commands.arguments import add_json
from juniper_ctl.errors import Exit

EXAMPLES = (("juniper-ctl releases", "which there are to go back to"),)
EXITS = (Exit.UNKNOWN_UNIT,)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """For whom it tells."""
    add_json(parser)


def run(options: argparse.Namespace) -> Exit:
    """Show them."""
    return releases.show(as_json=options.json)
