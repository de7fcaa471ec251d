"""`--set NAME=VALUE`: a parameter of the engine, from a word of the command line."""

import difflib
from collections.abc import Sequence
from typing import Any

from juniper_cascor.commands.errors import CommandError, Exit
from juniper_cascor.engine.parameters import Field, parameter_fields


def parse(words: Sequence[str]) -> dict[str, Any]:
    """The parameters that are set, by name; the engine checks their bounds.

    Raises:
        CommandError: a word is no NAME=VALUE, there is no such parameter, or its value is no number where it must be.
    """
    known = {name: field for name, field in parameter_fields().items() if name != "task"}
    values = {}
    for word in words:
        name, equals, text = (part.strip() for part in word.partition("="))
        if not equals:
            raise CommandError(f"--set {word}: it has no value", next_step=f"--set {name}=VALUE", code=Exit.USAGE)
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            step = f"--set {near[0]}={text}" if near else "train --help names them"
            raise CommandError(f"there is no parameter {name}", next_step=step, code=Exit.USAGE)
        if text.lower() == "none":
            step = f"leave it out for what the preset has, or give it {bounds(known[name])}"
            raise CommandError(f"--set {word}: that is no value", next_step=step, code=Exit.USAGE)
        values[name] = _value(name, known[name], text)
    return values


def bounds(known: Field) -> str:
    """What a parameter may be set to; it is None where it is not set."""
    return known.bounds.removesuffix(", or None").removeprefix("None, ")


def _value(name: str, known: Field, text: str) -> Any:
    if name == "class_weights" and text != "balanced":
        return tuple(_number(name, known, part) for part in text.split(","))
    return _number(name, known, text) if known.is_number else text


def _number(name: str, known: Field, text: str) -> float:
    try:
        return int(text) if known.is_integral else float(text)
    except ValueError:
        kind = "a whole number" if known.is_integral else "a number"
        raise CommandError(
            f"{name}: must be {kind}, not {text!r}",
            next_step=f"--set {name}=VALUE with {bounds(known)}",
            code=Exit.USAGE,
        ) from None
