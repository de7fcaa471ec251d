"""`juniper-ctl hosts`."""

import argparse
from pathlib import Path

from juniper_ctl.commands.arguments import FILE, add_json
from juniper_ctl.errors import Exit
from juniper_ctl.hosts import ask_hosts, read_hosts, tell_hosts

EXAMPLES = (
    ("juniper-ctl hosts", "those of ansible/inventories/one-host"),
    ("juniper-ctl hosts --inventory ansible/inventories/mine", "those of your own"),
    ("juniper-ctl hosts --limit trainer --json", "one of them, for programs"),
    ("juniper-ctl hosts -- --ask-become-pass", "with what ansible-playbook needs to log in"),
)
EXITS = (Exit.DEGRADED, Exit.CONFIGURATION)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Of which, and for whom."""
    parser.add_argument("-i", "--inventory", metavar=FILE, help="Ansible's inventory; else what ansible.cfg says")
    parser.add_argument("-l", "--limit", metavar="HOSTS", help="those alone, as Ansible takes them")
    parser.add_argument(
        "--from", dest="source", type=Path, metavar=FILE, help="ask nobody: what check.yml has kept in a file"
    )
    add_json(parser)
    parser.add_argument("option", nargs="*", metavar="-- OPTION", help="more options for ansible-playbook")


def run(options: argparse.Namespace) -> Exit:
    """Ask, and tell."""
    hosts = (
        read_hosts(options.source)
        if options.source
        else ask_hosts(inventory=options.inventory, limit=options.limit, options=options.option)
    )
    return tell_hosts(hosts, as_json=options.json)
