"""`juniper-ctl doctor`."""

import argparse

from juniper_ctl.commands.arguments import SECTION, add_json
from juniper_ctl.doctor.doctor import SECTIONS, doctor
from juniper_ctl.errors import Exit

EXAMPLES = (
    ("juniper-ctl doctor", "everything"),
    ("juniper-ctl doctor gpu", "one section"),
    ("juniper-ctl doctor --json", "for programs"),
)
EXITS = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to look at, and for whom."""
    parser.add_argument("section", nargs="*", metavar=SECTION, help=f"{', '.join(SECTIONS)}; none: everything")
    add_json(parser)


def run(options: argparse.Namespace) -> Exit:
    """Look."""
    return doctor(options.section, as_json=options.json)
