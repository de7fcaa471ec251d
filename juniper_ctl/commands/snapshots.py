"""`juniper-ctl snapshots`."""

import argparse

from juniper_ctl.commands.arguments import add_json
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.snapshots import list_snapshots, verify_snapshot

EXAMPLES = (
    ("juniper-ctl snapshots", "the newest"),
    ("juniper-ctl snapshots RUN", "those of one training"),
    ("juniper-ctl snapshots verify ID", "whether a file is whole"),
)
EXITS = (Exit.STOPPED, Exit.TIMEOUT, Exit.CONFIGURATION)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Of which run, or which snapshot."""
    parser.add_argument("--limit", type=int, default=20, help="how many of the newest (default: %(default)s)")
    add_json(parser)
    parser.add_argument("run", nargs="?", metavar="RUN | verify", help="a run's id; none: the snapshots of all")
    parser.add_argument("snapshot", nargs="?", help="what to verify: a snapshot's id, as the list has it")


def run(options: argparse.Namespace) -> Exit:
    """Print the list, or what is found in the file.

    Raises:
        ControlError: it does not say which snapshot.
    """
    is_verifying = options.run == "verify"
    if is_verifying != (options.snapshot is not None):
        raise ControlError("verify which snapshot?", next_command="juniper-ctl snapshots", code=Exit.USAGE)
    if is_verifying:
        return verify_snapshot(options.snapshot, as_json=options.json)
    return list_snapshots(options.run, limit=options.limit, as_json=options.json)
