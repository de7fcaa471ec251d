"""`juniper-ctl health`."""

import argparse
from datetime import datetime

from juniper_ctl.commands.arguments import add_json, add_services
from juniper_ctl.errors import Exit
from juniper_ctl.health import health, record_health
from juniper_ctl.services import named

EXAMPLES = (
    ("juniper-ctl health", "ask all three now"),
    ("juniper-ctl health --history --since 7d", "how they were this week"),
)
EXITS = (Exit.DEGRADED, Exit.STOPPED, Exit.UNKNOWN_UNIT, Exit.NO_BUS, Exit.CONFIGURATION)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Of which, and now or in the record."""
    add_json(parser)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--record", action="store_true", help="keep what is answered, as the health check units do")
    which.add_argument("--history", action="store_true", help="sum up what was recorded: share of ok, outages, slowest")
    parser.add_argument(
        "--since", type=_moment, metavar="TIME", help="--history of the time since 30min, 12h, 7d, 2026-01-31T12:30"
    )
    add_services(parser)


def run(options: argparse.Namespace) -> Exit:
    """Ask, or sum up."""
    services = named(options.service)
    if options.history or options.since:
        from juniper_ctl.health_history import history

        return history(services, since=options.since, as_json=options.json)
    return record_health(services) if options.record else health(services, as_json=options.json)


def _moment(text: str) -> datetime:
    from juniper_ctl.health_history import moment

    try:
        return moment(text)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text} is no time: 30min, 12h, 7d, or 2026-01-31T12:30") from None
