"""Arguments that several commands take."""

import argparse


def add_services(parser: argparse.ArgumentParser) -> None:
    """Names of services, to be read with `services.named`."""
    parser.add_argument("service", nargs="*", help="data, cascor or canopy; none: all three")


def add_json(parser: argparse.ArgumentParser) -> None:
    """`--json`, as every command that tells something has it."""
    parser.add_argument("--json", action="store_true", help="the same for programs")
