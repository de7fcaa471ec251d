"""`juniper-ctl alerts`."""

import argparse
import os

from juniper_ctl.alerts import alerts, failed, recovered
from juniper_ctl.commands.arguments import add_json
from juniper_ctl.errors import Exit

EXAMPLES = (
    ("juniper-ctl alerts", "what has failed and is not well again"),
    ("journalctl --user -t juniper-alert", "what was told"),
)
EXITS = (Exit.CONFIGURATION,)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """For whom; and what the units tell it."""
    add_json(parser)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--failed", metavar="UNIT", help="note a failure, as juniper-alert@.service does")
    which.add_argument("--recovered", metavar="UNIT", help="note that it works, as juniper-recovered@.service does")


def run(options: argparse.Namespace) -> Exit:
    """Print them, or take note."""
    if options.failed:
        return failed(options.failed, os.environ)
    if options.recovered:
        return recovered(options.recovered, os.environ)
    return alerts(as_json=options.json)
