"""`juniper-ctl version`."""

import argparse

from juniper_ctl.checkout import version_of_this_program
from juniper_ctl.commands.arguments import add_json
from juniper_ctl.errors import Exit
from juniper_ctl.progress import print_json

EXAMPLES = (
    ("juniper-ctl version", "for a bug report"),
    ("juniper-ctl version --json", "for programs"),
)
EXITS = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """For whom."""
    add_json(parser)


def run(options: argparse.Namespace) -> Exit:
    """Print it."""
    version, folder = version_of_this_program()
    if options.json:
        print_json({"version": version, "folder": folder})
    else:
        print(f"{version} in {folder}")
    return Exit.OK
