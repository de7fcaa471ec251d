"""`juniper-ctl demo`."""

import argparse

from juniper_ctl.commands.arguments import add_json
from juniper_ctl.errors import Exit

EXAMPLES = (
    ("juniper-ctl demo", "set up, start, train; then open the page"),
    ("juniper-ctl demo --pace full", "as fast as it goes"),
    ("juniper-ctl demo --foreground", "without systemd, until Ctrl-C"),
)
EXITS = (Exit.UNKNOWN_UNIT, Exit.NO_BUS, Exit.TIMEOUT, Exit.CONFIGURATION)

PACE = 50.0
SEED = 42


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How fast, from which seed, and where."""
    parser.add_argument(
        "--pace",
        type=_pace,
        default=PACE,
        metavar="EPOCHS",
        help="epochs per second, or `full` for as fast as it goes (default: %(default)g)",
    )
    parser.add_argument("--seed", type=int, default=SEED, help="of the training run (default: %(default)s)")
    parser.add_argument("--foreground", action="store_true", help="without systemd, even where it answers")
    add_json(parser)


def run(options: argparse.Namespace) -> Exit:
    """Bring it up."""
    from juniper_ctl.demo import Demo

    return Demo(pace=options.pace, seed=options.seed, foreground=options.foreground, as_json=options.json).run()


def _pace(text: str) -> float | None:
    if text == "full":
        return None
    try:
        pace = float(text)
    except ValueError:
        pace = 0
    if not 0 < pace <= 1e6:
        raise argparse.ArgumentTypeError(f"{text} is neither a number above 0 nor full")
    return pace
