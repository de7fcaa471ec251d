"""`juniper-ctl uninstall`."""

import argparse

from juniper_ctl.errors import Exit
from juniper_ctl.uninstall import uninstall

EXAMPLES = (("juniper-ctl uninstall", "settings and data stay"),)
EXITS = (Exit.UNKNOWN_UNIT, Exit.NO_BUS)


def add_arguments(_: argparse.ArgumentParser) -> None:
    """None."""


def run(_: argparse.Namespace) -> Exit:
    """Take it away."""
    return uninstall()
