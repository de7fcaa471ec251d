"""`juniper-ctl env`."""

import argparse
import os

from juniper_ctl.commands.arguments import add_json, add_services
from juniper_ctl.errors import Exit
from juniper_ctl.locations import Locations
from juniper_ctl.services import named

EXAMPLES = (
    ("juniper-ctl env check", "unknown names, wrong values, lines that systemd reads otherwise"),
    ("juniper-ctl env show cascor", "what the training service will see, and from where"),
)
EXITS = (Exit.UNKNOWN_UNIT, Exit.CONFIGURATION)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Check, or show."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    add_json(actions.add_parser("check", help="look for what no service knows, or refuses; 78 where there is some"))
    show = actions.add_parser("show", help="what a service will see, and from which file each comes")
    add_json(show)
    add_services(show)


def run(options: argparse.Namespace) -> Exit:
    """Do it."""
    from juniper_ctl.doctor.env_section import env_check, env_show

    locations = Locations.of(os.environ)
    if options.action == "check":
        return env_check(locations, as_json=options.json)
    return env_show(named(options.service), locations, as_json=options.json)
