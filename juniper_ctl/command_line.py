"""argparse as this program wants it: an error says what to type next, and the help has examples and exit codes."""

import argparse
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NoReturn

from juniper_ctl.errors import MEANINGS, ControlError, Exit

Example = tuple[str, str]
"""A command line, and what it does."""

_WIDTH = 80


class _Formatter(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        # Given a width it does not ask for the terminal's, which takes longer than all that is to be parsed.
        super().__init__(prog, max_help_position=26, width=_WIDTH)


class Parser(argparse.ArgumentParser):
    """A parser whose errors are ControlErrors. Its subparsers are of this class too."""

    def __init__(self, **options: Any) -> None:  # argparse's own, whatever they are
        super().__init__(**options, formatter_class=_Formatter, allow_abbrev=False)

    def parse_known_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]
        """Parse, and take what follows `--since` for its value even where it begins with a dash: `--since -10min`."""
        words = list(args or ())
        while "--since" in words[:-1]:
            at = words.index("--since")
            words[at : at + 2] = [f"--since={words[at + 1]}"]
        return super().parse_known_args(words, namespace)

    def error(self, message: str) -> NoReturn:
        """Raise it.

        Raises:
            ControlError: with the help as the next command.
        """
        words = " ".join(["juniper-ctl", *self.prog.split()[1:], "--help"])
        raise ControlError(message, next_command=words, code=Exit.USAGE)


def add_help(
    parser: Parser,
    *,
    groups: Mapping[str, Mapping[str, str]] | None = None,
    examples: Sequence[Example],
    exits: Collection[Exit],
) -> None:
    """Have the help end with these."""
    program = parser.prog.split()[0]
    typed = [(line.replace("juniper-ctl", program), does) for line, does in examples]
    longest = max((len(name) for commands in (groups or {}).values() for name in commands), default=0)
    sections = [_section(title, commands.items(), longest) for title, commands in (groups or {}).items()]
    if groups:
        sections.append(f"{program} COMMAND --help tells more of one.")
    sections += [
        _section("examples", typed),
        _section("exit codes", [(f"{code:>3}", MEANINGS[code]) for code in sorted(exits)]),
    ]
    parser.epilog = "\n\n".join(sections)


def _section(title: str, lines: Collection[Example], width: int = 0) -> str:
    width = max(width, *(len(first) for first, _ in lines))
    return "\n".join([f"{title}:", *(f"  {first:<{width}}  {then}" for first, then in lines)])
