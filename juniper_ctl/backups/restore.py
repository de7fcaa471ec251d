"""Puts a backup in the place of what the services keep; what was there stays beside it."""

import os
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from juniper_ctl import control, systemctl
from juniper_ctl.backups import check
from juniper_ctl.backups.backup import state_folder
from juniper_ctl.backups.folder import LATEST, BackupFolder, name_at, sync_folders
from juniper_ctl.backups.manifest import Manifest
from juniper_ctl.backups.restore_plan import Exchange, RestorePlan, refuse_in_use, refuse_unfinished
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.locations import Locations
from juniper_ctl.progress import say
from juniper_ctl.services import Service, named, of_this_host


def restore(
    name: str | None, services: Sequence[Service], source: Path | None, *, yes: bool, even_damaged: bool
) -> Exit:
    """Restore services from a backup; first of all, end what an interrupted call began.

    The services that run are stopped for it, once all is checked and laid ready, and started again.

    Raises:
        ControlError: it is not restored, unless the message says so.
    """
    locations = Locations.of(os.environ)
    folder = BackupFolder.of(source, locations)
    with folder.locked():
        unfinished = RestorePlan.read(folder)
        if unfinished is not None:
            carry_out(unfinished, folder)
        if name is None:
            if unfinished is None:
                raise ControlError("restore which one?", next_command="juniper-ctl backup list", code=Exit.USAGE)
            return Exit.OK
        backup = folder.named(name)
        manifest = check.manifest_of(backup)
        chosen = _in_backup(services, manifest)
        running = _running()
        _confirm(chosen, running, manifest, source, yes=yes)
        exchanges = _lay_ready(chosen, running, backup, manifest, locations, even_damaged=even_damaged)
        plan = RestorePlan(manifest.name, exchanges, [service.name for service in running])
        plan.write(folder)
        carry_out(plan, folder)
    return Exit.OK


def restore_test(name: str | None, services: Sequence[Service], source: Path | None) -> Exit:
    """Restore into a scratch folder, open it there, and leave everything as it is.

    Raises:
        ControlError: the backup is of no use.
    """
    locations = Locations.of(os.environ)
    folder = BackupFolder.of(source, locations)
    began = time.monotonic()
    with folder.locked():
        refuse_unfinished(folder)
        backup = folder.named(name or LATEST)
        manifest = check.manifest_of(backup)
        with tempfile.TemporaryDirectory(dir=folder.path, prefix=f".check-{manifest.name}-") as scratch:
            chosen = _in_backup(services, manifest)
            for line in check.opened(chosen, backup, manifest, Path(scratch), locations):
                say("check", line)
    say("check", f"{manifest.name} restores and opens, in {time.monotonic() - began:.1f} s")
    return Exit.DEGRADED if manifest.problems else Exit.OK


def _in_backup(services: Sequence[Service], manifest: Manifest) -> list[Service]:
    chosen = [service for service in services if service.name in manifest.services]
    if not chosen:
        raise ControlError(f"{manifest.name} has none of these services", next_command="juniper-ctl backup list")
    return chosen


def _running() -> list[Service]:
    """The services that systemd runs."""
    if not systemctl.manager_answers():
        return []
    services = of_this_host()
    states = systemctl.show([service.unit for service in services])
    return [
        service for service, state in zip(services, states, strict=True) if state.active not in ("inactive", "failed")
    ]


def _confirm(
    chosen: Sequence[Service], running: Sequence[Service], manifest: Manifest, source: Path | None, *, yes: bool
) -> None:
    names = ", ".join(service.name for service in chosen)
    stopped = f", which stops {', '.join(service.name for service in running)} for a moment" if running else ""
    if yes:
        return
    if not sys.stdin.isatty():
        # No service more than was asked for, and from where it was asked for.
        words = [manifest.name, *(service.name for service in chosen if tuple(chosen) != of_this_host())]
        words += ["--from", str(source)] if source else []
        raise ControlError(
            f"this puts {manifest.name} in the place of the state of {names}{stopped}",
            next_command=f"juniper-ctl restore {shlex.join(words)} --yes",
            code=Exit.USAGE,
        )
    answer = input(f"Put {manifest.name} in the place of the state of {names}{stopped}? [y/N] ")
    if answer.strip().lower() not in ("y", "yes"):
        raise ControlError("nothing was restored", next_command="juniper-ctl backup list")


def _lay_ready(
    chosen: Sequence[Service],
    running: Sequence[Service],
    backup: Path,
    manifest: Manifest,
    locations: Locations,
    *,
    even_damaged: bool,
) -> list[Exchange]:
    """Copy each state beside the one that is there, and open it."""
    exchanges = []
    at = name_at(time.time())
    for service in chosen:
        state = state_folder(service, locations)
        if state.is_mount():
            raise ControlError(
                f"{state} is a file system of its own, which cannot change its name",
                next_command=f"juniper-ctl stop {service.name} && cp -a {backup / service.name}/. {state}/",
            )
        if service not in running:
            refuse_in_use(service.name, state)
        staging = state.with_name(f".{state.name}.restored")
        shutil.rmtree(staging, ignore_errors=True)
        staging.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            check.stage(service, backup, manifest, staging)
            said = check.open_staged(service, staging, locations, even_damaged=even_damaged)
            _give_to_owner(staging, state)
            sync_folders(staging)
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise
        say(service.name, said)
        aside = state.with_name(f"{state.name}.before-{at}")
        exchanges.append(Exchange(service.name, str(state), str(staging), str(aside), staging.stat().st_ino))
    return exchanges


def _give_to_owner(staging: Path, state: Path) -> None:
    """What root restores belongs to whom the service runs as."""
    if os.getuid() != 0 or not state.exists():
        return
    owner = state.stat()
    for path in (staging, *staging.rglob("*")):
        os.chown(path, owner.st_uid, owner.st_gid)


def carry_out(plan: RestorePlan, folder: BackupFolder) -> None:
    """Bring all states of a plan to the new ones, and start what ran; from wherever an earlier call was interrupted.

    Raises:
        ControlError: a service cannot be stopped or started; the message says whether the states are restored.
    """
    began = time.monotonic()
    restored = named(exchange.service for exchange in plan.exchanges)
    if _running():
        control.stop(restored, say)
    for exchange in plan.exchanges:
        refuse_in_use(exchange.service, Path(exchange.state))
        exchange.carry_out()
        kept = f"; what was there is in {exchange.aside}" if Path(exchange.aside).exists() else ""
        say(exchange.service, f"restored from {plan.name}{kept}")
    try:
        if plan.to_start:
            control.start(named(plan.to_start), say)
    except ControlError as error:
        RestorePlan.forget(folder)
        raise ControlError(
            f"{plan.name} is restored, but {error.message}", next_command=error.next_command, code=error.code
        ) from error
    RestorePlan.forget(folder)
    say("restore", f"done; from the stop to all ready {time.monotonic() - began:.1f} s")
