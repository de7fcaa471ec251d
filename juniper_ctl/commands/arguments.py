"""Arguments that several commands take, and the words for values that the completion knows."""

import argparse

SERVICE = "SERVICE"
SECTION = "SECTION"
FOLDER = "DIR"
FILE = "PATH"


def add_services(parser: argparse.ArgumentParser) -> None:
    """Names of services, to be read with `services.named`."""
    parser.add_argument("service", nargs="*", metavar=SERVICE, help="data, cascor or canopy; none: all three")


def add_json(parser: argparse.ArgumentParser) -> None:
    """`--json`, as every command that tells something has it."""
    parser.add_argument("--json", action="store_true", help="the same for programs")


def add_json_of_state(parser: argparse.ArgumentParser) -> None:
    """`--json` of a command that changes something."""
    parser.add_argument("--json", action="store_true", help="for programs: the state afterwards, as of status")


def add_wait(parser: argparse.ArgumentParser) -> None:
    """Whether to wait until services are ready."""
    parser.add_argument("--wait", action=argparse.BooleanOptionalAction, default=True, help="until they are ready")


def seconds(text: str) -> float:
    """A time above 0, for `type=`."""
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 0 < number <= 1e6:
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds above 0")
    return number
