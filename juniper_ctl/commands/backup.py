"""`juniper-ctl backup`."""

import argparse
from pathlib import Path

from juniper_ctl.backups import backup, report
from juniper_ctl.commands.arguments import add_json
from juniper_ctl.errors import Exit
from juniper_ctl.services import named

EXAMPLES = (
    ("juniper-ctl backup", "all three, while they run"),
    ("juniper-ctl backup list", "what there is"),
    ("juniper-ctl backup verify", "whether the newest is whole"),
)
EXITS = (Exit.DEGRADED, Exit.UNKNOWN_UNIT, Exit.TIMEOUT, Exit.CONFIGURATION)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take, look, or prove; of what, and where."""
    parser.add_argument("--to", type=Path, metavar="DIR", help="the folder of the backups; else JUNIPER_BACKUP_DIR")
    add_json(parser)
    parser.add_argument(
        "words",
        nargs="*",
        metavar="list | verify [NAME] | SERVICE",
        help="what there is; whether one is whole (the newest); or which services to take (all three)",
    )


def run(options: argparse.Namespace) -> Exit:
    """Do that."""
    match options.words:
        case ["list"]:
            return report.show(options.to, as_json=options.json)
        case ["verify", *names] if len(names) < 2:
            return report.verify(options.to, names[0] if names else None, as_json=options.json)
        case services:
            return backup.backup(named(services), options.to, as_json=options.json)
