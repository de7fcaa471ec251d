"""`juniper-ctl install`."""

import argparse
from pathlib import Path

from juniper_ctl.commands.arguments import add_json
from juniper_ctl.commands.build_options import add_build_options
from juniper_ctl.errors import Exit
from juniper_ctl.install import Install
from juniper_ctl.progress import print_json, say, say_nothing
from juniper_ctl.services import SERVICES

EXAMPLES = (
    ("juniper-ctl install", "from this checkout"),
    ("juniper-ctl install --gpu", "with what a GPU needs"),
    ("juniper-ctl install --wheelhouse bundle", "from a bundle, without a registry"),
    ("juniper-ctl install --service data --service canopy", "two of the services alone"),
)
EXITS = (Exit.NO_BUS, Exit.TIMEOUT, Exit.CONFIGURATION)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """From what, and what of it."""
    parser.add_argument("--wheelhouse", type=Path, metavar="DIR", help="a bundle: no registry is asked")
    parser.add_argument(
        "--service",
        action="append",
        default=[],
        choices=[service.name for service in SERVICES],
        dest="services",
        help="which this host has; may be given more than once; none: those that it has, or all three",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--diff", action="store_true", help="show what would change, and change nothing")
    how.add_argument("--prepare", action="store_true", help="make the release alone; what is current stays so")
    add_build_options(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> Exit:
    """Install, or show what that would change."""
    install = Install(
        wheelhouse=options.wheelhouse,
        extras=options.extras,
        python=options.python,
        services=tuple(service for service in SERVICES if service.name in options.services),
    )
    report = say_nothing if options.json else say
    if options.diff:
        plan = install.diff()
        if not options.json:
            print(plan.as_text())
    else:
        plan = install.prepare(report) if options.prepare else install.run(report)
    if options.json:
        print_json(plan.as_json())
    return Exit.OK
