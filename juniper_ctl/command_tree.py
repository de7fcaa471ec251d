"""What may come where on the command line, read from the parsers themselves: for the scripts that complete it."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from juniper_ctl.commands import arguments
from juniper_ctl.doctor.doctor import SECTIONS
from juniper_ctl.main import COMMANDS, parser
from juniper_ctl.services import SERVICES

Kind = Literal["words", "folders", "files", "free"]


@dataclass(frozen=True, slots=True)
class Value:
    """What may come at one place."""

    kind: Kind = "free"
    """Folders and files the shell knows; of what is free nobody knows anything."""
    words: Sequence[str] = ()


_VALUES: Mapping[str, Value] = {
    arguments.SERVICE: Value("words", [service.name for service in SERVICES]),
    arguments.SECTION: Value("words", list(SECTIONS)),
    arguments.FOLDER: Value("folders"),
    arguments.FILE: Value("files"),
}
"""What stands for a metavar."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command, or one below it."""

    path: tuple[str, ...]
    tells: str
    options: Mapping[str, str]
    """What each does."""
    values: Mapping[str, Value]
    """Of the options that take one."""
    operands: Value


def commands() -> list[Command]:
    """All of them, the program itself first."""
    return list(_walk((), "", parser(tuple(COMMANDS))))


def _walk(path: tuple[str, ...], tells: str, at: argparse.ArgumentParser) -> Iterator[Command]:
    options: dict[str, str] = {}
    values: dict[str, Value] = {}
    operands = Value()
    below: Mapping[str, argparse.ArgumentParser] = {}
    for action in at._actions:
        if isinstance(action, argparse._SubParsersAction):
            below = action.choices
            operands = Value("words", list(below))
        elif action.option_strings:
            options |= dict.fromkeys(action.option_strings, (action.help or "").partition(" (default")[0])
            if action.nargs != 0:
                values |= dict.fromkeys(action.option_strings, _value(action))
        else:
            operands = _value(action)
    yield Command(path, tells, options, values, operands)
    for name, parser_below in below.items():
        yield from _walk((*path, name), parser_below.description or "", parser_below)


def _value(action: argparse.Action) -> Value:
    if action.choices is not None:
        return Value("words", [str(choice) for choice in action.choices])
    return _VALUES.get(str(action.metavar), Value())
