"""Looks through the env files: names that no service knows, values that one refuses, lines that are read otherwise."""

import difflib
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from juniper_ctl import profiles
from juniper_ctl.backups import settings as backup_settings
from juniper_ctl.doctor.findings import Finding, Level
from juniper_ctl.env_file import Assignment, assignments, environment_of, files_of, text_of
from juniper_ctl.errors import ControlError
from juniper_ctl.locations import Locations
from juniper_ctl.programs import NoAnswerError, ask, program_of
from juniper_ctl.services import SERVICES, Service

_TIMEOUT_S = 60
_NEAR = 0.8
"""How like a known name an unknown one is that is taken for a slip of the pen."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that was found."""

    level: Level
    file: str
    line: int | None
    """None: it is about the whole file, or about what the files say together."""
    name: str
    reason: str
    next_command: str = ""

    def as_finding(self) -> Finding:
        """For doctor, and for a person."""
        where = f"{self.file}:{self.line}" if self.line else self.file
        return Finding(self.level, f"{where}: {f'{self.name} ' if self.name else ''}{self.reason}", self.next_command)


@dataclass(frozen=True, slots=True)
class Names:
    """What the services' programs told of their settings."""

    of_service: Mapping[str, frozenset[str]]
    older: Mapping[str, str]
    """The name of today for each older one."""
    secret: frozenset[str]

    @classmethod
    def of(cls, reports: Sequence[dict[str, Any]]) -> "Names":
        """Read the reports of `juniper-X settings`."""
        settings = [(report["service"], each) for report in reports for each in report["settings"]]
        of_service: dict[str, set[str]] = {}
        for service, each in settings:
            of_service.setdefault(service, set()).update([each["name"], *each["aliases"], *each["older_names"]])
        return cls(
            of_service={service: frozenset(names) for service, names in of_service.items()},
            older={older: each["name"] for _, each in settings for older in each["older_names"]},
            secret=frozenset(each["name"] for _, each in settings if each["is_secret"]),
        )


def check(locations: Locations) -> list[Fault]:
    """Everything that is wrong, in the order of the files; what no program could be asked about is said."""
    names, refused = _ask_programs(locations)
    faults = [*refused, *_refused_here(locations)]
    for path, services in profiles.env_files(locations).items():
        faults += _modes(path)
        faults += lines_of(path.name, text_of(path))
        if names is not None:
            faults += names_of(path.name, text_of(path), services, names)
    return sorted(set(faults), key=lambda fault: (fault.file, fault.line or 0, fault.name, fault.reason))


def _refused_here(locations: Locations) -> Iterator[Fault]:
    """What no service reads, but the commands that start and back up."""
    for read in (lambda: profiles.said({}, locations), lambda: backup_settings.BackupSettings.read({}, locations)):
        try:
            read()
        except ControlError as error:
            file = locations.configuration / "juniper.env"
            name, _, reason = error.message.partition("=")
            lines = [each.line for each in assignments(text_of(file)) if each.is_read and each.name == name]
            yield Fault("wrong", file.name, lines[-1] if lines else None, name, f"is refused: {reason}")


def lines_of(file: str, text: str) -> Iterator[Fault]:
    """Lines that systemd ignores, or reads otherwise than they look."""
    lines: dict[str, int] = {}
    for comment in re.finditer(r"^[ \t]*[#;].*\\\n", text, re.M):
        number = text.count("\n", 0, comment.start()) + 1
        yield Fault("wrong", file, number, "", "a comment that ends with \\ hides the next line before systemd 254")
    for each in assignments(text):
        name = each.name if each.has_equals else ""
        if why := _misread(each):
            yield Fault("wrong", file, each.line, name, why)
        if each.is_read and each.name in lines:
            yield Fault("wrong", file, each.line, name, f"is set in line {lines[each.name]} too, which does not count")
        lines[each.name] = each.line


def _misread(each: Assignment) -> str:
    if not each.has_equals:
        return f"there is no = in {each.name!r}: the line is ignored"
    if each.name.startswith("export "):
        return "is ignored: write it without export, since no shell reads this"
    if not each.is_read:
        return "is no name of a variable: the line is ignored"
    if each.is_open:
        return "has a quote that nothing closes: all that follows is its value"
    if "\n" in each.value:
        return "has a quote that only a later line closes"
    if each.after_quote:
        return f"goes on after its closing quote: {each.after_quote!r} is part of the value"
    if re.search(r"\s#", each.value):
        return "has a # in its value: a comment is a line of its own"
    if re.search(r"\$(\w|\{)", each.value):
        return "has a $ in its value: nothing is put in its place here"
    return ""


def names_of(file: str, text: str, services: Sequence[Service], names: Names) -> Iterator[Fault]:
    """Names that no service which reads the file knows; older ones; secrets."""
    read = set(backup_settings.DEFAULTS).union(*(names.of_service.get(service.name, ()) for service in services))
    known = {name for each in names.of_service.values() for name in each}
    for each in assignments(text):
        if not each.is_read:
            continue
        near = difflib.get_close_matches(each.name.upper(), read, 1, _NEAR)
        if each.name in names.secret:
            credential = each.name.lower()
            why = "is a secret, and the environment of a process is no place for one: make it a credential"
            yield Fault("wrong", file, each.line, each.name, why, f"juniper-ctl credentials set {credential}")
        elif each.name in read:
            if each.name in names.older:
                yield Fault("ok", file, each.line, each.name, f"works, and is called {names.older[each.name]} today")
        elif each.name in known:
            why = f"is no setting of {services[0].name}, which alone reads this file"
            yield Fault("wrong", file, each.line, each.name, why)
        elif near:
            yield Fault("wrong", file, each.line, each.name, f"is no setting; {near[0]} is one")
        elif each.name.startswith("JUNIPER_"):
            yield Fault("wrong", file, each.line, each.name, "is no setting")
        else:
            yield Fault("ok", file, each.line, each.name, "is none of Juniper's settings, and is passed on")


def _modes(path: Path) -> list[Fault]:
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        return [Fault("wrong", path.name, None, "", "others can read or write it", f"chmod 600 {path}")]
    return []


def _ask_programs(locations: Locations) -> tuple[Names | None, list[Fault]]:
    """What each service says of the profiles that have a file, asked side by side; of the chosen one at least."""
    there = [each for each in profiles.TARGETS if (locations.configuration / f"{each}.env").is_file()]
    asked: Sequence[str | None] = there or [None]
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda service: _ask(service, asked, locations), SERVICES))
    faults = [answer for answer in answers if isinstance(answer, Fault)]
    told = [(service, answer) for service, answer in zip(SERVICES, answers, strict=True) if isinstance(answer, list)]
    for service, reports in told:
        for profile, report in zip(asked, reports, strict=True):
            faults += [_located(problem, report, service, profile, locations) for problem in report["problems"]]
    return Names.of([reports[0] for _, reports in told]) if len(told) == len(SERVICES) else None, faults


def _ask(service: Service, asked: Sequence[str | None], locations: Locations) -> list[dict[str, Any]] | Fault:
    """One report for each of the profiles."""
    program = program_of(service, locations)
    if program is None:
        return Fault(
            "unknown",
            f"{service.name}.env",
            None,
            "",
            "no release that could be asked for names",
            "juniper-ctl install",
        )
    environment = {name: os.environ[name] for name in ("HOME", "PATH", "LANG") if name in os.environ}
    if locations.credentials.is_dir():
        environment["CREDENTIALS_DIRECTORY"] = str(locations.credentials)
    try:
        said = [environment_of(service, locations, profile=profile) for profile in asked]
        answer = ask(program, "settings", "--each", environment=environment, timeout_s=_TIMEOUT_S, given=said)
        return list(answer["reports"])
    except NoAnswerError as error:
        why = f"{program} does not say what can be set: {error}"
        return Fault("unknown", f"{service.name}.env", None, "", why, "juniper-ctl install")


def _located(
    problem: dict[str, str], report: dict[str, Any], service: Service, profile: str | None, locations: Locations
) -> Fault:
    """A service's complaint, where the line stands that it is about: the last one that counts."""
    known = next((each for each in report["settings"] if each["name"] == problem["name"]), None)
    names = [known["name"], *known["aliases"], *known["older_names"]] if known else [problem["name"]]
    for name in names:
        for path in reversed(files_of(service, locations, profile)):
            lines = [each.line for each in assignments(text_of(path)) if each.is_read and each.name == name]
            if lines:
                return Fault("wrong", path.name, lines[-1], name, f"is refused by {service.name}: {problem['reason']}")
    file = f"{profile}.env" if profile else "juniper.env"
    if known and known["is_secret"]:
        file = "credentials"
    return Fault("wrong", file, None, problem["name"], f"is refused by {service.name}: {problem['reason']}")
