"""Ansible on two hosts: from bare to ready, and nothing that is wrong gets that far."""

import httpx
import pytest

from tests.host.fleet import GROUPS, Rollout, key
from tests.host.user_units import eventually

pytestmark = [pytest.mark.host, pytest.mark.timeout(1800)]


def test_check_mode_on_bare_hosts_does_not_fail(rollout: Rollout) -> None:
    """It tells of each host what would be changed, the release too, and changes nothing."""
    rollout.checked.require()
    assert all(counts["changed"] >= 4 for counts in rollout.checked.recap.values())
    assert rollout.changed_by_these == ""


def test_each_wrong_value_is_named_before_anything_is_changed(rollout: Rollout) -> None:
    """Of all hosts at once, so that an inventory is mended in one go."""
    assert rollout.refused.code != 0
    for fault in (
        "a: juniper_data_port=99999 is no port",
        "a: juniper_profile=prodution is none of production, demo, dev",
        "a: juniper_cascorr_env is no variable; juniper_cascor_env is one",
        "b: juniper_address=300.1.1.1 is no address",
        "b: juniper_env: JUNIPER_CASCOR_LOG_LEVL is no setting; JUNIPER_CASCOR_LOG_LEVEL is one",
    ):
        assert fault in rollout.refused.output
    assert {counts["changed"] for counts in rollout.refused.recap.values()} == {0}


def test_bare_hosts_become_ready_with_one_playbook(rollout: Rollout) -> None:
    """Each service answers at the address that the inventory says, and asks for a key."""
    rollout.first.require()
    fleet = rollout.fleet
    for host, port, path in (("a", 8100, "/v1/datasets"), ("b", 8200, "/v1/runs"), ("a", 8050, "/api/status")):
        assert httpx.get(fleet.url(host, port, "/v1/health/ready")).status_code == 200
        assert httpx.get(fleet.url(host, port, path)).status_code == 401


def test_a_second_run_changes_nothing(rollout: Rollout) -> None:
    """On no host, and nothing is made on the controller."""
    second = rollout.fleet.play("site.yml").require()
    assert {host: counts["changed"] for host, counts in second.recap.items()} == {"a": 0, "b": 0}


def test_check_mode_finds_nothing_to_change_then(rollout: Rollout) -> None:
    """So that drift of a host is what it shows."""
    checked = rollout.fleet.play("site.yml", "--check").require()
    assert {host: counts["changed"] for host, counts in checked.recap.items()} == {"a": 0, "b": 0}


def test_a_dataset_of_one_host_is_trained_on_by_the_other_and_shown_by_the_first(rollout: Rollout) -> None:
    """The services find each other by the addresses, and show the keys, that follow from the inventory."""
    fleet = rollout.fleet
    body = {"generator": "xor", "params": {"seed": 7}}
    made = httpx.post(fleet.url("a", 8100, "/v1/datasets"), json=body, headers=key("data"))
    dataset = made.raise_for_status().json()["meta"]["dataset_id"]
    run = {"dataset": {"dataset_id": dataset}, "params": {"max_epochs": 5}, "start_fresh": True}
    started = httpx.post(fleet.url("b", 8200, "/v1/training/start"), json=run, headers=key("cascor"), timeout=60)
    run_id = started.raise_for_status().json()["data"]["run_id"]

    def shown() -> dict[str, object]:
        answer = httpx.get(fleet.url("a", 8050, "/api/status"), headers=key("canopy"), timeout=60)
        told: dict[str, object] = answer.raise_for_status().json()
        return told

    eventually(lambda: shown()["run_id"] == run_id, "the dashboard shows the run")
    assert shown()["dataset_id"] == dataset


def test_what_a_service_reads_is_changed_and_it_alone_restarted(rollout: Rollout) -> None:
    """The dashboard gets another setting and limit; the data service on the same host goes on as the process it was."""
    host = rollout.fleet.hosts["a"]
    shown = ["systemctl", "--user", "-M", "juniper@", "show", "--value"]
    ids = [*shown, "--property=MainPID", "juniper-data", "juniper-canopy"]
    before = host.run_as_root(*ids).split()
    told = {
        "juniper_canopy_env": {"JUNIPER_CANOPY_SESSION_HOURS": 6},
        "juniper_canopy_drop_ins": {"60-own.conf": "[Service]\nMemoryMax=1500M\n"},
    }
    changed = rollout.fleet.play("site.yml", more={"a": told}).require()
    after = host.run_as_root(*ids).split()
    assert (before[0], before[1] != after[1]) == (after[0], True)
    assert host.run_as_root(*shown, "--property=MemoryMax", "juniper-canopy").strip() == str(1500 << 20)
    # Two files and a folder, that it is stale, and the restart.
    assert {name: counts["changed"] for name, counts in changed.recap.items()} == {"a": 5, "b": 0}
    # It is the host's own from now on; the next test's playbooks bring the setting back.
    host.run_as_root("rm", "-r", "/home/juniper/.config/systemd/user/juniper-canopy.service.d/60-own.conf")


def test_a_service_that_moves_is_stopped_where_it_was(rollout: Rollout) -> None:
    """Else it would run on without a unit, and answer whoever has the old address."""
    fleet = rollout.fleet
    fleet.play("site.yml", groups={**GROUPS, "canopy": ("b",)}).require()
    with pytest.raises(httpx.ConnectError):
        httpx.get(fleet.url("a", 8050, "/v1/health/ready"))
    assert httpx.get(fleet.url("b", 8050, "/v1/health/ready")).status_code == 200
    fleet.play("site.yml").require()
