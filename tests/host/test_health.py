"""Health checks and alerts on a real systemd: their timers, what is written, and what is told once."""

import json
from collections.abc import Iterator
from typing import cast

import pytest
from testinfra.host import Host

from tests.host.conftest import JUNIPER_CTL
from tests.host.user_units import eventually, is_running, value

pytestmark = [pytest.mark.host, pytest.mark.timeout(900)]

Line = dict[str, object]

SERVICES = ("data", "cascor", "canopy")
SETTINGS = ".config/juniper/canopy.env"
DROP_INS = ".config/systemd/user/juniper-health@.service.d"
FOUND = "find /home /tmp /var /run/user -name 'check-was-here*' 2>/dev/null"

PROBE = """[Service]
ExecStart=
ExecStart=/bin/bash -c 'for folder in "$STATE_DIRECTORY" "$STATE_DIRECTORY/.." %h %h/.config %h/.local/lib/juniper \
%t /etc /tmp /var/tmp; do touch "$${folder}/check-was-here"; done; \
(: </dev/tcp/127.0.0.1/8100) && touch "$STATE_DIRECTORY/check-was-here-and-reached-the-service"; exit 0'
"""


def timer(service: str) -> str:
    """When the service is asked."""
    return f"juniper-health@{service}.timer"


def waits(host: Host, service: str) -> bool:
    """The timer has a next time; it has none while a check runs."""
    return value(host, timer(service), "NextElapseUSecMonotonic") not in ("", "infinity")


def check(host: Host, service: str) -> int:
    """Ask now, as the timer does; returns the exit code of the start."""
    return int(host.run("systemctl --user start juniper-health@%s.service", service).rc)


def journal(host: Host, identifier: str) -> list[str]:
    """The lines of one identifier since the test began."""
    told = host.check_output('journalctl -q --no-pager -o cat -t %s --since "$(cat began)"', identifier)
    return str(told).splitlines()


def last_check(host: Host, service: str) -> Line:
    """The last line of the journal about a service."""
    lines = [cast(Line, json.loads(line)) for line in journal(host, "juniper-health")]
    return [line for line in lines if line["service"] == service][-1]


def folder_of(host: Host, name: str) -> str:
    """A state folder, below .config before systemd 254."""
    return str(host.check_output("ls -d .config/juniper/%s .local/state/juniper/%s 2>/dev/null | head -1", name, name))


def told_of(host: Host, unit: str, word: str = "ALERT") -> list[str]:
    """What was told of a unit."""
    return [line for line in journal(host, "juniper-alert") if line.startswith(f"{word} unit={unit} ")]


def open_alerts(host: Host) -> dict[str, int]:
    """How often each unit failed whose alert is open."""
    told = json.loads(host.run(f"{JUNIPER_CTL} alerts --json").stdout)
    return {alert["unit"]: alert["count"] for alert in told["alerts"]}


@pytest.fixture(scope="module")
def stopped_afterwards(installed: Host) -> Iterator[Host]:
    """The host, whose services are stopped when all tests here are done: starting them anew for each takes minutes."""
    yield installed
    installed.run(f"{JUNIPER_CTL} stop")


@pytest.fixture
def checked(stopped_afterwards: Host) -> Host:
    """The host with its services running, no open alert, and the time at which the test began."""
    host = stopped_afterwards
    host.run("systemctl --user reset-failed")
    started = host.run(f"{JUNIPER_CTL} start")
    assert started.rc == 0, started.stderr
    host.run("rm -f .config/juniper/alerts/* .local/state/juniper/alerts/*")
    host.check_output("sleep 1; date '+%F %T' >began")
    return host


@pytest.fixture
def broken(checked: Host) -> Iterator[Host]:
    """The host where canopy ended for good: with a setting that does not heal by itself."""
    checked.check_output(f"cp {SETTINGS} kept.env && echo JUNIPER_CANOPY_LOG_LEVEL=nonsense >>{SETTINGS}")
    try:
        assert checked.run(f"{JUNIPER_CTL} restart canopy").rc == 78
        yield checked
    finally:
        checked.check_output(f"mv kept.env {SETTINGS}")


def test_the_timers_are_there_as_long_as_the_services(checked: Host) -> None:
    """They start with the service, wait for the next check, and stop with it; canopy outlives data, and so does its."""
    eventually(lambda: all(waits(checked, service) for service in SERVICES), "they wait for the next check")
    assert checked.run(f"{JUNIPER_CTL} stop data").rc == 0
    eventually(lambda: value(checked, "juniper-cascor.service", "ActiveState") == "inactive", "cascor stops with data")
    assert [value(checked, timer(service), "ActiveState") for service in SERVICES] == ["inactive", "inactive", "active"]
    assert checked.run(f"{JUNIPER_CTL} start").rc == 0
    eventually(lambda: all(waits(checked, service) for service in SERVICES), "they wait for the next check")


def test_a_check_is_one_line_in_the_journal_and_in_the_record(checked: Host) -> None:
    """The same one, and systemd adds none of its own."""
    before = len(checked.check_output("journalctl -q --no-pager -o cat").splitlines())
    assert check(checked, "data") == 0
    line = last_check(checked, "data")
    assert (line["ok"], line["status"], line["http_status"]) == (True, "ready", 200)
    record = checked.check_output("tail -n 1 %s/data.jsonl", folder_of(checked, "health"))
    assert json.loads(record) == line
    lines = checked.check_output("journalctl -q --no-pager -o cat").splitlines()[before:]
    assert [text for text in lines if "juniper-health@" in text or "is well again" in text] == []


def test_the_command_tells_now_and_how_it_was(checked: Host) -> None:
    """A line for each service; and the sum of what the timers recorded."""
    for service in SERVICES:
        assert check(checked, service) == 0
    now = checked.run(f"{JUNIPER_CTL} health")
    assert (now.rc, [line.split()[:2] for line in now.stdout.splitlines()[1:]]) == (
        0,
        [[service, "ready"] for service in SERVICES],
    )
    was = json.loads(checked.check_output(f"{JUNIPER_CTL} health --history --json --since 1h"))["services"]
    assert [summary["service"] for summary in was] == list(SERVICES)
    assert all(summary["checks"] >= 1 and summary["slowest_ms"] > 0 for summary in was)


def test_a_stop_is_no_alarm(checked: Host) -> None:
    """Nobody is asked any more, the command says stopped with its exit code, and nothing is told."""
    assert checked.run(f"{JUNIPER_CTL} stop").rc == 0
    told = checked.run(f"{JUNIPER_CTL} health")
    assert (told.rc, told.stdout.splitlines()[-1]) == (3, f"next: {JUNIPER_CTL} start")
    assert journal(checked, "juniper-alert") == []


def test_a_restart_and_a_crash_are_no_alarm(checked: Host) -> None:
    """A check waits for a service that is being started, and bears with one that systemd is about to start again."""
    checked.check_output(f"{JUNIPER_CTL} restart --no-wait data")
    assert check(checked, "data") == 0
    checked.check_output("systemctl --user kill --kill-whom=main --signal=KILL juniper-data")
    assert check(checked, "data") == 0
    assert last_check(checked, "data")["ok"] is True
    assert told_of(checked, "juniper-health@data") == []
    eventually(lambda: is_running(checked, "juniper-data.service"), "data runs again")


def test_a_service_that_is_gone_is_told_once_and_so_is_its_return(broken: Host) -> None:
    """Two failing checks are one alert that counts them; well again is who stays so for two minutes."""
    for _ in range(2):
        assert check(broken, "canopy") != 0
    line = last_check(broken, "canopy")
    assert (line["ok"], line["status"], line["why"]) == (False, "away", "nobody listens on 127.0.0.1:8050")
    eventually(lambda: open_alerts(broken).get("juniper-health@canopy", 0) >= 2, "both are counted")
    assert len(told_of(broken, "juniper-health@canopy")) == 1
    assert len(told_of(broken, "juniper-canopy")) == 1
    told = broken.run(f"{JUNIPER_CTL} health canopy")
    assert (told.rc, told.stdout.splitlines()[-1]) == (1, f"next: {JUNIPER_CTL} logs canopy")

    broken.check_output(f"cp kept.env {SETTINGS} && {JUNIPER_CTL} start canopy")
    assert check(broken, "canopy") == 0
    assert set(open_alerts(broken)) == {"juniper-health@canopy", "juniper-canopy"}
    alerts = folder_of(broken, "alerts")
    # As if two minutes had gone by.
    older = "import json,sys; p=sys.argv[1]; a=json.load(open(p)); a['last']-=120; json.dump(a,open(p,'w'))"
    for unit in ("juniper-health@canopy", "juniper-canopy"):
        broken.check_output("python3 -c %s %s", older, f"{alerts}/{unit}.json")
    for _ in range(2):
        assert check(broken, "canopy") == 0
    eventually(lambda: open_alerts(broken) == {}, "nothing is open")
    for unit in ("juniper-health@canopy", "juniper-canopy"):
        assert len(told_of(broken, unit, "RECOVERED")) == 1
    outage = json.loads(broken.check_output(f"{JUNIPER_CTL} health --history --json canopy"))["services"][0]
    assert (outage["last_outage"]["status"], outage["last_outage"]["ended"] is None) == ("away", False)


def test_a_service_that_hangs_does_not_hold_its_check(checked: Host) -> None:
    """It ends by itself, and says what it waited for; the process is stopped, so nothing of it answers."""
    checked.check_output("systemctl --user kill --kill-whom=main --signal=STOP juniper-canopy")
    assert check(checked, "canopy") != 0
    assert last_check(checked, "canopy")["why"] == "127.0.0.1:8050 does not answer within 10 s"
    assert value(checked, "juniper-health@canopy.service", "Result") == "exit-code"
    checked.check_output("systemctl --user kill --kill-whom=main --signal=CONT juniper-canopy")
    # Else its watchdog strikes in the middle of the next test.
    assert checked.run(f"{JUNIPER_CTL} restart canopy").rc == 0


def test_a_check_that_is_stopped_with_its_service_is_no_alarm(checked: Host) -> None:
    """Nor does it say that the service is well again."""
    checked.check_output("systemctl --user kill --kill-whom=main --signal=STOP juniper-canopy")
    checked.check_output("systemctl --user start --no-block juniper-health@canopy")
    eventually(lambda: value(checked, "juniper-health@canopy.service", "SubState") == "start", "it waits")
    checked.check_output(
        "systemctl --user kill --kill-whom=main --signal=CONT juniper-canopy; systemctl --user stop juniper-canopy"
    )
    assert value(checked, "juniper-health@canopy.service", "ActiveState") == "inactive"
    assert told_of(checked, "juniper-health@canopy") == []


def test_an_alert_is_told_where_the_program_cannot_run(checked: Host) -> None:
    """A shell does it then: a release that is broken is what an alert is about."""
    link = ".local/lib/juniper/current"
    checked.check_output(f"mv {link} kept.link")
    try:
        checked.check_output("systemctl --user start juniper-alert@juniper-nothing.service")
    finally:
        checked.check_output(f"mv -T kept.link {link}")
    assert len(told_of(checked, "juniper-nothing")) == 1


def test_an_operators_program_is_told_from_within_the_sandbox(checked: Host) -> None:
    """One line of a file names it; here it answers by the journal."""
    checked.check_output("echo JUNIPER_ALERT_PROGRAM=/bin/echo >.config/juniper/alert.env")
    try:
        for _ in range(2):
            checked.check_output("systemctl --user start juniper-alert@juniper-nothing.service")
    finally:
        checked.check_output("rm .config/juniper/alert.env")
    # The alert, and the same by the program; nothing of the repeat.
    assert len(told_of(checked, "juniper-nothing")) == 2


def test_the_check_writes_into_its_record_alone(checked: Host) -> None:
    """Nothing in the home, among the code, in the temporary folders or beside the record; it reaches the service."""
    record = folder_of(checked, "health")
    checked.check_output("printf %%s %s >%s/90-probe.conf && systemctl --user daemon-reload", PROBE, DROP_INS)
    try:
        assert check(checked, "data") == 0
        written = sorted(checked.run(FOUND).stdout.split())
        names = ("check-was-here", "check-was-here-and-reached-the-service")
        assert written == [f"/home/juniper/{record}/{name}" for name in names]
    finally:
        checked.check_output(f"rm {DROP_INS}/90-probe.conf && {FOUND} -delete; systemctl --user daemon-reload")
