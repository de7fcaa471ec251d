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
from juniper_ctl.progress import Report, print_json, say, say_nothing
from juniper_ctl.services import Service, named, of_this_host


def restore(
    name: str | None,
    services: Sequence[Service],
    source: Path | None,
    *,
    yes: bool,
    even_damaged: bool,
    as_json: bool = False,
) -> Exit:
    """Restore services from a backup; first of all, end what an interrupted call began.

    The services that run are stopped for it, once all is checked and laid ready, and started again.

    Raises:
        ControlError: it is not restored, unless the message says so.
    """
    locations = Locations.of(os.environ)
    folder = BackupFolder.of(source, locations)
    report = say_nothing if as_json else say
    with folder.locked():
        unfinished = RestorePlan.read(folder)
        if unfinished is not None:
            carry_out(unfinished, folder, report)
        if name is None:
            if unfinished is None:
                raise ControlError("restore which one?", next_command="juniper-ctl backup list", code=Exit.USAGE)
            return _told(unfinished, as_json=as_json)
        backup = folder.named(name)
        manifest = check.manifest_of(backup)
        chosen = _in_backup(services, manifest)
        running = _running()
        if not yes:
            _confirm(chosen, running, manifest, folder, may_ask=not as_json and sys.stdin.isatty())
        exchanges = _lay_ready(chosen, running, backup, manifest, locations, report, even_damaged=even_damaged)
        plan = RestorePlan(manifest.name, exchanges, [service.name for service in running])
        plan.write(folder)
        carry_out(plan, folder, report)
    return _told(plan, as_json=as_json)


def restore_test(name: str | None, services: Sequence[Service], source: Path | None, *, as_json: bool = False) -> Exit:
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
            said = check.opened(chosen, backup, manifest, Path(scratch), locations)
    verdict = Exit.DEGRADED if manifest.problems else Exit.OK
    if as_json:
        print_json({"verdict": verdict.name.lower(), "name": manifest.name, "services": said})
        return verdict
    for service, line in said.items():
        say("check", f"{service}: {line}")
    say("check", f"{manifest.name} restores and opens, in {time.monotonic() - began:.1f} s")
    return verdict


def _told(plan: RestorePlan, *, as_json: bool) -> Exit:
    """End a restore that is done; programs are told where the former states stay."""
    if as_json:
        kept = {each.service: each.aside if Path(each.aside).exists() else None for each in plan.exchanges}
        print_json({"verdict": "ok", "name": plan.name, "kept": kept})
    return Exit.OK


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
    chosen: Sequence[Service], running: Sequence[Service], manifest: Manifest, folder: BackupFolder, *, may_ask: bool
) -> None:
    names = ", ".join(service.name for service in chosen)
    stopped = f", which stops {', '.join(service.name for service in running)} for a moment" if running else ""
    if not may_ask:
        # No service more than was asked for, and from where it was asked for.
        words = [manifest.name, *(service.name for service in chosen if tuple(chosen) != of_this_host())]
        raise ControlError(
            f"this puts {manifest.name} in the place of the state of {names}{stopped}",
            next_command=f"juniper-ctl restore {shlex.join(words)}{folder.named_by} --yes",
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
    report: Report,
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
        report(service.name, said)
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


def carry_out(plan: RestorePlan, folder: BackupFolder, report: Report = say) -> None:
    """Bring all states of a plan to the new ones, and start what ran; from wherever an earlier call was interrupted.

    Raises:
        ControlError: a service cannot be stopped or started; the message says whether the states are restored.
    """
    began = time.monotonic()
    restored = named(exchange.service for exchange in plan.exchanges)
    if _running():
        control.stop(restored, report)
    for exchange in plan.exchanges:
        refuse_in_use(exchange.service, Path(exchange.state))
        exchange.carry_out()
        kept = f"; what was there is in {exchange.aside}" if Path(exchange.aside).exists() else ""
        report(exchange.service, f"restored from {plan.name}{kept}")
    try:
        if plan.to_start:
            control.start(named(plan.to_start), report)
    except ControlError as error:
        RestorePlan.forget(folder)
        raise ControlError(
            f"{plan.name} is restored, but {error.message}", next_command=error.next_command, code=error.code
        ) from error
    RestorePlan.forget(folder)
    report("restore", f"done; from the stop to all ready {time.monotonic() - began:.1f} s")
