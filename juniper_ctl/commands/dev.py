"""`juniper-ctl dev`."""

import argparse

from juniper_ctl.commands.arguments import add_json
from juniper_ctl.errors import Exit

EXAMPLES = (
    ("juniper-ctl dev", "as the units where systemd answers, else until Ctrl-C"),
    ("juniper-ctl dev --foreground", "until Ctrl-C"),
)
EXITS = (Exit.UNKNOWN_UNIT, Exit.NO_BUS, Exit.TIMEOUT, Exit.CONFIGURATION)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where, and for whom it tells."""
    parser.add_argument("--foreground", action="store_true", help="without systemd, even where it answers")
    add_json(parser)


def run(options: argparse.Namespace) -> Exit:
    """Bring them up; there is nothing to do with them then."""
    from juniper_ctl.bring_up import BringUp

    return BringUp("dev", options.foreground, lambda _up, _report: {}, options.json).run()
