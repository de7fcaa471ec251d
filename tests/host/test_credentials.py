"""Keys as systemd credentials: who shows one is served, and nobody sees it."""

import json
from collections.abc import Iterator

import pytest
from testinfra.host import Host

from tests.host.conftest import JUNIPER_CTL

pytestmark = [pytest.mark.host, pytest.mark.timeout(900)]

FOLDER = ".config/juniper/credentials"
KEYS = "juniper_data_api_keys"
DATASETS = "http://127.0.0.1:8100/v1/datasets"

ASK_ON = f"""
while [ ! -e asked.stop ]; do
    curl -s -o /dev/null -w '%{{http_code}}\\n' -H "X-API-Key: $(cat asked.key)" {DATASETS}
    sleep 0.05
done >asked.codes
"""
"""Asks data again and again with the old key; 000 where nobody answers."""


@pytest.fixture(scope="module")
def keyed(installed: Host) -> Iterator[Host]:
    """The host with all three services running, each with keys that the others show."""
    for service in ("data", "cascor", "canopy"):
        made = installed.run(f"{JUNIPER_CTL} credentials rotate juniper_{service}_api_keys")
        assert made.rc == 0, made.stderr
    started = installed.run(f"{JUNIPER_CTL} start")
    assert started.rc == 0, started.stderr
    yield installed
    installed.run(f"{JUNIPER_CTL} stop")
    installed.run(f"truncate --size=0 {FOLDER}/*")


def key(host: Host, name: str) -> str:
    """What a credential file holds."""
    return str(host.check_output("cat %s", f"{FOLDER}/{name}")).strip()


def status_of(host: Host, shown: str) -> str:
    """What data answers to a caller who shows this key."""
    return str(host.check_output(f"curl -s -o /dev/null -w '%%{{http_code}}' -H %s {DATASETS}", f"X-API-Key: {shown}"))


def test_a_caller_without_a_key_is_refused(keyed: Host) -> None:
    """And one with a key is served."""
    assert status_of(keyed, "") == "401"
    assert status_of(keyed, key(keyed, KEYS)) == "200"


def test_the_services_show_each_other_their_keys(keyed: Host) -> None:
    """Cascor trains on a dataset that it asks data for."""
    shown = f"X-API-Key: {key(keyed, 'juniper_cascor_api_keys')}"
    body = json.dumps({"params": {"max_epochs": 5}, "start_fresh": True})
    url = "http://127.0.0.1:8200/v1/training/start"
    answer = json.loads(keyed.check_output("curl -sS --fail-with-body -H %s %s -d %s", shown, url, body))
    assert answer["data"]["run_id"]


@pytest.mark.parametrize("service", ["data", "cascor", "canopy"])
def test_no_key_is_to_be_seen(keyed: Host, service: str) -> None:
    """Neither in what systemd shows of the unit nor in the environment of the process."""
    unit = f"juniper-{service}.service"
    shown = keyed.check_output("systemctl --user show %s", unit)
    pid = keyed.check_output("systemctl --user show %s --property=MainPID --value", unit)
    environment = keyed.check_output("tr '\\0' '\\n' </proc/%s/environ", pid)
    assert "CREDENTIALS_DIRECTORY=" in environment
    # Those of TLS are empty.
    keys = [key(keyed, name) for name in keyed.check_output("find %s -size +0 -printf '%%P\\n'", FOLDER).split()]
    assert len(keys) >= 3
    assert [each for each in keys if each in shown + environment] == []


def test_a_rotation_refuses_nobody_who_shows_the_old_key(keyed: Host) -> None:
    """Until it is finished; a restart is no refusal."""
    keyed.run("rm -f asked.stop")
    keyed.check_output("printf %%s %s >asked.key", key(keyed, KEYS))
    keyed.check_output("printf %%s %s >ask_on.sh", ASK_ON)
    keyed.check_output("systemd-run --user --quiet --collect --working-directory=$HOME --unit=ask-on sh ask_on.sh")
    rotated = keyed.run(f"{JUNIPER_CTL} credentials rotate {KEYS}")
    keyed.check_output("touch asked.stop; while systemctl --user --quiet is-active ask-on; do sleep 0.1; done")
    assert rotated.rc == 0, rotated.stderr
    codes = keyed.check_output("cat asked.codes").split()
    assert set(codes) <= {"200", "000"}
    assert "200" in codes

    new, old = key(keyed, KEYS).split(",")
    assert key(keyed, "juniper_cascor_data_api_key") == new
    finished = keyed.run(f"{JUNIPER_CTL} credentials rotate --finish {KEYS}")
    assert finished.rc == 0, finished.stderr
    assert status_of(keyed, old) == "401"
    assert status_of(keyed, new) == "200"
