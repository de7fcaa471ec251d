"""Ansible's filters that say what follows from an inventory of Juniper.

All hosts are looked at together: where a service finds another one is decided by the host of that one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ansible.module_utils.parsing.convert_bool import boolean

Variables = Mapping[str, Any]
"""What the inventory sets for one host."""


def juniper_settings(
    hosts: Mapping[str, Variables],
    groups: Mapping[str, Sequence[str]],
    defaults: Variables,
    services: Mapping[str, Mapping[str, Any]],
    certificates: Mapping[str, Mapping[str, str]],
) -> dict[str, dict[str, Any]]:
    """What the roles make of the inventory, for each host.

    Args:
        hosts: the variables of each host.
        groups: the inventory's groups; those of the services' names say who has which.
        defaults: of the variables that the inventory does not set.
        services: all that there are, in the order of their start, as the role's `juniper_known` has them.
        certificates: of each host, with its key and whom it believes, as the filter `juniper_certificates` has them.
    """
    own = ("juniper_", "ansible_host")
    said = {
        host: {**defaults, **{name: each[name] for name in each if name.startswith(own)}}
        for host, each in hosts.items()
    }
    having = {name: [host for host in groups.get(name, ()) if host in said] for name in services}
    fleet = Fleet(said, having, services, certificates)
    return {host: fleet.settings(host) for host in hosts}


def juniper_env_file(values: Mapping[str, Any]) -> str:
    """An env file as systemd reads it."""
    return "".join(f"{name}={_quoted(value)}\n" for name, value in values.items())


def _quoted(value: Any) -> str:
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value)
    return text if re.fullmatch(r"[\w.,:/@+-]*", text, re.ASCII) else '"' + re.sub(r'(["\\`$])', r"\\\1", text) + '"'


class Fleet(NamedTuple):
    """All hosts of an inventory."""

    said: Mapping[str, Variables]
    having: Mapping[str, Sequence[str]]
    """The hosts that have a service."""
    services: Mapping[str, Mapping[str, Any]]
    certificates: Mapping[str, Mapping[str, str]]

    def settings(self, host: str) -> dict[str, Any]:
        """Everything that follows for one host."""
        here = [name for name in self.services if host in self.having[name]]
        called = [name for name in self.services if any(name in self.services[each]["calls"] for each in here)]
        return {
            "services": here,
            "addresses": {name: self.address(host, name) for name in here},
            "urls": {name: self.url(host, name) for name in here},
            "calls": {name: {"host": self.provider(host, name), "url": self.called(host, name)} for name in called},
            "env": self.environment(host, here, called),
            "credentials": {name: self.credentials(host, name) for name in here},
        }

    def address(self, host: str, name: str) -> str:
        """Where a service of the host listens, and where the others find it."""
        said = self.said[host]
        given = said.get(f"juniper_{name}_address") or said.get("juniper_address")
        return str(given or ("127.0.0.1" if len(self.said) == 1 else said.get("ansible_host", host)))

    def url(self, host: str, name: str) -> str:
        """The same, with the port."""
        address = self.address(host, name)
        bracketed = f"[{address}]" if ":" in address else address
        scheme = "https" if boolean(self.said[host]["juniper_tls"]) else "http"
        return f"{scheme}://{bracketed}:{self.said[host][f'juniper_{name}_port']}"

    def provider(self, host: str, name: str) -> str | None:
        """The host whose service this one calls: the one at the URL that is said, itself, or the only one that has it.

        None: there is no such in the inventory.
        """
        having = self.having[name]
        said = self.said[host].get(f"juniper_{name}_url")
        if said:
            return next((other for other in having if self.url(other, name) == str(said).rstrip("/")), None)
        return host if host in having else having[0] if len(having) == 1 else None

    def called(self, host: str, name: str) -> str | None:
        """Where the host's services find another one; None: nothing says it."""
        given = self.said[host].get(f"juniper_{name}_url")
        provider = self.provider(host, name)
        return str(given) if given else self.url(provider, name) if provider else None

    def environment(self, host: str, here: Sequence[str], called: Sequence[str]) -> dict[str, Any]:
        """What `juniper.env` has: where things are, then what the inventory adds."""
        said = self.said[host]
        told: dict[str, Any] = {"JUNIPER_ENV": said["juniper_profile"]}
        told.update({f"JUNIPER_{name.upper()}_URL": self.called(host, name) for name in called})
        for name in here:
            listens = self.services[name]["listens"]
            told[f"{listens}HOST"] = self.address(host, name)
            told[f"{listens}PORT"] = said[f"juniper_{name}_port"]
        return {**told, **said["juniper_env"]}

    def credentials(self, host: str, name: str) -> dict[str, str]:
        """Of one service.

        What it shows to another one is the first key of that one, if nothing else is said.
        """
        given = self.said[host]["juniper_credentials"]
        told = {each: given.get(each, "") for each in (f"juniper_{name}_api_keys", *self.services[name]["credentials"])}
        for other in self.services[name]["calls"]:
            provider = self.provider(host, other)
            theirs = self.said[provider]["juniper_credentials"] if provider else {}
            first = str(theirs.get(f"juniper_{other}_api_keys", "")).split(",")[0].strip()
            shown = f"juniper_{name}_{other}_api_key"
            told[shown] = given.get(shown, first)
        pem = self.certificates[host]
        tls = {f"juniper_{name}_tls_{what}": pem[what] for what in ("certificate", "key")}
        return {**told, **tls, "juniper_ca": pem["ca"]}


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, Any]:
        """The filters by their names."""
        return {each.__name__: each for each in (juniper_settings, juniper_env_file)}
