"""Reads env files as systemd's `EnvironmentFile=` does, for what runs or asks outside of systemd."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from juniper_ctl.locations import Locations
from juniper_ctl.services import Service

PROFILE_LINK = "profile.env"
"""Leads to the env file of the profile that was chosen."""


class Assignment:
    """What systemd makes of a line, or of several. No dataclass: to import those takes `status` half of its time."""

    def __init__(self, line: int) -> None:
        self.line = line
        """Where it begins, from 1."""
        self.name = ""
        self.value = ""
        self.has_equals = False
        self.is_open = False
        """A quote is not closed before the file's end."""
        self.after_quote = ""
        """What follows a closed quote, and belongs to the value."""

    @property
    def is_read(self) -> bool:
        """Whether systemd takes it; it ignores the line otherwise."""
        return self.has_equals and re.fullmatch(r"[A-Za-z_]\w*", self.name, re.ASCII) is not None


def parse(text: str) -> dict[str, str]:
    """The assignments in `text`: `NAME=value` lines, `#` and `;` comments, quotes, a backslash at a line's end."""
    return {each.name: each.value for each in assignments(text) if each.is_read}


def assignments(text: str) -> Iterator[Assignment]:
    """All lines but comments, those without a `=` too, as the state machine of systemd's env-file.c reads them."""
    at, line = 0, 1
    while at < len(text):
        begin = at
        if text[at] in "#;":
            at = _end_of_comment(text, at)
        elif text[at].isspace():
            at += 1
        else:
            found = Assignment(line)
            at = _read_name(text, at, found)
            at = _read_value(text, at, found) if found.has_equals else at
            yield found
        line += text.count("\n", begin, at)


def _end_of_comment(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _read_name(text: str, at: int, found: Assignment) -> int:
    end = _end_of_comment(text, at)
    name, equals, _ = text[at:end].partition("=")
    found.name, found.has_equals = name.strip(), bool(equals)
    return at + len(name) + 1 if equals else end


def _read_value(text: str, at: int, found: Assignment) -> int:
    """Quoted parts one after another, then what is not quoted; returns where the line is over."""
    quoted, was_quoted = "", False
    while True:
        while at < len(text) and text[at] in " \t\r":
            at += 1
        if at == len(text) or text[at] not in "'\"":
            break
        part, at, is_closed = _read_quoted(text, at)
        quoted += part
        if not is_closed:
            found.value, found.is_open = quoted, True
            return at
        was_quoted = True
    bare, at = _read_bare(text, at)
    found.value = quoted + bare
    found.after_quote = bare if was_quoted else ""
    return at


def _read_quoted(text: str, at: int) -> tuple[str, int, bool]:
    quote, at, value = text[at], at + 1, ""
    while at < len(text):
        character = text[at]
        if character == quote:
            return value, at + 1, True
        if character == "\\" and quote == '"' and at + 1 < len(text):
            at += 1
            escaped = text[at]
            # Before anything else the backslash stays; before the end of a line both go.
            value += escaped if escaped in '"\\`$' else "" if escaped == "\n" else "\\" + escaped
        else:
            value += character
        at += 1
    return value, at, False


def _read_bare(text: str, at: int) -> tuple[str, int]:
    value, kept = "", 0
    while at < len(text) and text[at] != "\n":
        if text[at] == "\\":
            # A backslash takes the next character for what it is; the end of a line it takes away.
            at += 1
            value += text[at] if at < len(text) and text[at] != "\n" else ""
            kept = len(value)
        else:
            value += text[at]
            kept = kept if text[at].isspace() else len(value)
        at += 1
    return value[:kept], at


def files_of(service: Service, locations: Locations, profile: str | None = None) -> list[Path]:
    """The host's file, the profile's and the service's own, each with more weight than the one before.

    Args:
        service: whose.
        locations: where they lie.
        profile: None: the one that was chosen, which the units read.
    """
    names = ("juniper.env", f"{profile}.env" if profile else PROFILE_LINK, f"{service.name}.env")
    return [locations.configuration / name for name in names]


def environment_of(
    service: Service, locations: Locations, *, profile: str | None = None, over: Mapping[str, str] | None = None
) -> dict[str, str]:
    """What these files set, and then `over`."""
    environment = {}
    for path in files_of(service, locations, profile):
        environment.update(parse(text_of(path)))
    return environment | dict(over or {})


def common(locations: Locations) -> dict[str, str]:
    """What `juniper.env`, which is for all of them, sets."""
    return parse(text_of(locations.configuration / "juniper.env"))


def text_of(path: Path) -> str:
    """What an env file holds; nothing where there is none, as the units have it."""
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def credential(name: str, locations: Locations) -> str:
    """What a credential file holds; nothing where there is none."""
    path: Path = locations.credentials / name
    return path.read_text(encoding="utf-8", errors="replace").strip() if path.is_file() else ""
