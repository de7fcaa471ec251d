"""Shows what the services wrote: from the journal, or from the files of a demo in the foreground."""

import json
import os
import shutil
import subprocess
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, NoReturn

from juniper_ctl import scope, systemctl
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.locations import Locations
from juniper_ctl.services import Service, of_this_host
from juniper_ctl.table import printable

LEVELS = {"critical": 2, "error": 3, "warning": 4, "info": 6, "debug": 7}
"""The program's levels, and the journal's priorities for them."""

CONTEXT = ("run", "dataset", "request", "phase")
"""What a line may say that it belongs to; the journal's fields are JUNIPER_RUN and so on."""


TASKS = ("juniper-backup", "juniper-retention", "juniper-restore-test", "juniper-data-sweep")
"""What timers start beside the services, by its syslog identifiers."""

_WARNING = range(LEVELS["warning"] + 1)


@dataclass(frozen=True, slots=True)
class Query:
    """What is to be shown."""

    services: Sequence[Service]
    lines: int = 50
    """The last so many, where no time is given."""
    since: str | None = None
    follow: bool = False
    level: str | None = None
    """The least of `LEVELS`."""
    pattern: str | None = None
    """A regular expression in the message, as journalctl takes it."""
    about: Mapping[str, str] = field(default_factory=dict)
    """Of `CONTEXT`: what the lines must belong to."""

    def in_journal(self) -> list[str]:
        """The call of journalctl; with all services it brings what is written beside them too: alerts, tasks, checks.

        Of the health checks those alone that found something: each half minute one that did not would hide the rest.
        """
        command = ["journalctl", "--quiet", "--no-pager", "--all", "--output=json"]
        command += [f"--since={self.since}"] if self.since else [f"--lines={self.lines}"]
        command += [f"--priority={LEVELS[self.level]}"] if self.level else []
        command += [f"--grep={self.pattern}"] if self.pattern is not None else []
        command += ["--follow"] if self.follow else []
        names = [service.command for service in self.services]
        if tuple(self.services) != of_this_host():
            return [*command, *self._from(names, names)]
        checks = [f"juniper-health@{service.name}" for service in self.services]
        told = [f"juniper-{kind}@{name}" for kind in ("alert", "recovered") for name in (*names, *TASKS, *checks)]
        found = [f"PRIORITY={priority}" for priority in _WARNING]
        return [
            *command,
            *self._from([*names, *TASKS, "juniper-alert"], [*names, *TASKS, *told]),
            "+",
            *self._from(["juniper-health"], checks),
            *found,
        ]

    def _from(self, identifiers: Sequence[str], units: Sequence[str]) -> list[str]:
        """What the entries of these have; journalctl takes one of each field, and all of the fields."""
        # The services of other users have the same names.
        mine = scope.chosen() == "user"
        return [
            *(f"SYSLOG_IDENTIFIER={identifier}" for identifier in identifiers),
            *([f"_UID={os.getuid()}"] if mine else [f"_SYSTEMD_UNIT={unit}.service" for unit in units]),
            *(f"JUNIPER_{name.upper()}={value}" for name, value in self.about.items()),
        ]

    def in_files(self, files: Sequence[str]) -> list[str]:
        """The call of tail.

        Raises:
            ControlError: files cannot be asked for that.
        """
        options = {"--since": self.since, "--level": self.level, "--grep": self.pattern}
        asked = [name for name, value in options.items() if value is not None]
        asked += [f"--{name}" for name in self.about]
        if asked:
            raise _needs_journal(asked[0], files)
        return ["tail", "-n", str(self.lines), *(["-F"] if self.follow else []), "--", *files]


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of the journal, as `--json` prints it."""

    time: str
    """With its zone."""
    service: str
    level: str
    message: str
    logger: str | None
    """Null for what did not come from the program itself, as an alert."""
    run: str | None
    dataset: str | None
    request: str | None
    phase: str | None

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> "Line":
        """What of an entry is ours."""
        priority = int(_text(entry.get("PRIORITY")) or 6)
        level = next((name for name, value in LEVELS.items() if priority <= value), "debug")
        written_us = entry.get("_SOURCE_REALTIME_TIMESTAMP") or entry["__REALTIME_TIMESTAMP"]
        written = datetime.fromtimestamp(int(_text(written_us) or 0) / 1e6).astimezone()
        return cls(
            time=written.isoformat(timespec="milliseconds"),
            service=(_text(entry.get("SYSLOG_IDENTIFIER")) or "").removeprefix("juniper-"),
            level=level.upper(),
            message=_text(entry.get("MESSAGE")) or "",
            logger=_text(entry.get("LOGGER")),
            **{name: _text(entry.get(f"JUNIPER_{name.upper()}")) for name in CONTEXT},
        )

    def shown(self, known: Collection[str] = ()) -> str:
        """For a terminal, without that of `CONTEXT` that is known; further lines of a message stand to the right."""
        time = self.time[:19].replace("T", " ")
        told = {name: getattr(self, name) for name in CONTEXT if name not in known}
        belongs = "".join(f" {name}={value}" for name, value in told.items() if value)
        first, *others = [printable(line) for line in self.message.split("\n")]
        text = "\n    ".join([first + printable(belongs), *others])
        return f"{time} {self.service:<6} {self.level:<8} {text}"


def logs(query: Query, *, as_json: bool) -> Exit:
    """Print the lines; where nothing but files is there, become `tail`.

    Raises:
        ControlError: there is nothing that could be asked, or it cannot be asked that.
    """
    if not (systemctl.manager_answers() and shutil.which("journalctl")):
        _tail(query, as_json=as_json)
    n_shown = 0
    with _entries(query) as entries:
        for line in map(Line.of, entries):
            print(json.dumps(asdict(line)) if as_json else line.shown(known=query.about), flush=query.follow)
            n_shown += 1
    if not n_shown and not as_json:
        is_barred = scope.chosen() == "system" and os.geteuid() != 0
        print("no line is there that was asked for" + (", or that you may read: try it as root" if is_barred else ""))
    return Exit.OK


@contextmanager
def _entries(query: Query) -> Iterator[Iterable[dict[str, Any]]]:
    command = query.in_journal()
    # C: what it says is compared below.
    environment = os.environ | {"LC_ALL": "C.UTF-8"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", env=environment
    ) as journalctl:
        assert journalctl.stdout is not None  # noqa: S101 - as was asked for
        assert journalctl.stderr is not None  # noqa: S101
        entries = map(json.loads, journalctl.stdout)
        try:
            # It looks for the last ones that match from the end, and then writes them so.
            is_backwards = query.pattern is not None and query.since is None and not query.follow
            yield reversed(list(entries)) if is_backwards else entries
            complaint = journalctl.stderr.read().strip()
        finally:
            journalctl.terminate()  # One that follows would wait for ever for whom it could write to.
    if complaint:
        raise _refused(complaint)


def _refused(complaint: str) -> ControlError:
    if "insufficient permissions" in complaint:
        return ControlError(
            "you may not read the journal: it is kept in memory alone, where its entries are not parted by user",
            next_command="sudo mkdir -p /var/log/journal && sudo journalctl --flush"
            "   (or: sudo usermod -aG systemd-journal $USER, and log in anew)",
            code=Exit.PERMISSION,
        )
    return ControlError(f"journalctl: {complaint}", next_command="juniper-ctl logs --help", code=Exit.USAGE)


def _tail(query: Query, *, as_json: bool) -> NoReturn:
    folder = Locations.of(os.environ).logs
    files = [str(path) for service in query.services if (path := folder / f"{service.name}.log").is_file()]
    if not files:
        raise ControlError(
            f"no systemd {scope.chosen()} manager answers, and there is no log in {folder}",
            next_command="juniper-ctl demo",
            code=Exit.NO_BUS,
        )
    if as_json:
        raise _needs_journal("--json", files)
    command = query.in_files(files)
    os.execvp(command[0], command)  # noqa: S606 - no shell is wanted


def _needs_journal(option: str, files: Sequence[str]) -> ControlError:
    return ControlError(
        f"{option} needs the journal, and no systemd {scope.chosen()} manager answers: there are files alone",
        next_command=f"less {' '.join(files)}",
        code=Exit.NO_BUS,
    )


def _text(value: object) -> str | None:
    """An array holds the bytes of what is no text, or the values of a field that an entry has twice."""
    if isinstance(value, list):
        if value and isinstance(value[0], int):
            return bytes(value).decode("utf-8", "replace")
        return _text(value[0]) if value else None
    return None if value is None else str(value)
