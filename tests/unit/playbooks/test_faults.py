"""What is wrong with an inventory is said of the host and the variable that it is about."""

from typing import Any

import pytest

from tests.unit.playbooks.plugins import DEFAULTS, EXAMPLE, GROUPS, KNOWN, OPTIONS, plain, plugin, two_hosts

FAULTS = plugin("filter_plugins/juniper_faults.py")
SETTINGS = plugin("filter_plugins/juniper_settings.py")


def faults(hosts: dict[str, dict[str, Any]], groups: dict[str, list[str]] = GROUPS) -> list[str]:
    """All of them, as the role asks for them."""
    sound = FAULTS.juniper_sound(hosts, OPTIONS)
    settings = SETTINGS.juniper_settings(sound, groups, DEFAULTS, KNOWN, plain(sound))
    misspelt: list[str] = FAULTS.juniper_misspelt(hosts, OPTIONS)
    refused: list[str] = FAULTS.juniper_refused(sound, groups, settings, KNOWN, EXAMPLE)
    return misspelt + refused


def test_there_is_nothing_to_say_of_a_sound_inventory() -> None:
    """Of several hosts with keys, and of one without."""
    assert faults(two_hosts(juniper_data_port="9100", juniper_env={"JUNIPER_BACKUP_KEEP_LAST": 14})) == []
    assert faults({"lab": {}}, {name: ["lab"] for name in KNOWN}) == []


@pytest.mark.parametrize(
    ("variables", "fault"),
    [
        ({"juniper_cascorr_env": {}}, "juniper_cascorr_env is no variable; juniper_cascor_env is one"),
        ({"juniper_profile": "prod"}, "juniper_profile=prod is none of production, demo, dev"),
        ({"juniper_gpu": "perhaps"}, "juniper_gpu is no bool"),
        ({"juniper_data_env": ["A"]}, "juniper_data_env is no dict"),
        ({"juniper_data_port": 0}, "juniper_data_port=0 is no port"),
        ({"juniper_data_port": "many"}, "juniper_data_port is no int"),
        ({"juniper_env": None}, "juniper_env has no value: give it one, or leave it out"),
        ({"juniper_env": "A=1"}, "juniper_env is no dict"),
        ({"juniper_tls_names": "juniper.example"}, "juniper_tls_names is no list"),
        ({"juniper_extras": ["rediss"]}, "juniper_extras=['rediss'] is none of redis, postgres, hub"),
        ({"juniper_account": "root"}, "juniper_account=root is no name of an account for services"),
        ({"juniper_ready_timeout_s": -5}, "juniper_ready_timeout_s=-5 is no time"),
        ({"juniper_data_port": 8050}, "data and canopy cannot listen on the ports 8050, 8050 at once"),
        ({"juniper_address": "10.0.0.300"}, "juniper_address=10.0.0.300 is no address that others can be told"),
        ({"juniper_data_address": "::"}, "juniper_data_address=:: is no address that others can be told"),
        ({"juniper_cascor_url": "trainer:8200"}, "juniper_cascor_url=trainer:8200 is no address of a service"),
        (
            {"juniper_cascor_url": "http://10.0.0.2:99999"},
            "juniper_cascor_url=http://10.0.0.2:99999 is no address of a",
        ),
        (
            {"juniper_env": {"JUNIPER_CASCOR_MAX_PARALLEL_RUNS": "many"}},
            "juniper_env: JUNIPER_CASCOR_MAX_PARALLEL_RUNS=many is nothing like 1",
        ),
        (
            {"juniper_env": {"JUNIPER_CASCOR_AUTO_START": "perhaps"}},
            "juniper_env: JUNIPER_CASCOR_AUTO_START=perhaps is nothing like false",
        ),
        (
            {"juniper_env": {"JUNIPER_ENV": "dev"}},
            "juniper_env: JUNIPER_ENV follows from the inventory: set juniper_profile",
        ),
        (
            {"juniper_env": {"JUNIPER_DATA_LOG_LEVL": "DEBUG"}},
            "juniper_env: JUNIPER_DATA_LOG_LEVL is no setting; JUNIPER_DATA_LOG_LEVEL is one",
        ),
        (
            {"juniper_data_env": {"JUNIPER_CASCOR_LOG_LEVEL": "DEBUG"}},
            "juniper_data_env: JUNIPER_CASCOR_LOG_LEVEL is no setting of data",
        ),
        ({"juniper_env": {"JUNIPER_DATA_STORE": "a\nb"}}, "juniper_env: JUNIPER_DATA_STORE has more than one line"),
        ({"juniper_data_drop_ins": {"../own": ""}}, "juniper_data_drop_ins: ../own is no name of a drop-in"),
    ],
)
def test_a_wrong_value_is_named(variables: dict[str, Any], fault: str) -> None:
    """It, and nothing else."""
    (said,) = faults(two_hosts(**variables))
    assert said.startswith(f"front: {fault}")


def test_an_address_that_follows_from_the_inventory_is_looked_at_too() -> None:
    """Others would be sent to it."""
    told = "would listen on ::, which is no address that others can be told: set juniper_address"
    assert faults(two_hosts(ansible_host="::")) == [f"front: data {told}", f"front: canopy {told}"]


def test_a_service_that_others_reach_needs_keys() -> None:
    """Production would not start it; the demo would, and so would one behind a proxy on the same host."""
    hosts = two_hosts(juniper_credentials={})
    assert [fault.split(",")[0] for fault in faults(hosts)] == [
        "front: data listens on 10.0.0.1",
        "front: canopy listens on 10.0.0.1",
    ]
    hosts["front"]["juniper_profile"] = "demo"
    assert faults(hosts) == []


def test_a_credential_is_named_and_not_shown() -> None:
    """Neither one that there is not nor one that is none."""
    said = faults(
        two_hosts(juniper_credentials={"juniper_data_api_key": "geheim", "juniper_data_api_keys": "ge\nheim"})
    )
    assert "front: juniper_credentials: juniper_data_api_key is no credential; juniper_data_api_keys is one" in said
    assert "front: juniper_credentials: juniper_data_api_keys is not one line of text" in said
    assert "heim" not in str(said)


def test_a_group_without_hosts_is_named_where_it_is_called() -> None:
    """Unless the inventory says where the service is; nobody calls the dashboard."""
    groups = {**GROUPS, "data": []}
    hosts = two_hosts()
    assert faults(hosts, groups)[0].startswith("the group data has no host, and ")
    for said in hosts.values():
        said["juniper_data_url"] = "https://data.example"
    assert faults(hosts, {"data": [], "cascor": ["trainer"]}) == []


def test_a_choice_between_two_is_asked_for() -> None:
    """Of the host that has to choose alone."""
    hosts = {**two_hosts(), "third": {**two_hosts()["trainer"], "ansible_host": "10.0.0.3"}}
    groups = {**GROUPS, "data": ["front", "third"]}
    assert faults(hosts, groups) == ["trainer: it may call data on front, third: say with juniper_data_url on which"]


def test_a_service_on_the_loopback_is_out_of_reach() -> None:
    """For the hosts that call it; its own may."""
    (said,) = faults(two_hosts(juniper_data_address="127.0.0.1"))
    assert said.startswith("trainer: it cannot reach data on front")
