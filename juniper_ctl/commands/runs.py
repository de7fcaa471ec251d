"""`juniper-ctl runs`."""

import argparse

from juniper_ctl.commands.arguments import add_json
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.runs import command_run, list_runs, show_run

EXAMPLES = (
    ("juniper-ctl runs", "the newest trainings"),
    ("juniper-ctl runs --status failed", "those that failed"),
    ("juniper-ctl runs show RUN", "all about one"),
    ("juniper-ctl runs stop RUN", "end it"),
)
EXITS = (Exit.STOPPED, Exit.TIMEOUT, Exit.CONFIGURATION)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which, or what to do with one."""
    parser.add_argument("--limit", type=int, default=20, help="how many of the newest (default: %(default)s)")
    parser.add_argument("--status", help="only those: queued, started, paused, completed, stopped, failed")
    add_json(parser)
    actions = ("list", "show", "pause", "resume", "stop")
    parser.add_argument("action", nargs="?", choices=actions, default="list", help="default: %(default)s")
    parser.add_argument("run", nargs="?", help="a run's id, as the list has it; list takes none")


def run(options: argparse.Namespace) -> Exit:
    """Do it.

    Raises:
        ControlError: it does not say of which run.
    """
    if options.action == "list":
        return list_runs(limit=options.limit, status=options.status, as_json=options.json)
    if options.run is None:
        raise ControlError(f"{options.action} which run?", next_command="juniper-ctl runs", code=Exit.USAGE)
    if options.action == "show":
        return show_run(options.run, as_json=options.json)
    return command_run(options.action, options.run, as_json=options.json)
