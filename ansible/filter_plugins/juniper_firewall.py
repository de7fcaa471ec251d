"""Ansible's filters that say who reaches the ports of a host's services."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from ansible.module_utils.parsing.convert_bool import boolean

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Kind = TypeVar("Kind", ipaddress.IPv4Network, ipaddress.IPv6Network)
Variables = Mapping[str, Any]
"""What the inventory sets for one host."""
Settings = Mapping[str, Mapping[str, Any]]
"""What the filter `juniper_settings` made for each host."""

FROM = "juniper_dashboard_from"


def juniper_firewall_rules(hosts: Mapping[str, Variables], settings: Settings, host: str) -> list[dict[str, Any]]:
    """The port of each service of a host, with the networks that reach it: the other hosts; of the dashboard others."""
    others = [network for other in settings if other != host for network in _of(other, hosts, settings)]
    seeing = [network for text in hosts[host].get(FROM, []) for network in _networks(text)]
    return [
        {
            "service": name,
            "port": url.rpartition(":")[2],
            "from": {
                "ip": _collapsed(sources, ipaddress.IPv4Network),
                "ip6": _collapsed(sources, ipaddress.IPv6Network),
            },
        }
        for name, url in settings[host]["urls"].items()
        for sources in [seeing if name == "canopy" else others]
    ]


def _collapsed(networks: Sequence[Network], kind: type[Kind]) -> list[str]:
    """Those of a kind: nft takes none that lie in each other."""
    return [str(each) for each in ipaddress.collapse_addresses([each for each in networks if isinstance(each, kind)])]


def juniper_firewall_faults(hosts: Mapping[str, Variables], settings: Settings) -> list[str]:
    """Who cannot be let through, since a firewall knows addresses alone."""
    guarded = [host for host, said in hosts.items() if boolean(said.get("juniper_firewall", False))]
    wrong = [
        f"{host}: {FROM}: {text} is no network, as 10.0.0.0/24 is one"
        for host in guarded
        for text in hosts[host].get(FROM, [])
        if not any(_networks(text))
    ]
    nameless = [
        f"{other}: {' and '.join(others_of)} would not let it through: set juniper_address to an address, not a name"
        for other in settings
        if (others_of := [host for host in guarded if host != other]) and not any(_of(other, hosts, settings))
    ]
    return wrong + nameless


def _of(host: str, hosts: Mapping[str, Variables], settings: Settings) -> Iterator[Network]:
    """The addresses of a host that others see."""
    told = (hosts[host].get("ansible_host", host), *settings[host]["addresses"].values())
    for text in dict.fromkeys(map(str, told)):
        yield from (network for network in _networks(text) if not network.is_loopback)


def _networks(text: Any) -> Iterator[Network]:
    """The one that it is, or none."""
    try:
        yield ipaddress.ip_network(str(text), strict=False)
    except ValueError:
        return


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, Any]:
        """The filters by their names."""
        return {each.__name__: each for each in (juniper_firewall_rules, juniper_firewall_faults)}
