import json
import os
import subprocess
from pathlib import Path

import pytest

from juniper_ctl import interpreter, unit_files
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.install import Install, extras_for_this_machine
from juniper_ctl.locations import Locations
from juniper_ctl.main import main
from juniper_ctl.release import Release, locked
from juniper_ctl.release_source import Bundle
from juniper_ctl.services import CANOPY, CASCOR, DATA, of_this_host
from juniper_ctl.uninstall import uninstall
from juniper_ctl.unit_files import is_container
from tests.unit.juniper_ctl import small_bundle
from tests.unit.juniper_ctl.fake_systemd import READY, FakeSystemd


@pytest.fixture
def python() -> interpreter.Interpreter:
    """One that services would see."""
    try:
        return interpreter.for_release()
    except ControlError as error:
        pytest.skip(error.message)


@pytest.fixture
def bundle(tmp_path: Path, python: interpreter.Interpreter) -> Bundle:
    """A small one."""
    return small_bundle.make(tmp_path / "bundle", python=python.tag)


def everything_below(folder: Path) -> dict[str, tuple[int, int]]:
    """Each file with its inode and its time of change."""
    return {str(path): (path.lstat().st_ino, path.lstat().st_mtime_ns) for path in folder.rglob("*")}


def test_an_installation_runs_and_a_second_one_changes_nothing(
    systemd: FakeSystemd, home: Locations, bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    """The program behind `current` works; the second time no file differs, and systemd is asked for nothing."""
    assert Install(wheelhouse=bundle.root).run().changes_something()
    program = home.current / "bin/juniper-data"
    assert subprocess.run([program], capture_output=True, text=True, check=True).stdout == "here\n"
    assert (home.units / "juniper-data.service").is_file()
    assert (home.configuration / "juniper.env").read_text() == "# settings\n"
    assert (home.credentials / "juniper_data_api_keys").stat().st_mode & 0o777 == 0o600
    assert systemd.calls() == ["daemon-reload"]

    before = everything_below(Path(os.environ["HOME"]))
    capsys.readouterr()
    assert not Install(wheelhouse=bundle.root).run().changes_something()
    assert everything_below(Path(os.environ["HOME"])) == before
    assert "nothing changed" in capsys.readouterr().out
    assert systemd.calls() == ["daemon-reload"]


@pytest.mark.usefixtures("no_systemd")
def test_another_release_replaces_the_units_and_keeps_what_the_person_wrote(
    home: Locations, bundle: Bundle, tmp_path: Path, python: interpreter.Interpreter
) -> None:
    """A unit file that the new release lacks goes; a drop-in of one's own and all settings stay."""
    Install(wheelhouse=bundle.root).run()
    first = home.current.readlink()
    own = home.units / "juniper-data.service.d/mine.conf"
    own.parent.mkdir()
    own.write_text("[Service]\n")
    (home.configuration / "juniper.env").write_text("MINE=1\n")
    newer = small_bundle.make(tmp_path / "newer", python=python.tag, digest="e" * 64)
    (newer.root / "systemd/user/juniper-data.service").rename(newer.root / "systemd/user/juniper-other.service")

    Install(wheelhouse=newer.root).run()
    assert home.current.readlink() != first
    assert (home.code_folder / first).is_dir()
    assert Release(home.code_folder / home.current.readlink()).before == first.name
    assert not (home.units / "juniper-data.service").exists()
    assert (home.units / "juniper-other.service").exists()
    assert own.exists()
    assert (home.configuration / "juniper.env").read_text() == "MINE=1\n"


def test_who_still_runs_the_old_release_is_told(
    systemd: FakeSystemd, bundle: Bundle, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Installing restarts nobody: a training may be under way."""
    old = tmp_path / "juniper/releases/0.0.0+old/bin/sleep"
    old.parent.mkdir(parents=True)
    old.symlink_to("/bin/sleep")
    with subprocess.Popen([old, "1000"]) as running:
        systemd.set("juniper-data.service", READY | {"MainPID": str(running.pid)})
        Install(wheelhouse=bundle.root).run()
        running.kill()
    assert "data from another release until: juniper-ctl restart" in capsys.readouterr().out


@pytest.mark.usefixtures("no_systemd")
def test_a_container_is_told_apart_by_systemd(
    home: Locations, bundle: Bundle, systemd: FakeSystemd, capsys: pytest.CaptureFixture[str]
) -> None:
    """The drop-in for hosts is left out there, since units with it do not start."""
    detect = systemd.folder / "bin/systemd-detect-virt"
    detect.write_text("#!/bin/sh\nexit 0\n")
    detect.chmod(0o755)
    drop_in = home.units / "juniper-.service.d/30-host-only.conf"
    assert is_container()
    Install(wheelhouse=bundle.root).run()
    assert not drop_in.exists()
    detect.write_text("#!/bin/sh\nexit 1\n")
    Install(wheelhouse=bundle.root).run()
    assert drop_in.exists()
    assert "no systemd user manager answers that would read them" in capsys.readouterr().out


def test_a_systemd_that_does_not_know_a_directive_is_spared_it(
    home: Locations, bundle: Bundle, systemd: FakeSystemd
) -> None:
    """It would complain of each unit. The manager that runs decides, where none answers the program: here 252."""
    drop_in = home.units / "juniper-.service.d/40-newer.since-254.conf"
    for version, is_there in (("252.39-1~deb12u2", False), ("255.4-1ubuntu8", True), ("254", True)):
        systemd.become(version)
        Install(wheelhouse=bundle.root).run()
        assert drop_in.exists() is is_there
    systemd.go_down()
    Install(wheelhouse=bundle.root).run()
    assert not drop_in.exists()


@pytest.mark.usefixtures("systemd")
def test_what_would_change_is_shown_and_nothing_changes(
    home: Locations, bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    """First all of it, then the one line of a unit file that somebody edited, then nothing."""
    install = Install(wheelhouse=bundle.root)
    told = install.diff().as_text()
    assert list(Path(os.environ["HOME"]).iterdir()) == []
    assert "release   would be made" in told
    assert f"settings  would be written: {home.configuration}/juniper.env" in told
    assert f"--- /dev/null\n+++ {home.units}/juniper-data.service\n@@ -0,0 +1,2 @@\n+[Service]" in told

    install.run()
    (home.units / "juniper-data.service").write_text("[Service]\nExecStart=/bin/false\n")
    assert unit_files.drifted(home) == [home.units / "juniper-data.service"]
    capsys.readouterr()
    told = install.diff().as_text()
    assert told.splitlines()[2:] == ["@@ -1,2 +1,2 @@", " [Service]", "-ExecStart=/bin/false", "+ExecStart=/bin/true"]

    install.run()
    assert unit_files.drifted(home) == []
    capsys.readouterr()
    assert install.diff().as_text().endswith("is installed already, nothing would change")


@pytest.mark.usefixtures("no_systemd")
def test_a_host_has_the_services_that_were_asked_for(home: Locations, bundle: Bundle) -> None:
    """Units, env files and keys of these alone, at the next installation too, until others are asked for."""
    Install(wheelhouse=bundle.root, services=(CASCOR,)).run()
    assert sorted(path.name for path in home.units.glob("*.*") if path.is_file()) == ["juniper-cascor.service"]
    assert not (home.configuration / "data.env").exists()
    assert not (home.credentials / "juniper_data_api_keys").exists()
    assert of_this_host(home) == (CASCOR,)
    assert not Install(wheelhouse=bundle.root).diff().changes_something()
    Install(wheelhouse=bundle.root, services=(DATA, CANOPY)).run()
    assert of_this_host(home) == (DATA, CANOPY)
    assert not (home.units / "juniper-cascor.service").exists()
    assert (home.units / "juniper-data-sweep.timer").is_file()


@pytest.mark.usefixtures("no_systemd")
def test_an_installation_finds_out_again_which_unit_files_it_wrote(home: Locations, bundle: Bundle) -> None:
    """Where the note of them is lost: else nothing would call them installed, or take them away."""
    Install(wheelhouse=bundle.root).run()
    noted = unit_files.installed(home)
    (home.code_folder / "units.json").unlink()
    Install(wheelhouse=bundle.root).run()
    assert unit_files.installed(home) == noted != {}


@pytest.mark.usefixtures("no_systemd")
def test_a_release_can_be_made_before_it_is_wanted(home: Locations, bundle: Bundle) -> None:
    """Nothing that runs reads any of it; installing it then takes no time."""
    prepared = Install(wheelhouse=bundle.root).prepare()
    assert prepared.release.is_whole()
    assert not home.current.exists()
    assert not home.units.exists()
    assert Install(wheelhouse=bundle.root).diff().is_made


@pytest.mark.usefixtures("no_systemd")
def test_an_interrupted_installation_is_never_taken_for_whole(
    home: Locations, bundle: Bundle, python: interpreter.Interpreter
) -> None:
    """What it left is made anew."""
    release = Release.of(bundle, python, home)
    (release.folder / "bin").mkdir(parents=True)
    (release.folder / "bin/juniper-data").write_text("half")
    assert not release.is_whole()
    Install(wheelhouse=bundle.root).run()
    assert release.is_whole()
    assert (release.folder / "bin/juniper-data").read_text() != "half"


@pytest.mark.usefixtures("no_systemd")
def test_a_wheel_that_was_changed_is_refused(home: Locations, bundle: Bundle) -> None:
    """What was current stays so; here, nothing."""
    with next(bundle.wheels.glob("juniper-*.whl")).open("ab") as wheel:
        wheel.write(b"x")
    with pytest.raises(ControlError, match="installing the bundle failed"):
        Install(wheelhouse=bundle.root).run()
    assert not home.current.exists()


@pytest.mark.usefixtures("no_systemd", "home")
def test_a_pip_that_was_changed_is_not_run(bundle: Bundle) -> None:
    """It would check the checksums of the others."""
    with next(bundle.wheels.glob("pip-*.whl")).open("ab") as wheel:
        wheel.write(b"x")
    with pytest.raises(ControlError, match="is not the file"):
        Install(wheelhouse=bundle.root).run()


@pytest.mark.usefixtures("no_systemd")
def test_two_installations_at_once_are_refused(home: Locations, bundle: Bundle) -> None:
    """The second one may come again: exit code 75."""
    with locked(home), pytest.raises(ControlError, match="another installation") as raised:
        Install(wheelhouse=bundle.root).run()
    assert raised.value.code is Exit.TIMEOUT


@pytest.mark.usefixtures("home")
def test_a_bundle_has_the_extras_it_was_made_with(bundle: Bundle) -> None:
    """The next command makes one that has them."""
    with pytest.raises(ControlError) as raised:
        Install(wheelhouse=bundle.root, extras=["redis"]).run()
    assert raised.value.next_command == "juniper-ctl bundle --extra redis"


def test_extras_that_were_asked_for_are_taken() -> None:
    """Sorted, each once: they are part of the release's name."""
    assert set(extras_for_this_machine(["redis", "hub", "redis"])) >= {"hub", "redis"}


def test_uninstalling_leaves_settings_and_data(
    systemd: FakeSystemd, home: Locations, bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    """Code, units and the command go."""
    Install(wheelhouse=bundle.root).run()
    (home.configuration / "data").mkdir()  # where systemd keeps state before version 254
    assert uninstall() is Exit.OK
    assert f"data in {home.configuration}\n" in capsys.readouterr().out
    assert not home.code_folder.exists()
    assert not home.command.is_symlink()
    assert list(home.units.iterdir()) == []
    assert (home.configuration / "juniper.env").is_file()
    assert systemd.calls()[-1] == "daemon-reload"
    assert uninstall() is Exit.OK
    assert "nothing is installed" in capsys.readouterr().out


def test_programs_are_told_what_an_uninstallation_leaves(
    systemd: FakeSystemd, home: Locations, bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    """One document, and no profile's target stays enabled."""
    Install(wheelhouse=bundle.root).run()
    capsys.readouterr()
    told = {"verdict": "ok", "removed": True, "settings": str(home.configuration), "state": str(home.state)}
    assert main(["uninstall", "--json"]) == Exit.OK
    assert json.loads(capsys.readouterr().out) == told
    assert "disable juniper-dev.target juniper-demo.target juniper.target" in systemd.calls()
    assert main(["uninstall", "--json"]) == Exit.OK
    assert json.loads(capsys.readouterr().out) == told | {"removed": False}
