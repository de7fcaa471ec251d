"""What a release is made with: arguments of the commands that make one."""

import argparse
from pathlib import Path

from juniper_ctl.release_source import EXTRAS


def add_build_options(parser: argparse.ArgumentParser) -> None:
    """Add them."""
    parser.add_argument(
        "--extra",
        action="append",
        default=[],
        choices=EXTRAS,
        dest="extras",
        help="optional dependencies; may be given more than once",
    )
    parser.add_argument("--gpu", action="append_const", const="gpu", dest="extras", help="the same as --extra gpu")
    parser.add_argument("--python", type=Path, metavar="PATH", help="the Python that the services run with")
