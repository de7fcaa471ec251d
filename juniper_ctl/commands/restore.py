"""`juniper-ctl restore`."""

import argparse
from pathlib import Path

from juniper_ctl.backups.restore import restore, restore_test
from juniper_ctl.commands.arguments import add_json, add_services
from juniper_ctl.errors import Exit
from juniper_ctl.services import named

EXAMPLES = (
    ("juniper-ctl restore --check", "whether the newest backup would do"),
    ("juniper-ctl restore latest", "put it in the place of what there is"),
    ("juniper-ctl restore", "end a restore that was interrupted"),
)
EXITS = (Exit.DEGRADED, Exit.UNKNOWN_UNIT, Exit.TIMEOUT, Exit.CONFIGURATION)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which backup, of what, and how."""
    parser.add_argument("--check", action="store_true", help="restore into a scratch folder alone, and open it there")
    parser.add_argument("--yes", action="store_true", help="do not ask before services are stopped")
    parser.add_argument("--even-damaged", action="store_true", help="restore what there is where files were lost")
    parser.add_argument("--from", dest="source", type=Path, metavar="DIR", help="the folder of the backups")
    add_json(parser)
    parser.add_argument(
        "name", nargs="?", help="a backup, or latest; none: end a restore that was interrupted, or --check the newest"
    )
    add_services(parser)


def run(options: argparse.Namespace) -> Exit:
    """Restore it, or see whether that would do."""
    services = named(options.service)
    if options.check:
        return restore_test(options.name, services, options.source, as_json=options.json)
    return restore(
        options.name,
        services,
        options.source,
        yes=options.yes,
        even_damaged=options.even_damaged,
        as_json=options.json,
    )
