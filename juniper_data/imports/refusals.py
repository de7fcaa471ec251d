"""How a file is refused: one sentence, and the parameter that it is about."""

from collections.abc import Iterable

from juniper_common.wire.errors import FieldProblem
from juniper_data.errors import UnreadableFileError

ABOUT_FILE = ["params", "file_path"]
"""The `loc` of what is wrong with the file itself; a file that was sent has no such parameter."""

_SHOWN = 60
_LISTED = 20


def refused(message: str, field: str | None = None) -> UnreadableFileError:
    """The error to raise; without a field it is about the file itself."""
    loc = ABOUT_FILE if field is None else ["params", field]
    return UnreadableFileError((FieldProblem(loc=list(loc), msg=message),))


def shown(value: object) -> str:
    """What a file has in a cell, quoted and no longer than a line."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def listed(names: Iterable[str]) -> str:
    """The first names, and how many more there are."""
    known = list(names)
    more = f" and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
    return ", ".join(shown(name) for name in known[:_LISTED]) + more if known else "none"
