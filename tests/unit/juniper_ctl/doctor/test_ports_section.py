import os
import socket
from collections.abc import Iterator

import pytest

from juniper_ctl.doctor.findings import Finding
from juniper_ctl.doctor.ports_section import look
from juniper_ctl.locations import Locations
from tests.unit.juniper_ctl.fake_systemd import READY, FakeSystemd


@pytest.fixture
def port(home: Locations, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A port of data on which this process listens; the other two are free."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = int(listener.getsockname()[1])
        monkeypatch.setenv("JUNIPER_DATA_PORT", str(taken))
        monkeypatch.setenv("JUNIPER_CASCOR_PORT", "1")
        home.configuration.mkdir(parents=True)
        (home.configuration / "juniper.env").write_text("JUNIPER_CANOPY_SERVER__PORT=2\n")
        yield taken


@pytest.mark.usefixtures("systemd")
def test_a_taken_port_is_wrong(home: Locations, port: int) -> None:
    """Of a service that does not run; the next command shows who has it."""
    assert look(home) == [
        Finding("wrong", f"port {port} of data, which does not run, is taken", f"ss -ltnp sport = :{port}"),
        Finding("ok", "port 1 is free for cascor"),
        Finding("ok", "port 2 is free for canopy"),
    ]


def test_a_service_that_listens_is_well(home: Locations, systemd: FakeSystemd, port: int) -> None:
    """And one that runs and listens elsewhere has settings that it was not started with."""
    for service in ("data", "cascor"):
        systemd.set(f"juniper-{service}.service", READY | {"MainPID": str(os.getpid())})
    data, cascor, _ = look(home)
    assert data == Finding("ok", f"data listens on port {port}")
    assert (cascor.level, cascor.next_command) == ("wrong", "juniper-ctl restart cascor")


@pytest.mark.usefixtures("systemd")
def test_two_services_on_one_port(home: Locations, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told once."""
    monkeypatch.setenv("JUNIPER_CASCOR_PORT", "8100")
    assert [finding.text for finding in look(home) if finding.level == "wrong"] == [
        "port 8100 is meant for data and for cascor"
    ]


@pytest.mark.usefixtures("no_systemd")
def test_what_is_no_port_is_told_with_its_name(home: Locations, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether or not a manager answers."""
    monkeypatch.setenv("JUNIPER_CASCOR_PORT", "http")
    (finding,) = look(home)
    assert (finding.level, finding.text) == ("wrong", "JUNIPER_CASCOR_PORT=http is no port")
