"""`juniper-ctl disable`."""

import argparse

from juniper_ctl.boot import disable
from juniper_ctl.commands.arguments import add_json
from juniper_ctl.errors import Exit

EXAMPLES = (
    ("juniper-ctl disable", "what runs goes on until juniper-ctl stop"),
    ("juniper-ctl disable --json", "for programs"),
)
EXITS = (Exit.UNKNOWN_UNIT, Exit.NO_BUS)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """For whom it tells."""
    add_json(parser)


def run(options: argparse.Namespace) -> Exit:
    """Have them started no more."""
    return disable(as_json=options.json)
