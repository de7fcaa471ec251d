"""`juniper-ctl bundle`."""

import argparse
from pathlib import Path

from juniper_ctl.bundle import make_bundle
from juniper_ctl.commands.arguments import add_json
from juniper_ctl.commands.build_options import add_build_options
from juniper_ctl.errors import Exit

EXAMPLES = (
    ("juniper-ctl bundle", "below dist/"),
    ("juniper-ctl bundle /media/usb/juniper --gpu", "for hosts with a GPU"),
)
EXITS = (Exit.CONFIGURATION,)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where, and with what."""
    parser.add_argument("folder", nargs="?", type=Path, metavar="DIR", help="where (default: below dist/)")
    add_build_options(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> Exit:
    """Make it."""
    return make_bundle(options.folder, extras=options.extras, python=options.python, as_json=options.json)
