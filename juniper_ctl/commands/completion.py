"""`juniper-ctl completion`."""

import argparse

from juniper_ctl.completion import SHELLS, completion
from juniper_ctl.errors import Exit

EXAMPLES = (
    ('eval "$(juniper-ctl completion bash)"', "in ~/.bashrc"),
    ('eval "$(juniper-ctl completion zsh)"', "in ~/.zshrc, below compinit"),
    ("juniper-ctl completion fish | source", "in ~/.config/fish/config.fish"),
)
EXITS = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """For which shell."""
    parser.add_argument("shell", choices=tuple(SHELLS), help="that is to complete")


def run(options: argparse.Namespace) -> Exit:
    """Print the script."""
    print(completion(options.shell), end="")
    return Exit.OK
