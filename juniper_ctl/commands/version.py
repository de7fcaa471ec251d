"""`juniper-ctl version`."""

import argparse

from juniper_ctl.checkout import version_of_this_program
from juniper_ctl.errors import Exit


def add_arguments(_: argparse.ArgumentParser) -> None:
    """None."""


def run(_: argparse.Namespace) -> Exit:
    """Print it."""
    print(version_of_this_program())
    return Exit.OK
