"""Installs a release for this user: code, unit files, what the units read. A second time it changes nothing."""

import difflib
import os
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from juniper_ctl import interpreter, scope, systemctl, unit_files
from juniper_ctl.checkout import Checkout
from juniper_ctl.errors import ControlError
from juniper_ctl.locations import Locations
from juniper_ctl.progress import Report, say
from juniper_ctl.release import Release, locked, prune, write_atomically
from juniper_ctl.release_source import Bundle, CheckoutSource, ReleaseSource
from juniper_ctl.services import Service, of_this_host
from juniper_ctl.status import release_of_process
from juniper_ctl.unit_files import Change


@dataclass(frozen=True, slots=True)
class Plan:
    """What has to change for a release to be the one that the units start."""

    release: Release
    is_made: bool
    """The release is there; it need not be made."""
    settings: Mapping[Path, str]
    """Files that the units read, to be written where none are."""
    files: Mapping[str, str]
    """The unit files that are to be there."""
    units: Sequence[Change]
    """What of them is not so."""
    current: str | None
    """The release that is current before."""

    @classmethod
    def of(cls, release: Release, root: Path, services: Collection[Service], locations: Locations) -> "Plan":
        """What `root`, a checkout, a bundle or a release's own files, has for these services."""
        files = unit_files.wanted(root, locations, services)
        return cls(
            release=release,
            is_made=release.is_whole(),
            settings=_missing_settings(root, services, locations),
            files=files,
            units=unit_files.changes(files, locations),
            current=locations.current.readlink().name if locations.current.is_symlink() else None,
        )

    def changes_something(self) -> bool:
        """It is not all so already."""
        return bool(not self.is_made or self.settings or self.units or self.current != self.release.version)

    def as_json(self) -> dict[str, object]:
        """For programs."""
        return {
            "release": self.release.version,
            "changes": self.changes_something(),
            "makes_release": not self.is_made,
            "settings": [str(path) for path in self.settings],
            "units": [
                {"path": str(change.path), "before": change.before, "after": change.after} for change in self.units
            ],
            "current": self.current,
        }

    def as_text(self) -> str:
        """For a person, a unified diff where it is a file."""
        told = [
            *([] if self.is_made else [f"release   would be made: {self.release.folder}"]),
            *(f"settings  would be written: {path}" for path in self.settings),
            *map(_unified, self.units),
            *([] if self.current == self.release.version else [f"current   would be {self.release.version}"]),
        ]
        return "\n".join(told or [f"install   {self.release.version} is installed already, nothing would change"])


@dataclass(frozen=True, slots=True)
class Install:
    """What the person asked for."""

    wheelhouse: Path | None = None
    extras: Sequence[str] = ()
    python: Path | None = None
    services: Collection[Service] = ()
    """Those that this host is to have; none: those that it has, or all where nothing is installed."""

    def run(self, report: Report = say) -> Plan:
        """Install; returns what was to change, and has.

        Raises:
            ControlError: something failed. What was current before still is.
        """
        locations = Locations.of(os.environ)
        with locked(locations):
            source, python, plan = self._plan(set_up=True, locations=locations)
            if not plan.is_made:
                _make(plan.release, source, python, report)
            if plan.current not in (None, plan.release.version):
                plan.release.note_before(plan.current)
            put_in_place(plan, locations, report)
        if not plan.changes_something():
            report("install", f"{plan.release.version} is installed already, nothing changed")
        return plan

    def prepare(self, report: Report = say) -> Plan:
        """Make the release alone: what is current stays so, and so do the unit files.

        Raises:
            ControlError: that failed.
        """
        locations = Locations.of(os.environ)
        with locked(locations):
            source, python, plan = self._plan(set_up=True, locations=locations)
            if not plan.is_made:
                _make(plan.release, source, python, report)
        if plan.is_made:
            report("release", f"{plan.release.version} is made already, nothing changed")
        return plan

    def diff(self) -> Plan:
        """What `run` would change; nothing is.

        Raises:
            ControlError: there is nothing to install from.
        """
        return self._plan(set_up=False, locations=Locations.of(os.environ))[-1]

    def _plan(self, *, set_up: bool, locations: Locations) -> tuple[ReleaseSource, interpreter.Interpreter, Plan]:
        source = self._source(set_up=set_up)
        python = interpreter.for_release(given=self.python, wanted=source.python)
        services = self.services or of_this_host(locations)
        return source, python, Plan.of(Release.of(source, python, locations), source.root, services, locations)

    def _source(self, *, set_up: bool) -> ReleaseSource:
        if self.wheelhouse is not None:
            return self._bundle(self.wheelhouse)
        checkout = Checkout.require()
        if (checkout.root / Bundle.DESCRIPTION).is_file():
            return self._bundle(checkout.root)
        if set_up:
            checkout.set_up()
        return CheckoutSource(checkout, extras_for_this_machine(self.extras))

    def _bundle(self, root: Path) -> Bundle:
        bundle = Bundle.open(root)
        lacking = sorted(set(self.extras) - set(bundle.extras))
        if lacking:
            options = " ".join(f"--extra {extra}" for extra in sorted({*bundle.extras, *lacking}))
            raise ControlError(
                f"{root} was made without {', '.join(lacking)}", next_command=f"juniper-ctl bundle {options}"
            )
        return bundle


def extras_for_this_machine(asked: Sequence[str]) -> tuple[str, ...]:
    """What was asked for, and `gpu` where there is an NVIDIA device."""
    found = {"gpu"} if Path("/dev/nvidiactl").exists() else set()
    return tuple(sorted({*asked, *found}))


def put_in_place(plan: Plan, locations: Locations, report: Report) -> None:
    """Write settings and units, and make the release current. Restarts nobody: a training may be under way.

    Raises:
        ControlError: systemd does not read the units.
    """
    _write_settings(plan.settings, locations, report)
    _write_units(plan, locations, report)
    _switch(plan, locations, report)
    older = [name for name, running in running_releases(locations) if running != plan.release.version]
    if plan.changes_something() and older:
        report("running", f"{', '.join(older)} from another release until: juniper-ctl restart")


def running_releases(locations: Locations) -> list[tuple[str, str]]:
    """The services that run, each with the release that it was started from."""
    if not systemctl.manager_answers():
        return []
    services = of_this_host(locations)
    states = systemctl.show([service.unit for service in services])
    pids = [(service.name, state.number("MainPID") or 0) for service, state in zip(services, states, strict=True)]
    return [(name, running) for name, pid in pids if pid and (running := release_of_process(pid))]


def _make(release: Release, source: ReleaseSource, python: interpreter.Interpreter, report: Report) -> None:
    extras = f" and {', '.join(source.extras)}" if source.extras else ""
    report("release", f"making {release.version} with {python.path}{extras}")
    began = time.monotonic()
    release.make(source, python)
    report("release", f"made in {time.monotonic() - began:.0f} s: {release.folder}")


def _missing_settings(root: Path, services: Collection[Service], locations: Locations) -> dict[Path, str]:
    """The files that the units read, where none are: what a person wrote stays."""
    examples = sorted((root / "conf").glob("*.env.example"))
    wanted = {locations.configuration / path.stem: path.read_text(encoding="utf-8") for path in examples}
    for service in services:
        wanted[locations.configuration / f"{service.name}.env"] = ""
        wanted.update({locations.credentials / name: "" for name in service.credentials})
    return {path: text for path, text in wanted.items() if not path.exists()}


def _write_settings(missing: Mapping[Path, str], locations: Locations, report: Report) -> None:
    locations.configuration.mkdir(mode=0o700, parents=True, exist_ok=True)
    locations.credentials.mkdir(mode=0o700, exist_ok=True)
    for path, text in missing.items():
        write_atomically(path, text, mode=0o600)
    if missing:
        report("settings", f"{_files(len(missing))} written in {locations.configuration}")


def _write_units(plan: Plan, locations: Locations, report: Report) -> None:
    """Write the unit files that differ, remove those of an earlier version, and have systemd read them again."""
    unit_files.write(plan.files, plan.units, locations)
    if not plan.units:
        return
    answers = systemctl.manager_answers()
    if answers:
        systemctl.tell("daemon-reload", next_command="juniper-ctl install")
    said = "" if answers else f"; no systemd {scope.chosen()} manager answers that would read them"
    report("units", f"{_files(len(plan.units))} changed in {locations.units}{said}")


def _switch(plan: Plan, locations: Locations, report: Report) -> None:
    _link_command(locations, report)
    if plan.current == plan.release.version:
        return
    plan.release.make_current(locations)
    report("current", plan.release.version)
    removed = prune(locations, {running for _, running in running_releases(locations)} | {plan.current or ""})
    if removed:
        report("release", f"removed, since {len(removed)} more than kept: {', '.join(removed)}")


def _link_command(locations: Locations, report: Report) -> None:
    target = locations.current / "bin/juniper-ctl"
    link = locations.command
    if link.is_symlink() and link.readlink() == target:
        return
    if link.exists() and not link.is_symlink():
        report("command", f"{link} is not a link, left as it is")
        return
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(target)


def _unified(change: Change) -> str:
    before, after = ((text or "").splitlines() for text in (change.before, change.after))
    old = "/dev/null" if change.before is None else str(change.path)
    new = "/dev/null" if change.after is None else str(change.path)
    return "\n".join(difflib.unified_diff(before, after, old, new, lineterm=""))


def _files(count: int) -> str:
    return f"{count} file{'' if count == 1 else 's'}"
