"""Who reaches the ports of a host's services."""

from typing import Any

from tests.unit.playbooks.plugins import DEFAULTS, GROUPS, KNOWN, plain, plugin, two_hosts

FIREWALL = plugin("filter_plugins/juniper_firewall.py")
SETTINGS = plugin("filter_plugins/juniper_settings.py")


def settings(hosts: dict[str, dict[str, Any]]) -> Any:
    """What follows from the inventory."""
    return SETTINGS.juniper_settings(hosts, GROUPS, DEFAULTS, KNOWN, plain(hosts))


def test_the_other_hosts_reach_the_data_and_whom_the_inventory_names_the_dashboard() -> None:
    """By all addresses that the inventory knows of a host; networks that lie in each other are one."""
    hosts = two_hosts(juniper_dashboard_from=["192.0.2.0/24", "192.0.2.7", "fd00::/64"])
    hosts["trainer"]["juniper_address"] = "fd01::2"
    assert FIREWALL.juniper_firewall_rules(hosts, settings(hosts), "front") == [
        {"service": "data", "port": "8100", "from": {"ip": ["10.0.0.2/32"], "ip6": ["fd01::2/128"]}},
        {"service": "canopy", "port": "8050", "from": {"ip": ["192.0.2.0/24"], "ip6": ["fd00::/64"]}},
    ]


def test_nobody_reaches_the_dashboard_where_nothing_is_said() -> None:
    """Other hosts neither: none calls it."""
    hosts = two_hosts()
    (_, canopy) = FIREWALL.juniper_firewall_rules(hosts, settings(hosts), "front")
    assert canopy["from"] == {"ip": [], "ip6": []}


def test_what_is_no_address_is_named() -> None:
    """A network of the dashboard's, and a host that is known by its name alone."""
    hosts = two_hosts(juniper_firewall=True, juniper_dashboard_from=["lab.example"])
    hosts["trainer"]["ansible_host"] = "trainer.lab.example"
    assert FIREWALL.juniper_firewall_faults(hosts, settings(hosts)) == [
        "front: juniper_dashboard_from: lab.example is no network, as 10.0.0.0/24 is one",
        "trainer: front would not let it through: set juniper_address to an address, not a name",
    ]
    hosts["front"]["juniper_firewall"] = False
    assert FIREWALL.juniper_firewall_faults(hosts, settings(hosts)) == []
