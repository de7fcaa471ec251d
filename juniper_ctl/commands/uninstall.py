"""`juniper-ctl uninstall`."""

import argparse

from juniper_ctl.errors import Exit
from juniper_ctl.uninstall import uninstall


def add_arguments(_: argparse.ArgumentParser) -> None:
    """None."""


def run(_: argparse.Namespace) -> Exit:
    """Take it away."""
    return uninstall()
