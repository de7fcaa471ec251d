"""Installs a release for this user: code, unit files, what the units read. A second time it changes nothing."""

import difflib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from juniper_ctl import interpreter, scope, systemctl, unit_files
from juniper_ctl.checkout import Checkout
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.locations import Locations
from juniper_ctl.progress import say
from juniper_ctl.release import Release, locked, prune, write_atomically
from juniper_ctl.release_source import Bundle, CheckoutSource, ReleaseSource
from juniper_ctl.services import SERVICES
from juniper_ctl.status import release_of_process
from juniper_ctl.unit_files import Change


@dataclass(frozen=True, slots=True)
class Install:
    """What the person asked for."""

    wheelhouse: Path | None = None
    extras: Sequence[str] = ()
    python: Path | None = None

    def run(self) -> Exit:
        """Install, and say what changed.

        Raises:
            ControlError: something failed. What was current before still is.
        """
        locations = Locations.of(os.environ)
        with locked(locations):
            source = self._source(set_up=True)
            python = interpreter.for_release(given=self.python, wanted=source.python)
            release = Release.of(source, python, locations)
            changes = [
                _make(release, source, python),
                _write_settings(source, locations),
                _write_units(source, locations),
                _switch(release, locations),
            ]
        if any(changes):
            _tell_what_still_runs(release)
        else:
            say("install", f"{release.version} is installed already, nothing changed")
        return Exit.OK

    def diff(self) -> Exit:
        """Print what `run` would change, as a unified diff where it is a file, and change nothing.

        Raises:
            ControlError: there is nothing to install from.
        """
        locations = Locations.of(os.environ)
        source = self._source(set_up=False)
        release = Release.of(source, interpreter.for_release(given=self.python, wanted=source.python), locations)
        told = [
            *([] if release.is_whole() else [f"release   would be made: {release.folder}"]),
            *(f"settings  would be written: {path}" for path in _missing_settings(source, locations)),
            *map(_unified, unit_files.changes(unit_files.wanted(source.root, locations), locations)),
            *([] if release.is_current(locations) else [f"current   would be {release.version}"]),
        ]
        print("\n".join(told or [f"install   {release.version} is installed already, nothing would change"]))
        return Exit.OK

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


def _make(release: Release, source: ReleaseSource, python: interpreter.Interpreter) -> bool:
    if release.is_whole():
        return False
    say("release", f"making {release.version} with {python.path}{_with(source.extras)}")
    began = time.monotonic()
    release.make(source, python)
    say("release", f"made in {time.monotonic() - began:.0f} s: {release.folder}")
    return True


def _with(extras: Sequence[str]) -> str:
    return f" and {', '.join(extras)}" if extras else ""


def _missing_settings(source: ReleaseSource, locations: Locations) -> dict[Path, str]:
    """The files that the units read, where none are: what a person wrote stays."""
    examples = sorted((source.root / "conf").glob("*.env.example"))
    wanted = {locations.configuration / path.stem: path.read_text(encoding="utf-8") for path in examples}
    for service in SERVICES:
        wanted[locations.configuration / f"{service.name}.env"] = ""
        wanted.update({locations.credentials / name: "" for name in service.credentials})
    return {path: text for path, text in wanted.items() if not path.exists()}


def _write_settings(source: ReleaseSource, locations: Locations) -> bool:
    locations.configuration.mkdir(mode=0o700, parents=True, exist_ok=True)
    locations.credentials.mkdir(mode=0o700, exist_ok=True)
    missing = _missing_settings(source, locations)
    for path, text in missing.items():
        write_atomically(path, text, mode=0o600)
    if missing:
        say("settings", f"{_files(len(missing))} written in {locations.configuration}")
    return bool(missing)


def _write_units(source: ReleaseSource, locations: Locations) -> bool:
    """Write the unit files that differ, remove those of an earlier version, and have systemd read them again."""
    changed = unit_files.write(unit_files.wanted(source.root, locations), locations)
    if not changed:
        return False
    answers = systemctl.manager_answers()
    if answers:
        systemctl.tell("daemon-reload", next_command="juniper-ctl install")
    said = "" if answers else f"; no systemd {scope.chosen()} manager answers that would read them"
    say("units", f"{_files(len(changed))} changed in {locations.units}{said}")
    return True


def _switch(release: Release, locations: Locations) -> bool:
    link_changed = _link_command(locations)
    if release.is_current(locations):
        return link_changed
    release.make_current(locations)
    say("current", release.version)
    removed = prune(locations, {running for _, running in _running_releases()})
    if removed:
        say("release", f"removed, since {len(removed)} more than kept: {', '.join(removed)}")
    return True


def _link_command(locations: Locations) -> bool:
    target = locations.current / "bin/juniper-ctl"
    link = locations.command
    if link.is_symlink() and link.readlink() == target:
        return False
    if link.exists() and not link.is_symlink():
        say("command", f"{link} is not a link, left as it is")
        return False
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(target)
    return True


def _running_releases() -> list[tuple[str, str]]:
    if not systemctl.manager_answers():
        return []
    states = systemctl.show([service.unit for service in SERVICES])
    pids = [(service.name, state.number("MainPID") or 0) for service, state in zip(SERVICES, states, strict=True)]
    return [(name, running) for name, pid in pids if pid and (running := release_of_process(pid))]


def _tell_what_still_runs(release: Release) -> None:
    older = [name for name, running in _running_releases() if running != release.version]
    if older:
        say("running", f"{', '.join(older)} from an earlier release until: juniper-ctl restart")


def _unified(change: Change) -> str:
    before, after = ((text or "").splitlines() for text in (change.before, change.after))
    old = "/dev/null" if change.before is None else str(change.path)
    new = "/dev/null" if change.after is None else str(change.path)
    return "\n".join(difflib.unified_diff(before, after, old, new, lineterm=""))


def _files(count: int) -> str:
    return f"{count} file{'' if count == 1 else 's'}"
