"""Which backups stay."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from juniper_ctl.backups.folder import BackupFolder, name_at
from juniper_ctl.backups.manifest import Manifest, ServiceRecord
from juniper_ctl.backups.retention import kept
from juniper_ctl.backups.settings import BackupSettings
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.locations import Locations
from juniper_ctl.main import main
from juniper_ctl.services import DATA, SERVICES

BEGIN = datetime(2026, 1, 1, 2, tzinfo=UTC)


def nightly(nights: int) -> list[str]:
    """The names of so many backups, one a night."""
    return [name_at((BEGIN + timedelta(days=night)).timestamp()) for night in range(nights)]


def settings(last: int = 7, weekly: int = 4, monthly: int = 6) -> BackupSettings:
    """So many stay."""
    return BackupSettings(Path("/backups"), last, weekly, monthly)


def test_the_last_and_the_newest_of_weeks_and_months_stay() -> None:
    """After a year: seven nights, the last of four weeks, the last of six months; some are two of these."""
    names = nightly(365)
    stay = sorted(name[:8] for name in kept(names, settings()))
    assert stay == [
        *("20260731", "20260831", "20260930", "20261031", "20261130", "20261213", "20261220"),
        *("20261225", "20261226", "20261227", "20261228", "20261229", "20261230", "20261231"),
    ]


@pytest.mark.parametrize("nights", [0, 1, 2, 400])
def test_the_newest_always_stays(nights: int) -> None:
    """Whatever is said."""
    names = nightly(nights)
    assert kept(names, settings(1, 0, 0)) == set(names[-1:])


def test_a_second_call_removes_nothing() -> None:
    """What stays, stays."""
    stay = kept(nightly(200), settings())
    assert kept(sorted(stay), settings()) == stay


def test_removing(home: Locations, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """At first it only says what it would do. The newest that can be read stays beside the newest."""
    monkeypatch.setenv("JUNIPER_BACKUP_KEEP_LAST", "1")
    monkeypatch.setenv("JUNIPER_BACKUP_KEEP_WEEKLY", "0")
    monkeypatch.setenv("JUNIPER_BACKUP_KEEP_MONTHLY", "0")
    folder = home.state / "backups"
    names = nightly(3)
    for name in names:
        (folder / name).mkdir(parents=True)
    (folder / names[1] / "manifest.json").write_text(
        f'{{"format": 1, "name": "{names[1]}", "release": "1", "services": {{}}, "files": {{}}}}'
    )
    assert main(["retention", "--dry-run"]) == Exit.OK
    assert f"would remove {names[0]}" in capsys.readouterr().out
    assert sorted(path.name for path in folder.glob("2*")) == names
    assert main(["retention"]) == Exit.OK
    assert sorted(path.name for path in folder.glob("[2.]*")) == [".lock", *names[1:]]


def test_settings_come_from_juniper_env(home: Locations) -> None:
    """The environment says it in their place."""
    home.configuration.mkdir(parents=True)
    (home.configuration / "juniper.env").write_text("JUNIPER_BACKUP_DIR=~/elsewhere\nJUNIPER_BACKUP_KEEP_LAST=3\n")
    found = BackupSettings.read({"JUNIPER_BACKUP_KEEP_WEEKLY": "0"}, home)
    assert found == BackupSettings(Path.home() / "elsewhere", 3, 0, 6)


@pytest.mark.parametrize(("name", "text"), [("LAST", "0"), ("LAST", "many"), ("MONTHLY", "-1")])
def test_a_wrong_number_is_refused(home: Locations, name: str, text: str) -> None:
    """As a setting of a service is."""
    with pytest.raises(ControlError, match="is no number") as raised:
        BackupSettings.read({f"JUNIPER_BACKUP_KEEP_{name}": text}, home)
    assert raised.value.code is Exit.CONFIGURATION


def test_where_systemd_keeps_the_services_state_it_keeps_backups(home: Locations) -> None:
    """Below ~/.config before version 254, also before the first backup."""
    assert BackupSettings.read({}, home).folder == home.state / "backups"
    (home.configuration / "data").mkdir(parents=True)
    assert BackupSettings.read({}, home).folder == home.configuration / "backups"


def test_a_name_of_no_day_is_no_backup(home: Locations) -> None:
    """It is left alone, and counts for nothing."""
    folder = home.state / "backups"
    for name in (*nightly(1), "20260230T020000.000Z"):
        (folder / name).mkdir(parents=True)
    assert main(["retention"]) == Exit.OK
    assert BackupFolder(folder).names() == nightly(1)
    assert (folder / "20260230T020000.000Z").exists()


def test_backups_of_one_service_push_out_none_of_all(home: Locations, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many of them are newer."""
    for name, count in (("LAST", "1"), ("WEEKLY", "0"), ("MONTHLY", "0")):
        monkeypatch.setenv(f"JUNIPER_BACKUP_KEEP_{name}", count)
    whole, *partial = nightly(3)
    for name, services in ((whole, SERVICES), *((each, (DATA,)) for each in partial)):
        records = {service.name: ServiceRecord(0, None, ()) for service in services}
        (home.state / "backups" / name).mkdir(parents=True)
        (home.state / "backups" / name / "manifest.json").write_text(Manifest(name, "1", records).as_text())
    assert main(["retention"]) == Exit.OK
    assert BackupFolder(home.state / "backups").names() == [whole, partial[-1]]
