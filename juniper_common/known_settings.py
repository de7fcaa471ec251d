"""`juniper-X settings`: every name that a service reads, and what its present environment makes of it."""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, get_args

from pydantic import AliasChoices, BaseModel, SecretStr
from pydantic.fields import FieldInfo

from juniper_common.settings import EXIT_CONFIGURATION, Problem, ServiceSettings

HIDDEN = "(hidden)"
"""Stands for a secret that is set."""


@dataclass(frozen=True, slots=True)
class KnownSetting:
    """One setting."""

    name: str
    aliases: tuple[str, ...]
    """Other names, each with less weight than the one before."""
    older_names: tuple[str, ...]
    """Names that work, with a warning."""
    default: str | None
    """As an env file has it; None: it depends on the host."""
    description: str
    is_secret: bool
    path: tuple[str, ...]
    """Where the settings class has it."""


def known_settings(
    model: type[ServiceSettings], older_names: Mapping[str, str] | None = None
) -> Iterator[KnownSetting]:
    """All that a service can be told.

    Args:
        model: the service's settings.
        older_names: the name of today for each older one.
    """
    return _known(model, model.model_config.get("env_prefix", ""), (), older_names or {})


def settings_command(
    model: type[ServiceSettings], *, as_json: bool, older_names: Mapping[str, str] | None = None
) -> int:
    """Print names, values and problems; returns the exit code, 78 where there is a problem."""
    settings, problems = model.read()
    rows = [(known, _value(known, settings)) for known in known_settings(model, older_names)]
    if as_json:
        sys.stdout.write(json.dumps(_report(model, rows, problems), indent=2) + "\n")
    else:
        sys.stdout.writelines(_lines(known, value) for known, value in rows)
        model.tell(problems)
    return EXIT_CONFIGURATION if problems else 0


def settings_of_each(model: type[ServiceSettings], *, older_names: Mapping[str, str] | None = None) -> int:
    """Print what it makes of several environments, each of which standard input adds to the present one, in one list.

    For whoever asks of several profiles: to start a process for each takes longest.
    """
    present, reports = dict(os.environ), []
    for environment in json.load(sys.stdin):
        os.environ.clear()
        os.environ.update(present | environment)
        settings, problems = model.read()
        rows = [(known, _value(known, settings)) for known in known_settings(model, older_names)]
        reports.append(_report(model, rows, problems))
    sys.stdout.write(json.dumps({"reports": reports}) + "\n")
    return EXIT_CONFIGURATION if any(report["problems"] for report in reports) else 0


def _report(
    model: type[ServiceSettings], rows: Sequence[tuple[KnownSetting, str | None]], problems: Sequence[Problem]
) -> dict[str, object]:
    return {
        "service": model.service_name(),
        "settings": [asdict(known) | {"value": value} for known, value in rows],
        "problems": [asdict(problem) for problem in problems],
    }


def _known(
    model: type[BaseModel], prefix: str, path: tuple[str, ...], older_names: Mapping[str, str]
) -> Iterator[KnownSetting]:
    for field, info in model.model_fields.items():
        nested = info.annotation
        if isinstance(nested, type) and issubclass(nested, BaseModel):
            yield from _known(nested, f"{prefix}{field.upper()}__", (*path, field), older_names)
            continue
        name, *aliases = _names(info) or [prefix + field.upper()]
        is_secret = _holds(info.annotation, SecretStr)
        yield KnownSetting(
            name=name,
            aliases=tuple(aliases),
            older_names=tuple(older for older, today in older_names.items() if today == name),
            default=None if info.default_factory else _written(info.default),
            description=info.description or "",
            is_secret=is_secret,
            path=(*path, field),
        )


def _names(info: FieldInfo) -> list[str]:
    alias = info.validation_alias
    if isinstance(alias, AliasChoices):
        return [str(choice) for choice in alias.choices]
    return [alias] if isinstance(alias, str) else []


def _holds(annotation: object, kind: type) -> bool:
    return annotation is kind or any(_holds(part, kind) for part in get_args(annotation))


def _value(known: KnownSetting, settings: ServiceSettings | None) -> str | None:
    """None: there are no settings, since something is wrong."""
    if settings is None:
        return None
    value: Any = settings
    for part in known.path:
        value = getattr(value, part)
    written = _written(value)
    return HIDDEN if known.is_secret and written else written


def _written(value: object) -> str:
    """As an env file has it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return json.dumps(value) if isinstance(value, dict) else str(value)


def _lines(known: KnownSetting, value: str | None) -> str:
    default = "it depends on the host" if known.default is None else known.default or "nothing"
    said = [known.description, "A secret: a credential, no line of an env file." if known.is_secret else ""]
    said += [f"Default: {default}."]
    said += [f"Also {', '.join(known.aliases)}." if known.aliases else ""]
    said += [f"Older: {', '.join(known.older_names)}." if known.older_names else ""]
    shown = known.name if value is None else f"{known.name}={value}"
    return f"{shown}\n    {' '.join(part for part in said if part)}\n"
