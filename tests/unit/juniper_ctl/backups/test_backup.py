"""`juniper-ctl backup`: what is in a backup, of what moment, and what hostile state does to it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from juniper_ctl.backups import check
from juniper_ctl.backups.backup import backup, take
from juniper_ctl.backups.folder import BackupFolder, name_at
from juniper_ctl.backups.manifest import Manifest, read_manifest
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.locations import Locations
from juniper_ctl.main import main
from juniper_ctl.services import DATA, SERVICES
from juniper_data.stores.file_system import FileSystemStore
from tests.small_disk import small_disk
from tests.traced import forked
from tests.unit.juniper_ctl.backups import kept_state
from tests.unit.juniper_data.stores.made import id_of
from tests.unit.juniper_data.stores.samples import holding

CHILD = "import sys; from juniper_ctl.main import main; sys.exit(main(sys.argv[1:]))"


@pytest.fixture
def kept(home: Locations) -> None:
    """The services have kept something."""
    kept_state.keep(home)


@pytest.fixture
def folder(home: Locations, kept: None) -> BackupFolder:  # noqa: ARG001
    """Where it is backed up."""
    return BackupFolder(home.state / "backups")


def taken(folder: BackupFolder, home: Locations) -> tuple[Path, Manifest]:
    """A backup of all."""
    with folder.locked():
        return take(SERVICES, folder, home)


@pytest.fixture
def as_nobody(home: Locations) -> Iterator[Locations]:
    """A user who may not read everything, in a home of its own."""
    if os.getuid() != 0:
        yield home
        return
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch).chmod(0o755)
        moved = Path(shutil.copytree(Path(os.environ["HOME"]), Path(scratch) / "home"))
        for path in (moved, *moved.rglob("*")):
            os.chown(path, 65534, 65534)
        os.seteuid(65534)
        try:
            yield Locations.of({"HOME": str(moved)})
        finally:
            os.seteuid(0)


def test_a_backup_has_all_that_the_services_keep(folder: BackupFolder, home: Locations) -> None:
    """Each file with its checksum, the databases as of one moment, the settings, and no secret."""
    path, manifest = taken(folder, home)
    assert check.damage(path, manifest) == []
    tops = {name.rpartition("/")[0].split("/", 2)[0] for name in manifest.files}
    assert tops == {"data", "cascor", "canopy", "settings"}
    assert kept_state.datasets(path / "data") == [id_of(0), id_of(1)]
    assert f"cascor/snapshots/{kept_state.RUN}/00002-000000120.h5" in manifest.files
    assert not any(b"very-secret" in file.read_bytes() for file in path.rglob("*") if file.is_file())


def test_what_has_not_changed_is_stored_once(folder: BackupFolder, home: Locations) -> None:
    """As a link to the backup before, never to the service's own file."""
    first, _ = taken(folder, home)
    kept_state.put(home.state / "data", 2)
    second, manifest = taken(folder, home)
    same = [name for name in manifest.files if (first / name).is_file() and (first / name).samefile(second / name)]
    assert {name for name in same if "artifacts" in name} == {
        name for name in manifest.files if "artifacts" in name and id_of(2) not in name
    }
    for name in manifest.files:
        live = home.state / name
        assert not (live.exists() and live.samefile(second / name)), name


def test_datasets_that_come_and_go_meanwhile_leave_every_backup_whole(home: Locations) -> None:
    """Each row of the copied index has its file, whatever was deleted while the files were copied."""
    folder, stop = BackupFolder(home.state / "backups"), threading.Event()

    def change(base: int) -> None:
        with closing(FileSystemStore(home.state / "data")) as store:
            while not stop.is_set():
                for number in range(base, base + 5):
                    store.put(*holding(number, f"content {number} ".encode() * 100))
                for number in range(base, base + 5):
                    store.delete(id_of(number))

    kept_state.keep(home)
    threads = [threading.Thread(target=change, args=(base,)) for base in (100, 200)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(10):
            path, manifest = taken(folder, home)
            assert check.damage(path, manifest) == []
            assert manifest.problems == []
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_nothing_but_the_backup_lies_in_the_folder(folder: BackupFolder, home: Locations) -> None:
    """No half one, no database's companion."""
    path, manifest = taken(folder, home)
    assert sorted(entry.name for entry in folder.path.iterdir()) == [".lock", path.name]
    files = {str(file.relative_to(path)) for file in path.rglob("*") if file.is_file()}
    assert files == {*manifest.files, "manifest.json"}


@pytest.mark.usefixtures("kept")
def test_a_state_that_may_only_be_read_is_backed_up(as_nobody: Locations) -> None:
    """As in the unit's sandbox: no service has the database open, and no file can be made beside it."""
    state = as_nobody.state / "data"
    state.chmod(0o500)
    path, manifest = taken(BackupFolder(as_nobody.state / "backups"), as_nobody)
    state.chmod(0o700)
    assert manifest.problems == []
    assert kept_state.datasets(path / "data") == [id_of(0), id_of(1)]


@pytest.mark.usefixtures("kept")
def test_what_a_killed_service_had_written_is_in_a_backup(as_nobody: Locations) -> None:
    """Though it stands in the write-ahead log alone, and nothing can be written beside it."""
    state = as_nobody.state / "data"
    pid = forked(lambda: _put_and_die(state))
    assert os.waitpid(pid, 0)[1] == signal.SIGKILL
    assert (state / "index.sqlite-wal").stat().st_size > 0
    state.chmod(0o500)
    path, manifest = taken(BackupFolder(as_nobody.state / "backups"), as_nobody)
    state.chmod(0o700)
    assert manifest.problems == []
    assert kept_state.datasets(path / "data") == [id_of(0), id_of(1), id_of(7)]


def _put_and_die(state: Path) -> None:
    store = FileSystemStore(state)
    store.put(*holding(7, b"the last"))
    os.kill(os.getpid(), signal.SIGKILL)


def test_links_are_not_followed(folder: BackupFolder, home: Locations, tmp_path: Path) -> None:
    """Neither a file's nor a folder's: said, and left out."""
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail/letter").write_text("private")
    (home.state / "data/import").mkdir()
    (home.state / "data/import/folder").symlink_to(tmp_path / "mail")
    (home.state / "data/import/file.csv").symlink_to(tmp_path / "mail/letter")
    path, manifest = taken(folder, home)
    assert len(manifest.problems) == 2
    assert all("is a link" in problem for problem in manifest.problems)
    assert not list(path.glob("data/import/*"))


def test_a_folder_that_became_a_link_leads_nowhere(folder: BackupFolder, home: Locations, tmp_path: Path) -> None:
    """Neither one that is read as a whole, nor one on the way to a file that a database names."""
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail/letter").write_text("private")
    (home.state / "cascor/models").symlink_to(tmp_path / "mail")
    artifact = next((home.state / "data/artifacts").glob("*/*"))
    artifact.parent.rename(tmp_path / "elsewhere")
    artifact.parent.symlink_to(tmp_path / "elsewhere")
    path, manifest = taken(folder, home)
    said = sorted(problem.split(": ", 1)[1] for problem in manifest.problems)
    assert said == [f"{artifact.relative_to(home.state / 'data')}: it is a link", "models/letter: it is a link"]
    assert not [*path.glob("*/models/*"), *path.glob(f"data/artifacts/{artifact.parent.name}/*")]


@pytest.mark.parametrize("lead_away", [lambda path: path.symlink_to("/etc/passwd"), os.mkfifo], ids=["link", "pipe"])
def test_a_database_that_is_no_plain_file_is_not_opened(
    lead_away: Callable[[Path], None], folder: BackupFolder, home: Locations
) -> None:
    """SQLite would read the link's target, and wait for ever for the pipe's other end."""
    database = home.state / "data/index.sqlite"
    database.unlink()
    lead_away(database)
    with pytest.raises(ControlError, match="no plain file"):
        taken(folder, home)


def test_an_artifact_that_became_a_link_or_a_pipe_is_a_problem(folder: BackupFolder, home: Locations) -> None:
    """Nobody waits for the pipe's other end; the rest is backed up."""
    one, other = sorted((home.state / "data/artifacts").glob("*/*"))
    one.unlink()
    one.symlink_to("/etc/passwd")
    other.unlink()
    os.mkfifo(other)
    path, manifest = taken(folder, home)
    assert sorted(problem.split(": ")[-1] for problem in manifest.problems) == ["it is a link", "it is no plain file"]
    assert check.damage(path, manifest) == []


@pytest.mark.usefixtures("kept")
def test_a_file_that_may_not_be_read_is_a_problem(as_nobody: Locations) -> None:
    """The rest is backed up."""
    snapshot = next((as_nobody.state / "cascor/snapshots").glob("*/*.h5"))
    snapshot.chmod(0)
    path, manifest = taken(BackupFolder(as_nobody.state / "backups"), as_nobody)
    assert manifest.problems == [f"cascor: snapshots/{kept_state.RUN}/{snapshot.name}: Permission denied"]
    assert not (path / f"cascor/snapshots/{kept_state.RUN}/{snapshot.name}").exists()


def test_a_lost_artifact_is_told_and_the_rest_is_backed_up(
    folder: BackupFolder, home: Locations, capsys: pytest.CaptureFixture[str]
) -> None:
    """Degraded: whoever watches the exit code hears of it."""
    lost, damaged = sorted((home.state / "data/artifacts").glob("*/*"))
    lost.unlink()
    damaged.write_bytes(b"x")
    assert backup(SERVICES, None, as_json=True) is Exit.DEGRADED
    told = json.loads(capsys.readouterr().out)
    problems = told["services"]["data"]["problems"]
    assert [problem.split(" is ")[1].split(":")[0].split(",")[0] for problem in problems] == ["damaged", "missing"]
    assert folder.names() == [told["name"]]


def test_a_huge_file_of_holes_takes_no_room(folder: BackupFolder, home: Locations) -> None:
    """Its holes stay holes."""
    (home.state / "data/import").mkdir()
    with (home.state / "data/import/sparse.csv").open("wb") as file:
        file.seek(200 << 20)
        file.write(b"end")
        file.truncate(400 << 20)
    path, manifest = taken(folder, home)
    copied = (path / "data/import/sparse.csv").stat()
    assert (copied.st_size, copied.st_blocks * 512 < 1 << 20) == (400 << 20, True)
    assert check.damage(path, manifest) == []


def test_a_damaged_database_ends_it_and_leaves_nothing(folder: BackupFolder, home: Locations) -> None:
    """A backup that cannot be restored is none; those before it stay."""
    before, _ = taken(folder, home)
    index = home.state / "data/index.sqlite"
    index.write_bytes(b"SQLite format 3\0" + b"nonsense" * 5000)
    with pytest.raises(ControlError, match="database of data cannot be backed up: it is damaged"):
        backup(SERVICES, None, as_json=False)
    assert sorted(entry.name for entry in folder.path.iterdir()) == [".lock", before.name]


def test_one_at_a_time(folder: BackupFolder) -> None:
    """The second one is told who is at work."""
    with folder.locked(), pytest.raises(ControlError, match="is at work") as raised:
        backup([DATA], None, as_json=False)
    assert raised.value.code is Exit.TIMEOUT


def test_only_what_backups_left_behind_is_removed(folder: BackupFolder) -> None:
    """A folder that a person has chosen has things of theirs in it, under whatever names."""
    own = [folder.path / name for name in (".letter.partial", ".check-list", ".old.removed")]
    left = [folder.path / f".{name_at(0)}.partial", folder.path / f".check-{name_at(0)}-abc"]
    for path in (*own, *left):
        path.mkdir(parents=True)
    with folder.locked():
        assert sorted(folder.path.iterdir()) == sorted([*own, folder.path / ".lock"])


def test_no_room_is_said_and_nothing_is_left(folder: BackupFolder, tmp_path: Path) -> None:
    """On a disk of its own that is too small."""
    big = folder.path.parent / "data/import/big.csv"
    big.parent.mkdir()
    big.write_bytes(os.urandom(4 << 20))
    disk = tmp_path / "disk"
    script = f"{sys.executable} -c '{CHILD}' backup --to {disk}/backups; echo $?; ls -A {disk}/backups"
    ended = subprocess.run(
        [*small_disk(disk, "2m"), "sh", "-c", script], capture_output=True, text=True, cwd=Path.cwd(), check=False
    )
    assert "there is no room for a backup" in ended.stderr
    assert ended.stdout.split()[-2:] == ["1", ".lock"]


@pytest.mark.usefixtures("folder")
def test_a_folder_that_cannot_be_written_to(capsys: pytest.CaptureFixture[str]) -> None:
    """One line and the next command, no traceback."""
    assert main(["backup", "--to", "/proc/backups"]) == Exit.FAILED
    assert "  next: ls -ld /proc/backups" in capsys.readouterr().err


def test_a_service_that_has_kept_nothing_is_no_error(home: Locations, capsys: pytest.CaptureFixture[str]) -> None:
    """It is said, but not to programs, which get JSON alone."""
    kept_state.put(home.state / "data", 0)
    assert backup(SERVICES, None, as_json=False) is Exit.OK
    assert f"cascor     has kept nothing yet in {home.state / 'cascor'}" in capsys.readouterr().out
    assert backup(SERVICES, None, as_json=True) is Exit.OK
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], list(told["services"])) == ("ok", ["data"])


@pytest.mark.usefixtures("home")
def test_a_backup_of_nothing_says_that_it_cannot_be_restored(capsys: pytest.CaptureFixture[str]) -> None:
    """At once, and not first when somebody tries: exit code 2."""
    assert main(["backup"]) == Exit.DEGRADED
    *_, line, next_line = capsys.readouterr().out.splitlines()
    assert line == "backup     it has env files alone: there is nothing in it that could be restored"
    assert next_line == "next: juniper-ctl start"
    assert main(["backup", "--json"]) == Exit.DEGRADED
    assert json.loads(capsys.readouterr().out)["verdict"] == "degraded"


def test_a_backup_has_the_env_files_of_all_profiles(folder: BackupFolder, home: Locations) -> None:
    """And which of them was chosen; of an earlier backup nobody knows that."""
    for name in ("dev", "demo", "production", "data"):
        (home.configuration / f"{name}.env").write_text(f"# {name}\n")
    (home.configuration / "profile.env").symlink_to("dev.env")
    path, manifest = taken(folder, home)
    names = sorted(file.name for file in (path / "settings").iterdir())
    assert names == ["data.env", "demo.env", "dev.env", "juniper.env", "production.env"]
    assert read_manifest(path).profile == manifest.profile == "dev"
    (home.configuration / "profile.env").unlink()
    (home.configuration / "profile.env").write_text("JUNIPER_ENV=production\n")  # a copy, as a unit of the host has
    assert taken(folder, home)[1].profile == "production"
    text = (path / "manifest.json").read_text()
    (path / "manifest.json").write_text(text.replace('"profile"', '"other"'))
    assert read_manifest(path).profile == ""


def test_what_is_there_is_listed(folder: BackupFolder, home: Locations, capsys: pytest.CaptureFixture[str]) -> None:
    """One line each; one whose manifest is damaged is told, and an empty folder says what to type."""
    assert main(["backup", "list"]) == Exit.OK
    assert "next: juniper-ctl backup\n" in capsys.readouterr().out
    damaged, _ = taken(folder, home)
    (damaged / "manifest.json").write_text("{")
    path, _ = taken(folder, home)
    assert main(["backup", "list"]) == Exit.OK
    _, first, second = capsys.readouterr().out.splitlines()
    assert "is no manifest" in first
    assert second.split()[0] == path.name
    assert main(["backup", "list", "--json"]) == Exit.OK
    told = json.loads(capsys.readouterr().out)["backups"]
    assert [("error" in each, each["name"]) for each in told] == [(True, damaged.name), (False, path.name)]


@pytest.mark.parametrize("stride", [151, pytest.param(1, marks=pytest.mark.soak)])
def test_kill_at_system_calls_of_a_backup_leaves_a_whole_one_or_none(tmp_path: Path, stride: int) -> None:
    """Whichever call was the last; and the next one removes what was left."""
    command = [sys.executable, "-m", "tests.unit.juniper_ctl.backups.killing", str(tmp_path), "backup", str(stride)]
    none, whole = map(int, subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    assert (none > 3, whole >= 1) == (True, True)
