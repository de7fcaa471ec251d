"""`juniper-ctl install`."""

import argparse
from pathlib import Path

from juniper_ctl.commands.build_options import add_build_options
from juniper_ctl.errors import Exit
from juniper_ctl.install import Install

EXAMPLES = (
    ("juniper-ctl install", "from this checkout"),
    ("juniper-ctl install --gpu", "with what a GPU needs"),
    ("juniper-ctl install --wheelhouse bundle", "from a bundle, without a registry"),
)
EXITS = (Exit.NO_BUS, Exit.CONFIGURATION)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """From what."""
    parser.add_argument("--wheelhouse", type=Path, metavar="DIR", help="a bundle: no registry is asked")
    parser.add_argument("--diff", action="store_true", help="show what would change, and change nothing")
    add_build_options(parser)


def run(options: argparse.Namespace) -> Exit:
    """Install, or show what that would change."""
    install = Install(wheelhouse=options.wheelhouse, extras=options.extras, python=options.python)
    return install.diff() if options.diff else install.run()
