"""The units on a real systemd: order, crashes, stops, and what the sandbox hides."""

import json

import pytest
from testinfra.host import Host

from tests.host import training
from tests.host.booted_host import BootedHost
from tests.host.conftest import JUNIPER_CTL
from tests.host.user_units import eventually, is_running, number, value

pytestmark = [pytest.mark.host, pytest.mark.timeout(900)]

SERVICES = ("data", "cascor", "canopy")


def unit(service: str) -> str:
    """The systemd unit of a service."""
    return f"juniper-{service}.service"


def kill(host: Host, service: str, signal: str) -> None:
    """Send a signal to the service's main process."""
    host.check_output("systemctl --user kill --kill-whom=main --signal=%s %s", signal, unit(service))


def test_start_brings_the_three_up_in_order(running: Host) -> None:
    """Each begins to start only when the one before is ready."""
    for before, after in (("data", "cascor"), ("cascor", "canopy")):
        is_ready = number(running, unit(before), "ActiveEnterTimestampMonotonic")
        begins = number(running, unit(after), "InactiveExitTimestampMonotonic")
        assert is_ready <= begins


def test_status_tells_each_service_and_agrees_with_its_exit_code(running: Host) -> None:
    """All ready is exit code 0; the JSON names the release that each process runs from."""
    told = running.run(f"{JUNIPER_CTL} status --json")
    assert told.rc == 0
    services = json.loads(told.stdout)["services"]
    assert [service["service"] for service in services] == list(SERVICES)
    assert all(service["is_ready"] and service["memory_bytes"] > 1e7 for service in services)
    assert all(service["watchdog_age_s"] < 30 and service["cpu_s"] > 0.1 for service in services)
    current = running.check_output("readlink .local/lib/juniper/current").removeprefix("releases/")
    assert {service["version"] for service in services} == {current}


def test_resources_tell_what_each_service_uses(running: Host) -> None:
    """Of the kernel's count or, without its controllers, of the processes; and where the data lies."""
    told = json.loads(running.check_output(f"{JUNIPER_CTL} resources --interval 0.1 --json"))
    assert all(service["memory_bytes"] > 1e7 and service["tasks"] > 0 for service in told["services"])
    assert all(service["cpu_percent"] is not None for service in told["services"])
    assert [name for disk in told["machine"]["disks"] for name in disk["services"]] == list(SERVICES)
    assert told["gpus"]["told_by"] == "cascor"


def test_enabled_services_start_with_the_users_manager(running: Host) -> None:
    """The user lingers, so at boot; and not any more once they are disabled."""
    assert json.loads(running.check_output(f"{JUNIPER_CTL} enable --json"))["lingers"] is True
    assert running.check_output("systemctl --user is-enabled juniper.target").strip() == "enabled"
    running.check_output(f"{JUNIPER_CTL} disable")
    assert running.run("systemctl --user is-enabled juniper.target").stdout.strip() == "disabled"


@pytest.mark.parametrize("service", SERVICES)
def test_a_killed_service_comes_back(running: Host, service: str) -> None:
    """`kill -9` is followed by a restart under another process id, and by one alert in the journal."""
    process = number(running, unit(service), "MainPID")
    kill(running, service, "KILL")
    eventually(
        lambda: is_running(running, unit(service)) and number(running, unit(service), "MainPID") != process,
        f"{service} runs again",
    )
    assert number(running, unit(service), "NRestarts") == 1


def test_a_failure_is_told_in_the_journal(running: Host) -> None:
    """OnFailure= writes who failed and how; the alert itself is in no unit's way."""
    for _ in range(2):
        kill(running, "data", "KILL")
        eventually(lambda: is_running(running, unit("data")), "data runs again")
    running.check_output("systemctl --user start juniper-alert@juniper-data.service")
    assert "ALERT unit=juniper-data" in running.check_output("journalctl -q -t juniper-alert --no-pager")


def test_a_service_that_hangs_is_restarted_by_its_watchdog(running: Host) -> None:
    """A stopped process answers no ping, so systemd ends it and starts another. The drop-in makes the wait short."""
    folder = ".config/systemd/user/juniper-data.service.d"
    running.check_output(f"mkdir -p {folder} && printf '[Service]\\nWatchdogSec=3\\n' >{folder}/90-test.conf")
    try:
        running.check_output("systemctl --user daemon-reload && systemctl --user restart juniper-data")
        kill(running, "data", "STOP")
        eventually(lambda: number(running, unit("data"), "NRestarts") == 1, "the watchdog struck")
        eventually(lambda: is_running(running, unit("data")), "data runs again")
    finally:
        running.check_output(f"rm -r {folder} && systemctl --user daemon-reload")


def test_a_stop_of_data_stops_cascor_and_nothing_else(running: Host) -> None:
    """Who stops data wants the training to end; the page stays and says what is missing."""
    assert running.run(f"{JUNIPER_CTL} stop data").rc == 0
    eventually(lambda: value(running, unit("cascor"), "ActiveState") == "inactive", "cascor is stopped")
    assert is_running(running, unit("canopy"))
    told = running.run(f"{JUNIPER_CTL} status")
    assert told.rc == 2
    assert told.stdout.endswith(f"next: {JUNIPER_CTL} start data cascor\n")


def test_a_crash_of_data_does_not_end_a_training(running: Host) -> None:
    """Cascor's process is the same afterwards, and its run has gone on."""
    training.start(running, pace=5)
    cascor, data = (number(running, unit(service), "MainPID") for service in ("cascor", "data"))
    kill(running, "data", "KILL")
    eventually(
        lambda: is_running(running, unit("data")) and number(running, unit("data"), "MainPID") != data,
        "data runs again",
    )
    assert number(running, unit("cascor"), "MainPID") == cascor
    epoch = training.status(running).monitor.current_epoch
    eventually(lambda: training.status(running).monitor.current_epoch > epoch, "the run goes on")
    assert training.status(running).state_machine.status == "STARTED"
    training.stop(running)


def test_a_restart_of_data_leaves_cascor_alone(running: Host) -> None:
    """New settings for data must not end a training."""
    cascor = number(running, unit("cascor"), "MainPID")
    assert running.run(f"{JUNIPER_CTL} restart data").rc == 0
    assert number(running, unit("cascor"), "MainPID") == cascor


def test_a_restart_of_all_makes_three_new_processes(running: Host) -> None:
    """The command returns when the new ones are ready."""
    before = [number(running, unit(service), "MainPID") for service in SERVICES]
    assert running.run(f"{JUNIPER_CTL} restart").rc == 0
    after = [number(running, unit(service), "MainPID") for service in SERVICES]
    assert 0 not in after
    assert not set(before) & set(after)


def test_stop_leaves_nothing_behind(running: Host) -> None:
    """No process, no open port, no active unit, no runtime folder; and status says so with its exit code."""
    assert running.run(f"{JUNIPER_CTL} stop").rc == 0
    assert running.run("pgrep -u juniper -f /juniper/releases/").rc == 1
    for port in (8050, 8100, 8200):
        assert not running.socket(f"tcp://127.0.0.1:{port}").is_listening
    assert "juniper" not in running.check_output(
        "systemctl --user list-units --no-legend 'juniper*.service' 'juniper*.timer' '*.target'"
    )
    assert running.run("ls -d $XDG_RUNTIME_DIR/juniper-*").rc != 0
    assert running.run(f"{JUNIPER_CTL} status").rc == 3


def test_the_sandbox_hides_the_bus_and_the_home(machine: BootedHost, running: Host) -> None:
    """Through the bus a service could start programs outside of its sandbox; the home holds keys."""
    user = running.check_output("id -u")
    code = "/home/juniper/.local/lib/juniper"
    hidden = (f"/run/user/{user}/bus", f"/run/user/{user}/systemd/private", "/home/juniper/.ssh", "/dev/console")
    look = ["sh", "-c", 'for path; do ls -d "$path" 2>/dev/null || :; done', "-", code, *hidden]
    for service in SERVICES:
        process = str(number(running, unit(service), "MainPID"))
        seen = machine.run_as_root("nsenter", "--mount", "--root", "--target", process, *look)
        assert seen.split() == [code]


def test_the_page_writes_into_its_state_folder_alone(machine: BootedHost, running: Host) -> None:
    """Page, stream and health answer from within the sandbox, where the home is not; nothing else was written by it."""
    # Where they are is systemd's to say: before version 254 below .config. The others answer the page, and write too.
    processes = [number(running, unit(service), "MainPID") for service in SERVICES]
    told = [machine.run_as_root("sed", "-zn", "s/^STATE_DIRECTORY=//p", f"/proc/{pid}/environ") for pid in processes]
    folders = tuple(folder.strip("\0\n") + "/" for folder in told)
    assert len(set(folders)) == 3
    assert all(folder.startswith("/home/juniper/") for folder in folders)
    running.check_output("touch before")
    ask = "from websockets.sync.client import connect; print(len(connect('ws://127.0.0.1:8050/ws/live').recv(10)))"
    assert "Juniper Canopy" in running.check_output("curl -sf http://127.0.0.1:8050/")
    assert int(running.check_output("/home/juniper/.local/lib/juniper/current/bin/python -c %s", ask)) > 0
    running.check_output("curl -sf http://127.0.0.1:8050/v1/health/ready")
    written = running.run("find /home/juniper /tmp /var/tmp -type f -newer before 2>/dev/null").stdout.split()
    assert [path for path in written if not path.startswith(folders)] == []


def test_a_taken_port_is_told_with_the_port(installed: Host) -> None:
    """The start fails with 75, and the journal names the port."""
    installed.check_output("nohup python3 -m http.server --bind 127.0.0.1 8100 >/dev/null 2>&1 & echo $! >http.pid")
    try:
        eventually(lambda: bool(installed.socket("tcp://127.0.0.1:8100").is_listening), "the port is taken")
        started = installed.run(f"{JUNIPER_CTL} start data")
        assert started.rc == 75
        assert f"next: {JUNIPER_CTL} logs data" in started.stderr
        assert "port 8100 on 127.0.0.1 is taken" in installed.check_output(f"{JUNIPER_CTL} logs data -n 20")
    finally:
        installed.check_output("kill $(cat http.pid); rm http.pid")
        installed.run(f"{JUNIPER_CTL} stop")
