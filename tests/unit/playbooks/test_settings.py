"""What follows from an inventory."""

from typing import Any

from juniper_ctl.env_file import parse
from juniper_ctl.services import SERVICES
from tests.unit.playbooks.plugins import DEFAULTS, GROUPS, KEYS, KNOWN, OPTIONS, plain, plugin, two_hosts

PLUGIN = plugin("filter_plugins/juniper_settings.py")


def settings(hosts: dict[str, dict[str, Any]], groups: dict[str, list[str]] = GROUPS) -> Any:
    """Of all hosts."""
    return PLUGIN.juniper_settings(hosts, groups, DEFAULTS, KNOWN, plain(hosts))


def test_a_service_listens_where_the_others_are_told_to_call() -> None:
    """The address is the one that Ansible goes to."""
    told = settings(two_hosts())
    assert told["front"]["env"] == {
        "JUNIPER_ENV": "production",
        "JUNIPER_DATA_URL": "http://10.0.0.1:8100",
        "JUNIPER_CASCOR_URL": "http://10.0.0.2:8200",
        "JUNIPER_DATA_HOST": "10.0.0.1",
        "JUNIPER_DATA_PORT": 8100,
        "JUNIPER_CANOPY_SERVER__HOST": "10.0.0.1",
        "JUNIPER_CANOPY_SERVER__PORT": 8050,
    }
    assert told["trainer"]["env"]["JUNIPER_DATA_URL"] == told["front"]["urls"]["data"]


def test_one_host_keeps_to_its_loopback() -> None:
    """Nobody else calls its services."""
    told = settings({"lab": {"ansible_host": "10.0.0.1"}}, {name: ["lab"] for name in KNOWN})
    assert set(told["lab"]["addresses"].values()) == {"127.0.0.1"}
    assert told["lab"]["services"] == ["data", "cascor", "canopy"]


def test_what_the_inventory_says_of_an_address_counts() -> None:
    """Of one service more than of its host; an IPv6 address has its brackets in a URL."""
    hosts = two_hosts(juniper_address="fd00::1", juniper_canopy_address="127.0.0.1", juniper_data_port=9100)
    told = settings(hosts)
    assert told["front"]["addresses"] == {"data": "fd00::1", "canopy": "127.0.0.1"}
    assert told["trainer"]["env"]["JUNIPER_DATA_URL"] == "http://[fd00::1]:9100"


def test_of_two_hosts_with_a_service_one_calls_its_own() -> None:
    """And another one calls the one that it is told."""
    groups = {**GROUPS, "data": ["front", "trainer"]}
    hosts = two_hosts()
    assert settings(hosts, groups)["trainer"]["calls"]["data"] == {"host": "trainer", "url": "http://10.0.0.2:8100"}
    hosts["trainer"]["juniper_data_url"] = "http://10.0.0.1:8100"
    assert settings(hosts, groups)["trainer"]["env"]["JUNIPER_DATA_URL"] == "http://10.0.0.1:8100"


def test_the_key_follows_the_address_that_the_inventory_says() -> None:
    """Of the host that is there; a stranger is shown no key of the inventory's."""
    groups = {**GROUPS, "data": ["front", "trainer"]}
    hosts = two_hosts()
    hosts["front"]["juniper_credentials"] = {**KEYS, "juniper_data_api_keys": "of-front"}
    hosts["trainer"]["juniper_data_url"] = "http://10.0.0.1:8100/"
    told = settings(hosts, groups)["trainer"]
    assert told["calls"]["data"]["host"] == "front"
    assert told["credentials"]["cascor"]["juniper_cascor_data_api_key"] == "of-front"
    hosts["trainer"]["juniper_data_url"] = "https://other.example"
    told = settings(hosts, groups)["trainer"]
    assert told["calls"]["data"]["host"] is None
    assert told["credentials"]["cascor"]["juniper_cascor_data_api_key"] == ""


def test_a_service_shows_the_first_key_of_the_one_that_it_calls() -> None:
    """Unless the inventory says another one."""
    hosts = two_hosts()
    hosts["trainer"]["juniper_credentials"] = {"juniper_cascor_data_api_key": "another"}
    told = settings(hosts)
    assert {name: text for name, text in told["front"]["credentials"]["canopy"].items() if text} == {
        "juniper_canopy_api_keys": KEYS["juniper_canopy_api_keys"],
        "juniper_canopy_data_api_key": "of-data",
    }
    assert told["trainer"]["credentials"]["cascor"]["juniper_cascor_data_api_key"] == "another"


def test_a_credential_that_the_unit_names_is_given_to_its_service() -> None:
    """As the password of a store; what the inventory does not say is empty."""
    hosts = two_hosts(juniper_credentials={"juniper_data_redis_password": "geheim"})
    of_data = settings(hosts)["front"]["credentials"]["data"]
    assert (of_data["juniper_data_redis_password"], of_data["juniper_data_kaggle_key"]) == ("geheim", "")


def test_with_tls_all_call_by_https_and_have_the_certificate_of_their_host() -> None:
    """A host without TLS believes the CA too, and calls the other one by https."""
    hosts = two_hosts(juniper_tls="yes")
    pem = {"front": {"certificate": "C", "key": "K", "ca": "A"}, "trainer": {"certificate": "", "key": "", "ca": "A"}}
    told = PLUGIN.juniper_settings(hosts, GROUPS, DEFAULTS, KNOWN, pem)
    assert told["front"]["urls"]["data"] == told["trainer"]["env"]["JUNIPER_DATA_URL"] == "https://10.0.0.1:8100"
    assert told["front"]["env"]["JUNIPER_CASCOR_URL"] == "http://10.0.0.2:8200"
    of_canopy, of_cascor = told["front"]["credentials"]["canopy"], told["trainer"]["credentials"]["cascor"]
    assert [of_canopy[f"juniper_{what}"] for what in ("canopy_tls_certificate", "canopy_tls_key", "ca")] == list("CKA")
    assert [of_cascor[f"juniper_{what}"] for what in ("cascor_tls_certificate", "cascor_tls_key", "ca")] == [
        "",
        "",
        "A",
    ]


def test_the_services_are_those_of_juniper_ctl() -> None:
    """Their order, their settings, their ports and their credentials."""
    told = settings({"lab": {}}, {name: ["lab"] for name in KNOWN})["lab"]
    assert told["services"] == [service.name for service in SERVICES]
    for service in SERVICES:
        assert f"{KNOWN[service.name]['listens']}PORT" == service.port_variable
        assert DEFAULTS[f"juniper_{service.name}_port"] == service.default_port
        assert set(told["credentials"][service.name]) == set(service.credentials)


def test_systemd_reads_what_the_inventory_said() -> None:
    """Quotes, spaces and what a shell would make something of."""
    values = {"A": "plain", "B": 'a "b" \\ $c `d` #e', "C": "", "D": "ü", "E": "'"}
    assert parse(PLUGIN.juniper_env_file(values)) == values
    assert parse(PLUGIN.juniper_env_file({"A": True, "D": None, "B": 3, "C": {"n": [1]}})) == {
        "A": "true",
        "D": "",
        "B": "3",
        "C": '{"n": [1]}',
    }


def test_the_specification_says_the_defaults() -> None:
    """Both are read: the one by people, the other by Ansible."""
    said = {name: option["default"] for name, option in OPTIONS.items() if "default" in option}
    assert said == DEFAULTS
