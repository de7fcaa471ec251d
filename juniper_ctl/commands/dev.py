"""`juniper-ctl dev`."""

import argparse

from juniper_ctl.errors import Exit


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where."""
    parser.add_argument("--foreground", action="store_true", help="without systemd, even where it answers")


def run(options: argparse.Namespace) -> Exit:
    """Bring them up; there is nothing to do with them then."""
    from juniper_ctl.bring_up import BringUp

    return BringUp("dev", options.foreground, lambda _: None).run()
