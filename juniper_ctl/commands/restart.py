"""`juniper-ctl restart`."""

import argparse

from juniper_ctl import control
from juniper_ctl.commands.start import EXITS, add_arguments
from juniper_ctl.errors import Exit
from juniper_ctl.progress import reporter
from juniper_ctl.services import named
from juniper_ctl.status import tell_state

__all__ = ["EXAMPLES", "EXITS", "add_arguments", "run"]

EXAMPLES = (
    ("juniper-ctl restart", "all three: new processes"),
    ("juniper-ctl restart data", "a training on cascor goes on"),
    ("juniper-ctl restart --no-wait canopy", "do not wait until it is ready"),
)


def run(options: argparse.Namespace) -> Exit:
    """Restart them."""
    services = named(options.service)
    control.restart(services, reporter(as_json=options.json), wait=options.wait)
    return tell_state(services, as_json=options.json)
