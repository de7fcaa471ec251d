"""`juniper-ctl credentials`."""

import argparse
import getpass
import os
import sys

from juniper_ctl.commands.arguments import add_json
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.locations import Locations

EXAMPLES = (
    ("juniper-ctl credentials list", "which are set, and who reads them"),
    ("juniper-ctl credentials set juniper_data_api_keys <keys.txt", "set one from a file"),
    ("juniper-ctl credentials set juniper_data_tls_key <data.key", "the same of a certificate, a key or a CA in PEM"),
    ("juniper-ctl credentials rotate && juniper-ctl restart", "make new keys; the old ones count on"),
    ("juniper-ctl credentials rotate --finish && juniper-ctl restart", "refuse the old ones"),
)
EXITS = (Exit.CONFIGURATION,)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do with them."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    add_json(actions.add_parser("list", help="which are set, who reads them; never what they hold"))
    one = actions.add_parser("set", help="read one from standard input, or from a hidden prompt")
    one.add_argument("name", metavar="NAME", help="as `list` shows it")
    new = actions.add_parser("rotate", help="make a new key; the old one counts until --finish")
    new.add_argument("name", nargs="?", metavar="NAME", help="juniper_…_api_keys; none: of each service that has keys")
    new.add_argument("--finish", action="store_true", help="refuse the older keys from now on")


def run(options: argparse.Namespace) -> Exit:
    """Do it."""
    from juniper_ctl import credentials, tls

    locations = Locations.of(os.environ)
    if options.action == "list":
        return credentials.list_credentials(locations, as_json=options.json)
    if options.action == "rotate":
        return credentials.rotate(options.name, locations, finish=options.finish)
    if sys.stdin.isatty() and tls.is_pem(options.name):
        raise ControlError("a PEM comes from a file", next_command=credentials.typed(options.name), code=Exit.USAGE)
    # No argument: arguments are seen by all of this host, and stay in a shell's history.
    value = getpass.getpass(f"{options.name}: ") if sys.stdin.isatty() else sys.stdin.read()
    return credentials.set_credential(options.name, value, locations)
