import pytest

from juniper_ctl.doctor import storage_section
from juniper_ctl.doctor.storage_section import look
from juniper_ctl.locations import Locations


@pytest.fixture
def installed(home: Locations) -> Locations:
    """A home with the state of one service."""
    (home.state / "data").mkdir(parents=True)
    return home


def test_a_host_with_room_is_one_line(installed: Locations) -> None:
    """All folders share the disk."""
    assert [finding.level for finding in look(installed)] == ["ok"]


def test_a_full_disk_is_wrong(installed: Locations, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next command shows what fills it."""
    monkeypatch.setattr(storage_section, "LEAST_FREE_SHARE", 1.1)
    (finding,) = [finding for finding in look(installed) if finding.level == "wrong"]
    assert finding.next_command.startswith("du -xh")
