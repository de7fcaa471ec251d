"""The journal on a real systemd: what can be asked of it, and how much one client can write into it."""

import json
import shlex

import pytest
from testinfra.host import Host

from tests.host import training
from tests.host.conftest import JUNIPER_CTL
from tests.host.user_units import eventually

pytestmark = [pytest.mark.host, pytest.mark.timeout(900)]

TRAINER = "juniper_cascor.runs.trainer"
N_REQUESTS = 10_000
FLOOD = f"""
import http.client
connection = http.client.HTTPConnection("127.0.0.1", 8100)
for number in range({N_REQUESTS}):
    connection.request("GET", "/v1/datasets/flood")
    connection.getresponse().read()
"""

Lines = list[dict[str, str | None]]


def lines(host: Host, *words: str) -> Lines:
    """What `juniper-ctl logs --json` tells."""
    told = host.run(f"{JUNIPER_CTL} logs --json {shlex.join(words)}")
    assert told.rc == 0, told.stderr
    return [json.loads(line) for line in told.stdout.splitlines()]


def begun(host: Host, pace: float) -> str:
    """The id of a run that has just begun."""
    training.start(host, pace)
    page = json.loads(host.check_output(f"{JUNIPER_CTL} runs --json --limit 1"))
    run_id: str = page["runs"][0]["id"]
    return run_id


def test_a_run_is_followed_through_the_journal(running: Host) -> None:
    """By its id: phases, installed units and the end, from the trainer's process and the service's."""
    run = begun(running, pace=400)
    eventually(lambda: training.status(running).monitor.current_hidden_units > 1, "the run has grown")
    training.stop(running)
    entries = [
        json.loads(line)
        for line in running.check_output("journalctl -q -o json -t juniper-cascor JUNIPER_RUN=%s", run).splitlines()
    ]
    messages = [entry["MESSAGE"] for entry in entries]
    told = ("run is STARTED", "training on cmu_spirals", "candidate phase", "installed unit 0", "run is STOPPED")
    for expected in told:
        assert any(message.startswith(expected) for message in messages), expected
    assert len({entry["_PID"] for entry in entries}) == 2
    installed = next(entry for entry in entries if entry["MESSAGE"].startswith("installed unit 0"))
    assert installed["JUNIPER_PHASE"] == "candidate"
    assert installed["JUNIPER_DATASET"].startswith("cmu_spirals-")
    assert installed["LOGGER"] == "juniper_cascor.trainer"
    assert installed["_SYSTEMD_USER_UNIT"] == "juniper-cascor.service"
    assert [line["message"] for line in lines(running, "--run", run, "-n", "1000")] == messages
    found = lines(running, "--run", run, "--grep", "installed unit")
    assert [line["phase"] for line in found] == ["candidate"] * len(found) != []


def test_what_went_wrong_in_a_run_is_found(running: Host) -> None:
    """By its level, without all else that the run wrote."""
    run = begun(running, pace=5)
    eventually(lambda: training.status(running).monitor.current_epoch > 0, "the run trains")
    running.check_output("pkill -KILL -u juniper -f %s", TRAINER)
    eventually(lambda: lines(running, "--run", run, "--level", "error") != [], "the trainer's death is told")
    training.stop(running)
    found = lines(running, "--run", run, "--level", "error")
    assert {line["level"] for line in found} == {"ERROR"}
    assert "SIGKILL" in str(found[0]["message"])


def test_what_timers_started_is_shown_beside_the_services(running: Host) -> None:
    """Of the health checks those alone that found something."""
    running.check_output("systemctl --user start juniper-retention juniper-health@data")
    shown = lines(running, "--since", "-2min")
    assert any(line["service"] == "retention" and "stay in" in str(line["message"]) for line in shown)
    assert {line["level"] for line in shown if line["service"] == "health"} <= {"WARNING", "ERROR"}


def test_a_request_is_found_by_its_id(running: Host) -> None:
    """The one that the caller gave it, or read in the answer."""
    running.run("curl -s -H 'X-Request-ID: mine-1' http://127.0.0.1:8100/v1/datasets/none")
    found = lines(running, "data", "--request", "mine-1")
    assert [line["dataset"] for line in found] == ["none"]


def test_lines_are_followed_as_they_come(running: Host) -> None:
    """As JSON too, one line at a time."""
    ask = "curl -s -H 'X-Request-ID: mine-2' http://127.0.0.1:8100/v1/datasets/none >/dev/null"
    follow = f"timeout 60 {JUNIPER_CTL} logs data -f --json --request mine-2 | head -1"
    told = running.run(f"(while {ask}; do sleep 1; done) & asking=$!; {follow}; kill $asking")
    assert json.loads(told.stdout)["request"] == "mine-2"


def test_no_client_fills_the_journal(running: Host) -> None:
    """Most lines of a flood are left out, and how many is told in the end."""
    running.check_output("python3 -c %s", FLOOD)

    def left_out() -> int:
        told = lines(running, "data", "--grep", "more lines like this one were left out", "-n", "1000")
        return sum(int(str(line["message"]).split()[0]) for line in told)

    written = len(lines(running, "data", "--dataset", "flood", "-n", str(2 * N_REQUESTS)))
    assert written < N_REQUESTS / 2
    eventually(lambda: left_out() >= N_REQUESTS - written, "what is missing is told")


def test_a_service_that_is_stopped_is_said(running: Host) -> None:
    """Exit code 3 and the next command; its log is there all the same."""
    assert running.run(f"{JUNIPER_CTL} stop").rc == 0
    asked = running.run(f"{JUNIPER_CTL} runs")
    assert asked.rc == 3
    assert asked.stderr.endswith(f"next: {JUNIPER_CTL} start cascor\n")
    assert lines(running, "cascor") != []
