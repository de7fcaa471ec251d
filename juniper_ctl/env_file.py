"""Reads env files as systemd's `EnvironmentFile=` does, for what runs or asks outside of systemd."""

from collections.abc import Mapping
from pathlib import Path

from juniper_ctl.locations import Locations
from juniper_ctl.services import Service


def parse(text: str) -> dict[str, str]:
    """The assignments in `text`: `NAME=value` lines, `#` and `;` comments, quotes, a backslash at a line's end."""
    assignments = {}
    for line in text.replace("\\\n", "").splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith(("#", ";")):
            assignments[name.strip()] = _unquoted(value.strip())
    return assignments


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] == "'":
        return value[1:-1]
    if len(value) >= 2 and value[0] == value[-1] == '"':
        value = value[1:-1]
    # A backslash takes the next character for what it is.
    characters = iter(value)
    return "".join(next(characters, "") if character == "\\" else character for character in characters)


def environment_of(service: Service, locations: Locations, *, over: Mapping[str, str] | None = None) -> dict[str, str]:
    """What the service's settings are read from: `juniper.env`, then the service's own file, then `over`."""
    environment = {}
    for name in ("juniper", service.name):
        path = locations.configuration / f"{name}.env"
        if path.is_file():
            environment.update(parse(path.read_text(encoding="utf-8")))
    return environment | dict(over or {})


def credential(name: str, locations: Locations) -> str:
    """What a credential file holds; nothing where there is none."""
    path: Path = locations.credentials / name
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""
