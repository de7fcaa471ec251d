"""What a person reads while a command works, in their own terms."""

import os
import sys
from typing import Protocol

from juniper_ctl import scope
from juniper_ctl.table import printable


class Report(Protocol):
    """Is told what happens, and to whom."""

    def __call__(self, who: str, what: str, /, *, is_passing: bool = False) -> None:
        """One thing that happened. Passing: it matters to who looks on, and not afterwards."""


def say(who: str, what: str, /, *, is_passing: bool = False) -> None:
    """Tell the person what just happened, at once even into a pipe."""
    if not is_passing:
        print(f"{who:<10} {printable(what)}", flush=True)


def say_nothing(_who: str, _what: str, /, *, is_passing: bool = False) -> None:
    """For what ends with an answer for programs."""


class LiveLines:
    """A line for each that something happens to, on a terminal; it shows the last that did."""

    def __init__(self) -> None:
        self._lines: dict[str, str] = {}

    def __call__(self, who: str, what: str, /, *, is_passing: bool = False) -> None:  # noqa: ARG002 - it shows both
        """Write all lines anew, over those that are there."""
        up = f"\x1b[{len(self._lines)}A" if self._lines else ""
        self._lines[who] = what
        # A line that wraps would be two, and the way up too short.
        columns = os.get_terminal_size(sys.stdout.fileno()).columns
        lines = (f"{name:<10} {printable(text)}"[: columns - 1] for name, text in self._lines.items())
        print(up + "".join(f"\r{line}\x1b[K\n" for line in lines), end="", flush=True)


def reporter(*, as_json: bool = False) -> Report:
    """How to tell what happens to services, to whoever reads it."""
    if as_json:
        return say_nothing
    return LiveLines() if sys.stdout.isatty() and os.environ.get("TERM") != "dumb" else say


def print_json(document: object, *, indent: int | None = 2) -> None:
    """The same for programs."""
    import json  # here: most commands are not asked for it

    print(json.dumps(document, indent=indent), flush=True)


def program_as_called() -> str:
    """How this program is called, from where the person stands."""
    called = sys.argv[0]
    return called if called.endswith("/juniper-ctl") and not called.startswith("/") else "juniper-ctl"


def program_as_typed() -> str:
    """How to call this program again, about the same services."""
    return program_as_called() + (" --system" if scope.chosen() == "system" else "")
