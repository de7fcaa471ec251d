"""Kills backups and restores, and looks at what they leave.

    python -m tests.unit.juniper_ctl.backups.killing HOME backup STRIDE     at each strideth system call of a backup
    python -m tests.unit.juniper_ctl.backups.killing HOME restore STRIDE    the same of a restore, once it is decided

A program of its own, since it forks. Its last line tells how many kills left none or the old, and how many the new.
"""

import contextlib
import io
import os
import shutil
import sys
from itertools import count
from pathlib import Path

from juniper_ctl.backups import check
from juniper_ctl.backups.backup import take
from juniper_ctl.backups.folder import BackupFolder
from juniper_ctl.backups.manifest import read_manifest
from juniper_ctl.backups.restore import carry_out
from juniper_ctl.backups.restore_plan import Exchange, RestorePlan
from juniper_ctl.locations import Locations
from juniper_ctl.services import SERVICES
from tests.traced import be_traced, killed_at
from tests.unit.juniper_ctl.backups import kept_state

NAMES = ("data", "cascor")


def kill_backups(home: Locations, stride: int) -> tuple[int, int]:
    """Returns how many kills left no backup, and how many a whole one."""
    kept_state.keep(home)
    folder = BackupFolder(home.state / "backups")
    with folder.locked():
        take(SERVICES, folder, home)
    found = []
    for calls in count(1, stride):
        before = folder.names()

        def back_up() -> None:
            be_traced()
            with folder.locked():
                take(SERVICES, folder, home)

        was_killed = killed_at(back_up, calls)
        new = [name for name in folder.names() if name not in before]
        for name in new:
            manifest = read_manifest(folder.path / name)
            assert check.damage(folder.path / name, manifest) == []
        found.append(len(new))
        with folder.locked():
            hidden = [path.name for path in folder.path.glob(".*") if path.name != ".lock"]
            assert hidden == [], f"after {calls} calls: {hidden}"
            for name in new:
                folder.remove(name)
        if not was_killed:
            assert found[-1] == 1, "it came to its end, and there is no backup"
            return found.count(0), found.count(1)
    raise AssertionError


def kill_restores(home: Locations, stride: int) -> tuple[int, int]:
    """Returns how many kills left all as it was, and how many something to finish, or all restored."""
    folder = BackupFolder(home.state / "backups")
    folder.path.mkdir(parents=True)
    found = []
    for calls in count(1, stride):
        exchanges = [_laid_ready(home.state / name) for name in NAMES]
        plan = RestorePlan("a backup", exchanges, [])

        def restore(plan: RestorePlan = plan) -> None:
            be_traced()
            plan.write(folder)
            carry_out(plan, folder)

        was_killed = killed_at(restore, calls)
        states = {_content(home.state / name) for name in NAMES}
        left = RestorePlan.read(folder)
        if left is None:
            assert states in ({"old"}, {"new"}), f"after {calls} calls: {states}"
        else:
            assert states <= {"old", "new"}
            carry_out(left, folder)
            states = {"new"}
        for exchange in exchanges:
            assert _content(Path(exchange.state)) in states
            assert states == {"old"} or _content(Path(exchange.aside)) == "old"
        found.append(states == {"new"})
        if not was_killed:
            return found.count(False), found.count(True)
    raise AssertionError


def _laid_ready(state: Path) -> Exchange:
    staging, aside = state.with_name(f".{state.name}.restored"), state.with_name(f"{state.name}.before-then")
    for path, content in ((state, "old"), (staging, "new")):
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        (path / "content").write_text(content)
    shutil.rmtree(aside, ignore_errors=True)
    return Exchange(state.name, str(state), str(staging), str(aside), staging.stat().st_ino)


def _content(state: Path) -> str:
    return (state / "content").read_text()


def main(home: Path, what: str, stride: int) -> str:
    """What was seen."""
    os.environ.update({"HOME": str(home), "PATH": ""})  # No systemctl: nothing runs.
    kill = {"backup": kill_backups, "restore": kill_restores}[what]
    with contextlib.redirect_stdout(io.StringIO()):
        none, new = kill(Locations.of({"HOME": str(home)}), stride)
    return f"{none} {new}"


if __name__ == "__main__":
    print(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))  # noqa: T201
