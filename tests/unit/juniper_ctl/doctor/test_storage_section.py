import pytest

from juniper_ctl.doctor import storage_section
from juniper_ctl.doctor.storage_section import look
from juniper_ctl.locations import Locations


@pytest.fixture
def installed(home: Locations) -> Locations:
    """A home with settings, one secret and the state of one service."""
    home.credentials.mkdir(parents=True, mode=0o700)
    home.configuration.chmod(0o700)
    (home.credentials / "juniper_data_api_keys").touch(mode=0o600)
    (home.state / "data").mkdir(parents=True)
    return home


def test_a_tidy_host_has_room_and_keeps_its_secrets(installed: Locations) -> None:
    """One line for the disk, which all share, and one for the modes."""
    assert [finding.level for finding in look(installed)] == ["ok", "ok"]


def test_a_secret_that_others_read_is_wrong(installed: Locations) -> None:
    """The next command mends it."""
    path = installed.credentials / "juniper_data_api_keys"
    path.chmod(0o644)
    (finding,) = [finding for finding in look(installed) if finding.level == "wrong"]
    assert finding.next_command == f"chmod 600 {path}"


def test_a_full_disk_is_wrong(installed: Locations, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next command shows what fills it."""
    monkeypatch.setattr(storage_section, "LEAST_FREE_SHARE", 1.1)
    (finding,) = [finding for finding in look(installed) if finding.level == "wrong"]
    assert finding.next_command.startswith("du -xh")
