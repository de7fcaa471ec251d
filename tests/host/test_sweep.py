"""The sweep of the dataset service on a real systemd: its timer, what it removes, and what its sandbox hides."""

import json
from collections.abc import Iterator

import pytest
from testinfra.host import Host

from tests.host.conftest import JUNIPER_CTL
from tests.host.user_units import eventually, value

pytestmark = [pytest.mark.host, pytest.mark.timeout(900)]

SWEEP, TIMER = "juniper-data-sweep.service", "juniper-data-sweep.timer"
URL = "http://127.0.0.1:8100/v1/datasets"
DROP_INS = ".config/systemd/user/juniper-data-sweep.service.d"
FOUND = "find /home /tmp /var /run/user -name 'sweep-was-here*' 2>/dev/null"

PROBE = """[Service]
ExecStart=
ExecStart=/bin/bash -c 'for folder in "$STATE_DIRECTORY" "$STATE_DIRECTORY/.." %h %h/.config %h/.local/lib/juniper \
%t /etc /tmp /var/tmp; do touch "$${folder}/sweep-was-here"; done; \
(: </dev/tcp/127.0.0.1/8100) && touch "$STATE_DIRECTORY/sweep-was-here-and-reached-the-service"; exit 0'
"""


def created(host: Host, **request: object) -> str:
    """The id of a new dataset."""
    body = json.dumps({"generator": "xor", **request})
    dataset_id: str = json.loads(host.check_output("curl -sf %s -d %s", URL, body))["dataset_id"]
    return dataset_id


def is_on_the_disk(host: Host, dataset_id: str) -> bool:
    """Its artifact is somewhere in the home."""
    return bool(host.check_output("find /home/juniper -name %s", f"{dataset_id}.*.npz"))


def sweep(host: Host, says: str) -> None:
    """Sweep now, and wait for what it says."""
    host.check_output("systemctl --user start %s", SWEEP)
    last = "journalctl -q --no-pager -t juniper-data-sweep -n 1 -o cat"
    eventually(lambda: host.check_output(last).startswith(says), says)


@pytest.fixture
def probe(running: Host) -> Iterator[Host]:
    """The host, where the sweep tries to write everywhere, and to connect, instead of sweeping."""
    running.check_output("printf %%s %s >%s/90-probe.conf && systemctl --user daemon-reload", PROBE, DROP_INS)
    yield running
    running.check_output(f"rm {DROP_INS}/90-probe.conf && {FOUND} -delete; systemctl --user daemon-reload")


def test_the_timer_is_there_as_long_as_the_service(running: Host) -> None:
    """It starts with the service, waits for its next sweep, and stops with the service."""
    assert value(running, TIMER, "SubState") == "waiting"
    assert value(running, TIMER, "NextElapseUSecMonotonic") not in ("", "infinity")
    assert running.run(f"{JUNIPER_CTL} stop data").rc == 0
    assert value(running, TIMER, "ActiveState") == "inactive"


def test_a_timer_whose_service_is_down_is_stopped_too(installed: Host) -> None:
    """So that an uninstallation, which stops all and then takes the unit files, leaves none behind."""
    installed.check_output("systemctl --user start %s", TIMER)
    assert installed.run(f"{JUNIPER_CTL} stop").rc == 0
    assert value(installed, TIMER, "ActiveState") == "inactive"


def test_a_sweep_removes_what_has_expired_and_nothing_else(running: Host) -> None:
    """While the service runs; which does not find it any more, and has the disk's room again."""
    expires, stays = created(running, ttl_seconds=1, params={"seed": 1}), created(running, params={"seed": 2})
    assert is_on_the_disk(running, expires)
    running.check_output("sleep 1")
    sweep(running, says="removed 1 expired dataset,")
    assert not is_on_the_disk(running, expires)
    statuses = [
        running.check_output("curl -s -o /dev/null -w %%{http_code} %s/%s", URL, each) for each in (expires, stays)
    ]
    assert statuses == ["404", "200"]


def test_a_sweep_while_the_service_is_stopped(running: Host) -> None:
    """It needs nobody but the disk."""
    expires = created(running, ttl_seconds=1, params={"seed": 3})
    running.check_output(f"{JUNIPER_CTL} stop data && sleep 1")
    sweep(running, says="removed 1 expired dataset,")
    assert not is_on_the_disk(running, expires)


def test_the_sweep_writes_into_the_stores_folder_alone(probe: Host) -> None:
    """Nothing in the home, among the code, in the temporary folders or beside the store; and it reaches no service."""
    state = probe.check_output("find /home -path '*/juniper/data/artifacts'")
    probe.check_output("systemctl --user start %s", SWEEP)
    assert probe.run(FOUND).stdout.split() == [state.replace("artifacts", "sweep-was-here")]


def test_a_failed_sweep_is_told_in_the_journal(running: Host) -> None:
    """As a service's failure is; a wrong setting ends it with 78."""
    environment = ".config/juniper/data.env"
    running.check_output(f"cp {environment} kept.env && echo JUNIPER_DATA_STORE=nowhere >>{environment}")
    try:
        assert running.run(f"systemctl --user start {SWEEP}").rc != 0
        assert value(running, SWEEP, "ExecMainStatus") == "78"
        alert = "journalctl -q --no-pager -t juniper-alert -n 1 -o cat"
        eventually(lambda: "ALERT unit=juniper-data-sweep" in running.check_output(alert), "it is told")
    finally:
        running.check_output(f"mv kept.env {environment}; systemctl --user reset-failed {SWEEP}")
