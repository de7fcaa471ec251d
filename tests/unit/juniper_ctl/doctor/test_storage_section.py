import json

import pytest

from juniper_ctl.doctor import storage_section
from juniper_ctl.doctor.findings import Finding
from juniper_ctl.doctor.storage_section import look
from juniper_ctl.locations import Locations
from tests.unit.juniper_ctl.answering import answering, page


@pytest.fixture
def installed(home: Locations) -> Locations:
    """A home with the state of one service, which listens nowhere."""
    (home.state / "data").mkdir(parents=True)
    home.configuration.mkdir(parents=True)
    (home.configuration / "data.env").write_text("JUNIPER_DATA_PORT=1\nJUNIPER_DATA_STORE=cached:memory:redis\n")
    return home


def store_of(locations: Locations) -> Finding:
    """What is found of the store of datasets."""
    return look(locations)[-1]


def test_a_host_with_room_is_one_line(installed: Locations) -> None:
    """All folders share the disk; the last line is of the store."""
    assert [finding.level for finding in look(installed)[:-1]] == ["ok"]


def test_a_service_that_does_not_run_has_the_store_that_is_set(installed: Locations) -> None:
    """How it is, nobody says; where nothing is set, it is the default one."""
    said = "datasets are kept in {}, as it is set: data does not answer"
    assert store_of(installed) == Finding("unknown", said.format("cached:memory:redis"), "juniper-ctl start data")
    (installed.configuration / "data.env").write_text("JUNIPER_DATA_PORT=1\n")
    assert store_of(installed).text == said.format("file_system")


@pytest.mark.parametrize(
    ("store", "found"),
    [
        (
            {"status": "healthy", "message": "redis at there:1/0, writable\x1b"},
            Finding("ok", "datasets are kept in redis at there:1/0, writable\\x1b"),
        ),
        (
            {"status": "unhealthy", "message": "redis at there:1/0: gone"},
            Finding(
                "wrong",
                "datasets are kept in cached:memory:redis; the store fails: redis at there:1/0: gone",
                "juniper-ctl logs data",
            ),
        ),
        (
            {},
            Finding(
                "unknown",
                "datasets are kept in cached:memory:redis, as it is set: no answer of juniper-data",
                "juniper-ctl doctor ports",
            ),
        ),
    ],
)
def test_a_service_that_runs_says_how_its_store_is(
    installed: Locations, monkeypatch: pytest.MonkeyPatch, store: dict[str, str], found: Finding
) -> None:
    """Which it is, where, and in what state."""
    with answering(page(200, json.dumps({"dependencies": {"store": store}}).encode())) as port:
        monkeypatch.setenv("JUNIPER_DATA_PORT", str(port))
        assert store_of(installed) == found


def test_a_wrong_setting_is_told_with_the_store(installed: Locations, monkeypatch: pytest.MonkeyPatch) -> None:
    """A section raises nothing."""
    monkeypatch.setenv("JUNIPER_DATA_PORT", "http")
    assert "JUNIPER_DATA_PORT=http is no port" in store_of(installed).text


def test_a_full_disk_is_wrong(installed: Locations, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next command shows what fills it."""
    monkeypatch.setattr(storage_section, "LEAST_FREE_SHARE", 1.1)
    (finding,) = [finding for finding in look(installed) if finding.level == "wrong"]
    assert finding.next_command.startswith("du -xh")
