import contextlib
import json
import socket
import threading
import time
from pathlib import Path

import pytest

from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.health import check, health, record_health
from juniper_ctl.health_record import Check
from juniper_ctl.locations import Locations
from juniper_ctl.main import main
from juniper_ctl.services import CASCOR, DATA, SERVICES
from tests.unit.juniper_ctl.answering import Conversation, answering, page, readiness
from tests.unit.juniper_ctl.fake_systemd import READY, STOPPED, FakeSystemd

FREE_PORT = "0"
"""Nobody can listen on it."""


def of(conversation: Conversation, *, answer_s: float = 5) -> Check:
    """How data is said to be, where its port has this conversation."""
    with answering(conversation) as port:
        return check(lambda _: {"JUNIPER_DATA_PORT": str(port), "HOME": "/nowhere"}, DATA, answer_s=answer_s)


def configure(home: Locations, **ports: int | str) -> None:
    """Write the ports into the env files, as an operator does."""
    home.configuration.mkdir(parents=True)
    lines = [f"JUNIPER_{name.upper()}_PORT={port}\n" for name, port in ports.items()]
    (home.configuration / "juniper.env").write_text("".join(lines))


def test_a_service_that_is_ready_is_ok() -> None:
    """With the time that its answer took."""
    seen = of(readiness("ready"))
    assert (seen.ok, seen.status, seen.why, seen.http_status) == (True, "ready", "", 200)
    assert seen.latency_ms is not None
    assert seen.latency_ms > 0


@pytest.mark.parametrize(
    ("status", "lacks", "ok", "why"),
    [
        ("degraded", {"juniper_data": "is away"}, True, "juniper_data: is away"),
        ("degraded", {"juniper_data": "is away", "disk": "full"}, False, "disk: full; juniper_data: is away"),
        ("degraded", {"room": "full"}, False, "room: full"),
        ("not_ready", {"store": "no such folder"}, False, "store: no such folder"),
    ],
)
def test_what_it_lacks_decides_whether_somebody_must_look(
    status: str, lacks: dict[str, str], ok: bool, why: str
) -> None:
    """Another service has a check of its own; a full disk is told by nobody else."""
    seen = of(readiness(status, lacks=lacks))
    assert (seen.status, seen.ok, seen.why) == (status, ok, why)


@pytest.mark.parametrize(
    "conversation",
    [
        page(200, b"hello"),
        page(404, b'{"error": {"message": "no such page"}}'),
        page(200, b"[" * 200_000),
        page(200, b'{"status": "ready", "dependencies": ' + b" " * 5_000_000),
        readiness("ready", service="juniper-cascor"),
        readiness("fine"),
    ],
    ids=["text", "other", "deep", "long", "neighbour", "unknown"],
)
def test_what_is_not_that_service_refuses(conversation: Conversation) -> None:
    """Whatever else listens on the port is not taken for it."""
    seen = of(conversation)
    assert (seen.ok, seen.status) == (False, "refuses")
    assert seen.why.startswith("no answer of juniper-data: ")


def test_why_is_one_short_line() -> None:
    """A message from outside cannot make lines of its own in the journal."""
    seen = of(readiness("not_ready", lacks={"store": "one\ntwo\x1b[31m" + "x" * 10_000}))
    assert seen.why.startswith("store: one two [31mx")
    assert len(seen.why) == 300


def test_nobody_is_away() -> None:
    """The address is told."""
    seen = check(lambda _: {"JUNIPER_DATA_PORT": FREE_PORT}, DATA)
    assert (seen.ok, seen.status, seen.why) == (False, "away", "nobody listens on 127.0.0.1:0")
    assert (seen.latency_ms, seen.http_status) == (None, None)


def test_an_answer_without_end_is_left_after_a_while() -> None:
    """Each byte comes in time, so no timeout of the socket's would ever strike."""

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 x\r\n\r\n")
        while True:
            connection.sendall(b" ")
            time.sleep(0.02)

    seen = of(drip, answer_s=0.3)
    assert (seen.status, seen.why.partition(" ")[2]) == ("away", "does not answer within 0.3 s")


def test_a_service_that_hangs_up_is_away() -> None:
    """As one does that ends while it is asked."""
    seen = of(lambda connection: connection.close())
    assert seen.status == "away"
    assert "no HTTP answer" in seen.why


def test_patience_waits_for_one_that_comes_back() -> None:
    """A restart after a crash is no alarm."""
    with socket.socket() as listener:
        # The port is taken, but refuses: nobody listens on it yet.
        listener.bind(("127.0.0.1", 0))

        def come_back() -> None:
            listener.listen()
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                readiness("ready")(connection)

        later = threading.Timer(0.7, come_back)
        later.start()
        seen = check(lambda _: {"JUNIPER_DATA_PORT": str(listener.getsockname()[1])}, DATA, patience_s=60)
        later.join()
    assert seen.status == "ready"


def test_the_command_says_each_in_a_line(
    systemd: FakeSystemd, home: Locations, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ports are those of the env files; whom systemd has stopped is not away."""
    systemd.set(DATA.unit, READY)
    systemd.set(CASCOR.unit, STOPPED)
    with answering(readiness("ready")) as port:
        configure(home, data=port, cascor=FREE_PORT)
        assert health([DATA, CASCOR], as_json=False) is Exit.DEGRADED
    header, data, cascor, following = capsys.readouterr().out.splitlines()
    assert header.split() == ["SERVICE", "STATUS", "ANSWER", "SINCE", "WHY"]
    assert (data.split()[:2], cascor.split()[:2]) == (["data", "ready"], ["cascor", "stopped"])
    assert following == "next: juniper-ctl start cascor"


@pytest.mark.parametrize(
    ("status", "state", "verdict"),
    [
        ("ready", READY, Exit.OK),
        ("degraded", READY, Exit.DEGRADED),
        ("not_ready", READY, Exit.FAILED),
        (None, STOPPED, Exit.STOPPED),
        (None, STOPPED | {"ActiveState": "failed", "SubState": "failed"}, Exit.FAILED),
    ],
)
def test_the_exit_code_is_the_verdict(
    systemd: FakeSystemd,
    home: Locations,
    capsys: pytest.CaptureFixture[str],
    status: str | None,
    state: dict[str, str],
    verdict: Exit,
) -> None:
    """0 ok, 1 failed, 2 degraded, 3 stopped; the JSON has the same in a word."""
    systemd.set(DATA.unit, state)
    with answering(readiness(status)) if status else contextlib.nullcontext(FREE_PORT) as port:
        configure(home, data=port)
        assert health([DATA], as_json=True) is verdict
    told = json.loads(capsys.readouterr().out)
    assert told["verdict"] == verdict.name.lower()
    assert told["services"][0]["status"] == (status or ("stopped" if verdict is Exit.STOPPED else "away"))


@pytest.mark.usefixtures("systemd")
def test_where_nothing_is_installed_that_is_what_to_do(home: Locations) -> None:
    """Exit code 4."""
    configure(home, data=FREE_PORT)
    with pytest.raises(ControlError) as raised:
        health([DATA], as_json=False)
    assert (raised.value.code, raised.value.next_command) == (Exit.UNKNOWN_UNIT, "juniper-ctl install")


@pytest.mark.usefixtures("no_systemd")
def test_without_a_manager_who_answers_is_told(home: Locations, capsys: pytest.CaptureFixture[str]) -> None:
    """A demo in the foreground needs none; where nobody answers the manager is what is missing."""
    with answering(readiness("ready")) as port:
        configure(home, data=port, cascor=FREE_PORT)
        assert main(["health", "data", "cascor"]) == Exit.FAILED
    assert [line.split()[:2] for line in capsys.readouterr().out.splitlines()[1:3]] == [
        ["data", "ready"],
        ["cascor", "away"],
    ]
    assert main(["health", "cascor"]) == Exit.NO_BUS


def test_a_recorded_check_is_a_line_on_both(
    home: Locations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard output, which is the journal, and in the folder that systemd names; settings come from it too."""
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "kept"))
    with answering(readiness("degraded", lacks={"room": "full"})) as port:
        monkeypatch.setenv("JUNIPER_DATA_PORT", str(port))
        assert record_health([DATA]) is Exit.FAILED
    told = capsys.readouterr().out
    # The priority that the journal takes off.
    assert "<4>" + (tmp_path / "kept/data.jsonl").read_text() == told
    assert json.loads(told.removeprefix("<4>"))["why"] == "room: full"
    assert not home.state.exists()


def test_since_goes_back_to_the_first_of_the_same(
    systemd: FakeSystemd, home: Locations, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the record has it."""
    systemd.set(DATA.unit, READY)
    with answering(readiness("ready")) as port:
        configure(home, data=port)
        assert main(["health", "--record", "data"]) == 0
        first = json.loads(capsys.readouterr().out)
        record = home.state_of("health") / "data.jsonl"
        record.write_text(json.dumps(first | {"since": "2026-01-01T00:00:00Z"}) + "\n")
        assert main(["health", "--json", "data"]) == 0
    assert json.loads(capsys.readouterr().out)["services"][0]["since"] == "2026-01-01T00:00:00Z"


@pytest.mark.usefixtures("systemd")
def test_history_sums_the_record_up(home: Locations, capsys: pytest.CaptureFixture[str]) -> None:
    """Share of ok, last outage with its length, slowest answer; a service without a record is left out."""
    folder = home.state_of("health")
    folder.mkdir(parents=True)
    base = {"service": "data", "why": "", "http_status": 200, "since": "2026-01-01T10:00:00Z"}
    checks = [
        {**base, "ok": ok, "status": "ready" if ok else "away", "latency_ms": ms, "checked_at": f"2026-01-01T10:0{at}Z"}
        for ok, ms, at in [(True, 5.0, "0:00"), (False, None, "0:30"), (False, None, "1:00"), (True, 99.0, "1:30")]
    ]
    (folder / "data.jsonl").write_text("".join(json.dumps(each) + "\n" for each in checks))
    assert main(["health", "--history"]) == 0
    _, line = capsys.readouterr().out.splitlines()
    assert " ".join(line.split()) == (
        "data 4 50.00 % 99.0 ms at 2026-01-01T10:01:30Z 2026-01-01T10:00:30Z for 60 s: away"
    )
    assert main(["health", "--history", "--since", "2026-01-01T10:01:30Z", "--json"]) == 0
    (summary,) = json.loads(capsys.readouterr().out)["services"]
    assert (summary["checks"], summary["ok"], summary["last_outage"]) == (1, 1, None)


@pytest.mark.parametrize(
    ("words", "code", "next_command"),
    [
        (["--history"], Exit.FAILED, "juniper-ctl health"),
        (["--history", "--since", "yesterdays"], Exit.USAGE, "juniper-ctl health --help"),
        (["--history", "--record"], Exit.USAGE, "juniper-ctl health --help"),
    ],
)
@pytest.mark.usefixtures("systemd")
def test_what_cannot_be_told_is_a_clear_line(
    capsys: pytest.CaptureFixture[str], words: list[str], code: Exit, next_command: str
) -> None:
    """With its exit code and what to type."""
    assert main(["health", *words]) == code
    assert capsys.readouterr().err.splitlines()[-1] == f"  next: {next_command}"


def test_a_wrong_port_is_a_configuration_error(
    systemd: FakeSystemd, home: Locations, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the operator's, not of the service's; how the others are is told all the same."""
    for service in (DATA, CASCOR):
        systemd.set(service.unit, READY)
    with answering(readiness("ready", service="juniper-cascor")) as port:
        configure(home, data="many", cascor=port)
        assert main(["health", "data", "cascor"]) == Exit.CONFIGURATION
    _, data, cascor, next_line = capsys.readouterr().out.splitlines()
    assert data.split()[1] == "unknown"
    assert data.endswith("JUNIPER_DATA_PORT=many is no port")
    assert cascor.split()[1] == "ready"
    assert next_line == "next: juniper-ctl env check"


def test_every_service_says_where_it_listens() -> None:
    """Every address of the host is reached by the loopback's."""
    names = ("JUNIPER_DATA_HOST", "JUNIPER_CASCOR_HOST", "JUNIPER_CANOPY_SERVER__HOST")
    for service, name in zip(SERVICES, names, strict=True):
        told = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1", "::1": "::1", "10.0.0.7": "10.0.0.7"}  # noqa: S104
        assert {text: service.host({name: text}) for text in told} == told
