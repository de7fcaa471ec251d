"""`juniper-ctl retention`."""

import argparse
from pathlib import Path

from juniper_ctl.backups.retention import retention
from juniper_ctl.commands.arguments import add_json
from juniper_ctl.errors import Exit

EXAMPLES = (
    ("juniper-ctl retention --dry-run", "what would go"),
    ("juniper-ctl retention", "let it go"),
)
EXITS = (Exit.TIMEOUT, Exit.CONFIGURATION)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Of which folder, and whether in earnest."""
    parser.add_argument("--from", dest="source", type=Path, metavar="DIR", help="the folder of the backups")
    parser.add_argument("--dry-run", action="store_true", help="say what would go, and leave it")
    add_json(parser)


def run(options: argparse.Namespace) -> Exit:
    """Remove what need not stay."""
    return retention(options.source, dry_run=options.dry_run, as_json=options.json)
