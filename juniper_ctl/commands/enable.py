"""`juniper-ctl enable`."""

import argparse

from juniper_ctl.boot import enable
from juniper_ctl.commands.arguments import add_json
from juniper_ctl.errors import Exit

EXAMPLES = (
    ("juniper-ctl enable", "they start with this user's manager"),
    ("sudo juniper-ctl --system enable", "those of the host: they start at boot"),
)
EXITS = (Exit.DEGRADED, Exit.UNKNOWN_UNIT, Exit.NO_BUS, Exit.CONFIGURATION)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """For whom it tells."""
    add_json(parser)


def run(options: argparse.Namespace) -> Exit:
    """Have them started."""
    return enable(as_json=options.json)
