"""`juniper-ctl restore` and `backup verify`: what is put back, what is refused, and where the former state stays."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from juniper_common.sqlite_file import Migration, Migrations, SqliteFile, alone_in
from juniper_ctl.backups.backup import take
from juniper_ctl.backups.folder import BackupFolder
from juniper_ctl.backups.restore import restore, restore_test
from juniper_ctl.backups.restore_plan import Exchange, RestorePlan
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.locations import Locations
from juniper_ctl.main import main
from juniper_ctl.services import CANOPY, CASCOR, DATA, SERVICES
from juniper_data.stores.schema import MIGRATIONS
from tests.unit.juniper_ctl.backups import kept_state
from tests.unit.juniper_ctl.fake_systemd import READY, STOPPED, FakeSystemd
from tests.unit.juniper_data.stores.made import id_of

pytestmark = pytest.mark.usefixtures("no_systemd")


@pytest.fixture
def folder(home: Locations) -> BackupFolder:
    """A backup of what the services had kept; since then there is a dataset more."""
    kept_state.keep(home)
    kept_state.install_programs(home)
    folder = BackupFolder(home.state / "backups")
    with folder.locked():
        take(SERVICES, folder, home)
    kept_state.put(home.state / "data", 2)
    return folder


def restored(name: str = "latest") -> Exit:
    """All of it, without a question."""
    return restore(name, SERVICES, None, yes=True, even_damaged=False)


def artifact(folder: BackupFolder) -> Path:
    """One that is in the backup."""
    return next(folder.named("latest").glob("data/artifacts/*/*"))


def change_manifest(folder: BackupFolder, old: str, new: str) -> None:
    """Write something else into it."""
    path = folder.named("latest") / "manifest.json"
    path.write_text(path.read_text().replace(old, new, 1))


def test_what_was_backed_up_is_there_and_what_was_there_stays(folder: BackupFolder, home: Locations) -> None:
    """Beside it, under a name that says when; nothing else is left."""
    assert restored() is Exit.OK
    assert kept_state.datasets(home.state / "data") == [id_of(0), id_of(1)]
    (aside,) = home.state.glob("data.before-*")
    assert kept_state.datasets(aside) == [id_of(0), id_of(1), id_of(2)]
    assert [path.name for path in home.state.glob(".*")] == []
    assert sorted(path.name for path in folder.path.iterdir()) == [".lock", folder.names()[0]]
    assert (home.state / "data").stat().st_mode & 0o777 == 0o700


@pytest.mark.usefixtures("folder")
def test_one_service_alone(home: Locations) -> None:
    """The others stay as they are."""
    assert restore("latest", [CASCOR], None, yes=True, even_damaged=False) is Exit.OK
    assert kept_state.datasets(home.state / "data") == [id_of(0), id_of(1), id_of(2)]
    assert [path.name.partition(".")[0] for path in home.state.glob("*.before-*")] == ["cascor"]


@pytest.mark.usefixtures("folder")
def test_onto_a_new_host(home: Locations) -> None:
    """Where nothing was kept yet, nothing is put aside."""
    for service in SERVICES:
        (home.state / service.name).rename(home.state / f"gone-{service.name}")
    assert restored() is Exit.OK
    assert kept_state.datasets(home.state / "data") == [id_of(0), id_of(1)]
    assert list(home.state.glob("*.before-*")) == []


@pytest.mark.usefixtures("folder")
def test_services_that_run_are_stopped_and_started_again(systemd: FakeSystemd) -> None:
    """Those that ran, and no other."""
    systemd.come_up()
    systemd.set(CANOPY.unit, STOPPED)
    for service in (DATA, CASCOR):
        systemd.set(service.unit, READY)
        systemd.after("stop", service.unit, STOPPED)
        systemd.after("start", service.unit, READY)
    assert restored() is Exit.OK
    verbs = [call.split()[0] for call in systemd.calls()]
    assert verbs == ["stop", "start"]
    assert systemd.calls()[1] == "start juniper-data.service juniper-cascor.service"


def test_it_asks_before_anything_is_replaced(folder: BackupFolder, home: Locations) -> None:
    """Without a terminal and without --yes nothing happens."""
    with pytest.raises(ControlError, match="in the place of the state of data, cascor, canopy") as raised:
        restore("latest", SERVICES, None, yes=False, even_damaged=False)
    assert raised.value.next_command == f"juniper-ctl restore {folder.names()[0]} --yes"
    assert kept_state.datasets(home.state / "data") == [id_of(0), id_of(1), id_of(2)]


def test_what_it_says_to_type_is_what_was_asked_for(folder: BackupFolder) -> None:
    """No service more, and from the same folder."""
    with pytest.raises(ControlError) as raised:
        restore("latest", [CASCOR], folder.path, yes=False, even_damaged=False)
    assert raised.value.next_command == f"juniper-ctl restore {folder.names()[0]} cascor --from {folder.path} --yes"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: os.truncate(artifact(folder), 5), "does not have its checksum"),
        (lambda folder: artifact(folder).unlink(), "it is not there"),
        (
            lambda folder: change_manifest(folder, '"data/artifacts', '"data/../../x'),
            "is no file of a backup",
        ),
        (lambda folder: change_manifest(folder, '"data/artifacts', '"/etc/artifacts'), "is no file of a backup"),
        (lambda folder: change_manifest(folder, '"format": 1', '"format": 2'), "has format 2; this version knows 1"),
        (lambda folder: os.truncate(folder.named("latest") / "manifest.json", 100), "is no manifest"),
    ],
)
def test_a_damaged_or_forged_backup_is_refused(
    folder: BackupFolder, home: Locations, damage: "object", message: str
) -> None:
    """Nothing is touched, and nothing lies about; `verify` says it too."""
    assert callable(damage)
    damage(folder)
    with pytest.raises(ControlError, match=message):
        restored()
    assert kept_state.datasets(home.state / "data") == [id_of(0), id_of(1), id_of(2)]
    assert sorted(path.name for path in home.state.iterdir()) == ["backups", "canopy", "cascor", "data"]
    assert main(["backup", "verify"]) == Exit.FAILED


@pytest.mark.usefixtures("folder")
def test_a_backup_that_the_programs_cannot_open_is_refused(home: Locations) -> None:
    """As one that a newer version has written: they say so, and end with 78."""
    kept_state.install_programs(home, code=78, says="the dataset index has schema 9; this version knows 1")
    with pytest.raises(ControlError, match="cannot open it: the dataset index has schema 9") as raised:
        restored()
    assert raised.value.code is Exit.CONFIGURATION
    assert list(home.state.glob("*.before-*")) == []


def test_a_backup_of_the_next_release_is_taken_back(home: Locations) -> None:
    """The service's own program does it, before anything is put in place; what the manifest has more is passed over."""
    kept_state.keep(home)
    index = home.state / "data/index.sqlite"
    step = Migration("ALTER TABLE datasets ADD COLUMN owner TEXT;", "ALTER TABLE datasets DROP COLUMN owner;")
    SqliteFile(index, Migrations(MIGRATIONS.first, (step,)), "the dataset index").close()
    kept_state.install_programs(home)
    program = home.current / "bin/juniper-data"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m juniper_data "$@"\n', encoding="utf-8")
    folder = BackupFolder(home.state / "backups")
    with folder.locked():
        _, manifest = take([DATA], folder, home)
    assert manifest.services["data"].schema == MIGRATIONS.version + 1
    change_manifest(folder, '"format": 1', '"host": "here", "format": 1')
    change_manifest(folder, '"problems"', '"rows": 2, "problems"')
    assert main(["backup", "verify"]) == Exit.OK
    assert restore("latest", [DATA], None, yes=True, even_damaged=False) is Exit.OK
    with closing(sqlite3.connect(index)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (MIGRATIONS.version,)
    assert kept_state.datasets(home.state / "data") == [id_of(0), id_of(1)]


@pytest.mark.usefixtures("folder")
def test_what_was_damaged_before_is_restored_on_request_alone(home: Locations) -> None:
    """The programs end with 1 where files were lost."""
    kept_state.install_programs(home, code=1, says="1 of 2 datasets cannot be read")
    with pytest.raises(ControlError, match="finds damage in it: 1 of 2") as raised:
        restored()
    assert "--even-damaged" in raised.value.next_command
    assert restore("latest", SERVICES, None, yes=True, even_damaged=True) is Exit.OK


@pytest.mark.usefixtures("folder")
def test_a_pipe_in_the_place_of_the_lock_keeps_nobody_waiting(home: Locations) -> None:
    """The service may put there what it likes, and nobody opens the other end."""
    lock = home.state / "data/.lock"
    lock.unlink(missing_ok=True)
    os.mkfifo(lock)
    assert restored() is Exit.OK


@pytest.mark.usefixtures("folder")
def test_a_link_in_the_place_of_the_lock_is_not_followed(home: Locations, tmp_path: Path) -> None:
    """Nothing is opened elsewhere."""
    lock = home.state / "data/.lock"
    lock.unlink(missing_ok=True)
    (tmp_path / "elsewhere").touch()
    lock.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        restored()


@pytest.mark.usefixtures("folder")
def test_a_service_that_runs_without_systemd_is_in_the_way(home: Locations) -> None:
    """Its lock says so."""
    with alone_in(home.state / "cascor", "training service"), pytest.raises(ControlError, match="cascor runs, and not"):
        restored()
    assert list(home.state.glob("*.before-*")) == []


def test_a_trial_changes_nothing(folder: BackupFolder, home: Locations, capsys: pytest.CaptureFixture[str]) -> None:
    """It restores elsewhere, has the programs open that, and removes it."""
    assert restore_test(None, SERVICES, None) is Exit.OK
    out = capsys.readouterr().out
    assert "check      data: all whole" in out
    assert f"{folder.names()[0]} restores and opens" in out
    assert sorted(path.name for path in folder.path.iterdir()) == [".lock", folder.names()[0]]
    assert kept_state.datasets(home.state / "data") == [id_of(0), id_of(1), id_of(2)]


def test_programs_are_told_what_was_restored_and_where_the_former_state_stays(
    folder: BackupFolder, home: Locations, capsys: pytest.CaptureFixture[str]
) -> None:
    """A trial tells what each service's program said; neither asks nor says anything else."""
    assert main(["restore", "latest", "--json"]) == Exit.USAGE
    assert json.loads(capsys.readouterr().out)["next"] == f"juniper-ctl restore {folder.names()[0]} --yes"
    assert main(["restore", "--check", "--json"]) == Exit.OK
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["name"], told["services"]["data"]) == ("ok", folder.names()[0], "all whole")
    assert main(["restore", "latest", "data", "--yes", "--json"]) == Exit.OK
    (aside,) = home.state.glob("data.before-*")
    told = json.loads(capsys.readouterr().out)
    assert told == {"verdict": "ok", "name": folder.names()[0], "kept": {"data": str(aside)}}


def test_an_interrupted_restore_is_ended_by_the_next_call(
    folder: BackupFolder, home: Locations, capsys: pytest.CaptureFixture[str]
) -> None:
    """Until then there is no backup of states that are not of one time."""
    staging = home.state / ".data.restored"
    (home.state / "cascor").rename(staging)
    exchange = Exchange(
        "data", str(home.state / "data"), str(staging), str(home.state / "data.before-then"), staging.stat().st_ino
    )
    RestorePlan("B", [exchange], []).write(folder)
    plan = folder.path / ".restore.json"
    plan.write_text(plan.read_text().replace('"inode"', '"by": "a later release", "inode"'))
    with pytest.raises(ControlError, match="the restore of B was interrupted"):
        restore_test(None, SERVICES, None)
    with pytest.raises(ControlError) as raised:
        restore_test(None, SERVICES, folder.path)
    assert raised.value.next_command == f"juniper-ctl restore --from {folder.path}"
    assert main(["backup"]) == Exit.FAILED
    assert main(["restore"]) == Exit.OK
    assert "data       restored from B" in capsys.readouterr().out
    assert (home.state / "data/runs.sqlite3").exists()
    assert kept_state.datasets(home.state / "data.before-then") == [id_of(0), id_of(1), id_of(2)]
    assert main(["restore"]) == Exit.USAGE


def test_verify_tells_programs(folder: BackupFolder, capsys: pytest.CaptureFixture[str]) -> None:
    """A whole one, then the same with a damaged file."""
    assert main(["backup", "verify", "--json"]) == Exit.OK
    assert json.loads(capsys.readouterr().out) == {
        "verdict": "ok",
        "name": folder.names()[0],
        "is_whole": True,
        "damage": [],
        "problems": [],
    }
    path = artifact(folder)
    path.write_bytes(path.read_bytes()[::-1])
    assert main(["backup", "verify", folder.names()[0], "--json"]) == Exit.FAILED
    assert len(json.loads(capsys.readouterr().out)["damage"]) == 1


@pytest.mark.usefixtures("folder")
def test_a_name_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    """It is a mistake of the caller's."""
    assert main(["restore", "../data", "--yes"]) == Exit.USAGE
    assert "there is no backup ../data" in capsys.readouterr().err


@pytest.mark.parametrize("stride", [3, pytest.param(1, marks=pytest.mark.soak)])
def test_kill_at_system_calls_of_a_restore_leaves_old_or_new(tmp_path: Path, stride: int) -> None:
    """Or what the next call ends; the former state is never gone."""
    command = [sys.executable, "-m", "tests.unit.juniper_ctl.backups.killing", str(tmp_path), "restore", str(stride)]
    old, new = map(int, subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    assert (old > 1, new > 3) == (True, True)
