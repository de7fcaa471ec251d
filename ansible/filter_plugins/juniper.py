"""Ansible's filters for Juniper: what an inventory says of each host, and what is wrong with it.

Both look at all hosts at once: where a service finds another one is decided by the host of that one.
"""

from __future__ import annotations

import difflib
import ipaddress
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

Variables = Mapping[str, Any]
"""What the inventory sets for one host."""

OLDEST_SYSTEMD = 252
OLDEST_DRIVER = 580
"""CUDA 13, which the pinned torch and CuPy are built for, needs it."""


class Service(NamedTuple):
    """One service as `juniper_ctl.services` knows it; a test compares them."""

    name: str
    prefix: str
    """Of the settings that say where it listens."""
    needs: tuple[str, ...] = ()
    """The services that it calls."""

    @property
    def keys(self) -> str:
        """The credential with the keys that it asks for."""
        return f"juniper_{self.name}_api_keys"

    def shows(self, other: str) -> str:
        """The credential with the key that it shows to another service."""
        return f"juniper_{self.name}_{other}_api_key"

    @property
    def credentials(self) -> tuple[str, ...]:
        """All of its credentials."""
        return (self.keys, *map(self.shows, self.needs))


SERVICES = {
    "data": Service("data", "JUNIPER_DATA_"),
    "cascor": Service("cascor", "JUNIPER_CASCOR_", ("data",)),
    "canopy": Service("canopy", "JUNIPER_CANOPY_SERVER__", ("data", "cascor")),
}
"""In the order of their start."""


class Fleet:
    """All hosts of an inventory."""

    def __init__(self, hosts: Mapping[str, Variables], groups: Mapping[str, Sequence[str]], defaults: Variables):
        own = ("juniper_", "ansible_host", "ansible_facts")
        self.hosts = {
            host: {**defaults, **{name: said[name] for name in said if name.startswith(own)}}
            for host, said in hosts.items()
        }
        self.groups = {name: list(groups.get(name, ())) for name in SERVICES}

    def services(self, host: str) -> list[str]:
        """Those that it is to have, in the order of their start."""
        return [name for name in SERVICES if host in self.groups[name]]

    def address(self, host: str, name: str) -> str:
        """Where a service of the host listens, and where the others find it."""
        said = self.hosts[host]
        own = said.get(f"juniper_{name}_address") or said.get("juniper_address")
        return str(own or ("127.0.0.1" if len(self.hosts) == 1 else said.get("ansible_host", host)))

    def url(self, host: str, name: str) -> str | None:
        """Where the host's services find this one; None: nobody says it."""
        given = self.hosts[host].get(f"juniper_{name}_url")
        if given:
            return str(given)
        provider = self.provider(host, name)
        if provider is None:
            return None
        return self.own_url(provider, name)

    def own_url(self, host: str, name: str) -> str:
        """Where the host's own service is called."""
        address = self.address(host, name)
        bracketed = f"[{address}]" if ":" in address else address
        return f"http://{bracketed}:{self.hosts[host][f'juniper_{name}_port']}"

    def provider(self, host: str, name: str) -> str | None:
        """The host whose service this one calls: itself, or the only one; None: there is no such."""
        having = self.groups[name]
        return host if host in having else having[0] if len(having) == 1 else None

    def environment(self, host: str) -> dict[str, Any]:
        """What `juniper.env` has: where things are, then what the inventory adds."""
        said = self.hosts[host]
        here = self.services(host)
        called = [name for name in ("data", "cascor") if any(name in SERVICES[each].needs for each in here)]
        told: dict[str, Any] = {"JUNIPER_ENV": said["juniper_profile"]}
        told.update({f"JUNIPER_{name.upper()}_URL": self.url(host, name) for name in called})
        for name in here:
            told[f"{SERVICES[name].prefix}HOST"] = self.address(host, name)
            told[f"{SERVICES[name].prefix}PORT"] = said[f"juniper_{name}_port"]
        return {**told, **said["juniper_env"]}

    def credentials(self, host: str) -> dict[str, dict[str, str]]:
        """The credentials of each of the host's services; what it shows to another is the first key of that one."""
        given = self.hosts[host]["juniper_credentials"]
        told: dict[str, dict[str, str]] = {}
        for name in self.services(host):
            service = SERVICES[name]
            told[name] = {service.keys: given.get(service.keys, "")}
            for other in service.needs:
                provider = self.provider(host, other)
                of_other = self.hosts[provider]["juniper_credentials"] if provider else {}
                first = str(of_other.get(SERVICES[other].keys, "")).split(",")[0].strip()
                told[name][service.shows(other)] = given.get(service.shows(other), first)
        return told


def juniper_settings(
    hosts: Mapping[str, Variables], groups: Mapping[str, Sequence[str]], defaults: Variables, host: str
) -> dict[str, Any]:
    """What the roles make of the inventory for one host."""
    fleet = Fleet(hosts, groups, defaults)
    services = fleet.services(host)
    return {
        "services": services,
        "urls": {name: fleet.own_url(host, name) for name in services},
        "env": fleet.environment(host),
        "credentials": fleet.credentials(host),
    }


def juniper_env_file(values: Mapping[str, Any]) -> str:
    """An env file as systemd reads it."""
    return "".join(f"{name}={_quoted(value)}\n" for name, value in values.items())


def _quoted(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if re.fullmatch(r"[\w.,:/@+-]*", text, re.ASCII) else '"' + re.sub(r'(["\\`$])', r"\\\1", text) + '"'


def juniper_is_gpu_fit(facts: Mapping[str, Any]) -> bool:
    """Whether the host's GPUs can be trained on."""
    return bool(
        facts["gpus"] and facts["has_gpu_node"] and int((facts["driver"] or "0").split(".")[0]) >= OLDEST_DRIVER
    )


def juniper_misfits(facts: Mapping[str, Any], wants_gpu: bool) -> list[str]:
    """What the host lacks."""
    found = []
    if (facts["systemd"] or 0) < OLDEST_SYSTEMD:
        found.append(f"systemd is {facts['systemd'] or 'not there'}, and {OLDEST_SYSTEMD} is the oldest that will do")
    if not any(_version(version) >= (3, 11) for version in facts["pythons"].values()):
        seen = ", ".join(f"{path} is {version}" for path, version in facts["pythons"].items()) or "there is none"
        found.append(f"no Python 3.11 or newer ({seen}): apt-get install python3, or what your system calls it")
    if wants_gpu and not juniper_is_gpu_fit(facts):
        driver = f"the driver is {facts['driver']}" if facts["driver"] else "no NVIDIA driver is loaded"
        found.append(
            f"juniper_gpu: {driver}, with {facts['gpus']} GPUs{'' if facts['has_gpu_node'] else ' and no /dev/nvidiactl'}; "
            f"CUDA 13 needs one of {OLDEST_DRIVER} or newer: mend that, or set juniper_gpu to false"
        )
    return found


def juniper_bundle_misfits(bundle: Mapping[str, Any], facts: Mapping[str, Any], wants_gpu: bool) -> list[str]:
    """Why this bundle cannot be installed on the host."""
    found = []
    if bundle["python"] not in facts["pythons"].values():
        seen = ", ".join(facts["pythons"].values())
        found.append(f"the bundle is for Python {bundle['python']}, and the host has {seen}: make one with --python")
    if wants_gpu and "gpu" not in bundle["extras"]:
        found.append("the bundle has no torch and CuPy: set juniper_gpu_bundle, or juniper_gpu to false")
    return found


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def juniper_faults(
    hosts: Mapping[str, Variables],
    groups: Mapping[str, Sequence[str]],
    defaults: Variables,
    options: Mapping[str, Any],
    example: str,
) -> list[str]:
    """All that is wrong with an inventory, a line each.

    Args:
        hosts: the variables of each host.
        groups: the inventory's groups.
        defaults: of the variables that it does not set.
        options: the role's argument specification.
        example: `conf/juniper.env.example`, which has every setting.
    """
    misspelt = [
        f"{host}: {fault}"
        for host, said in hosts.items()
        for fault in (*_unknown(said, options), *_types(said, options))
    ]
    if misspelt:
        # What is of another type than it must be cannot be looked into.
        return misspelt
    fleet = Fleet(hosts, groups, defaults)
    settings = frozenset(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", example, re.MULTILINE))
    return [
        *_groups(fleet),
        *(
            f"{host}: {fault}"
            for host in hosts
            for fault in (
                *_addresses(fleet, host),
                *_env(fleet.hosts[host], settings),
                *_drop_ins(fleet.hosts[host]),
                *_credentials(fleet.hosts[host]),
                *_calls(fleet, host),
                *_exposed(fleet, host),
            )
        ),
    ]


def _unknown(said: Variables, options: Mapping[str, Any]) -> Iterator[str]:
    for name in said:
        if (
            name.startswith("juniper_")
            and name not in options
            and not name.startswith(("juniper_host_", "juniper_service_"))
        ):
            near = difflib.get_close_matches(name, options, 1)
            yield f"{name} is no variable{f'; {near[0]} is one' if near else ''}"


def _types(said: Variables, options: Mapping[str, Any]) -> list[str]:
    spec = {
        name: {key: value for key, value in option.items() if key in ("type", "elements", "choices")}
        for name, option in options.items()
    }
    given = {name: said[name] for name in options if name in said}
    return list(ArgumentSpecValidator(spec).validate(given).error_messages)


def _groups(fleet: Fleet) -> Iterator[str]:
    for name, having in fleet.groups.items():
        needing = [each for each in SERVICES.values() if name in each.needs and fleet.groups[each.name]]
        if not having and all(fleet.url(host, name) for each in needing for host in fleet.groups[each.name]):
            continue
        if not having:
            yield f"the group {name} has no host, and {needing[0].name} needs it: name one, or set juniper_{name}_url"


def _addresses(fleet: Fleet, host: str) -> Iterator[str]:
    said = fleet.hosts[host]
    for name in SERVICES:
        port = said[f"juniper_{name}_port"]
        if not 1 <= int(port) <= 65535:
            yield f"juniper_{name}_port={port} is no port"
    ports = [int(said[f"juniper_{name}_port"]) for name in fleet.services(host)]
    if len(set(ports)) < len(ports):
        yield f"two of its services have the same port: {', '.join(map(str, ports))}"
    for variable in ("juniper_address", *(f"juniper_{name}_address" for name in SERVICES)):
        address = said.get(variable)
        if address and not _is_address(address):
            yield f"{variable}={address} is no address that others can be told"
    for variable in ("juniper_data_url", "juniper_cascor_url"):
        if said.get(variable) and not re.fullmatch(r"https?://[^\s/]+/?", str(said[variable])):
            yield f"{variable}={said[variable]} is no address of a service, as http://10.0.0.5:8100 is"


def _is_address(text: str) -> bool:
    try:
        return not ipaddress.ip_address(text).is_unspecified
    except ValueError:
        is_number = re.fullmatch(r"[\d.]+", text) is not None
        return not is_number and re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", text) is not None


def _env(said: Variables, settings: frozenset[str]) -> Iterator[str]:
    derived = {"JUNIPER_ENV": "juniper_profile"}
    for name, service in SERVICES.items():
        derived[f"JUNIPER_{name.upper()}_URL"] = f"juniper_{name}_url"
        derived[f"{service.prefix}HOST"] = f"juniper_{name}_address"
        derived[f"{service.prefix}PORT"] = f"juniper_{name}_port"
    for variable, own in (("juniper_env", None), *((f"juniper_{name}_env", name) for name in SERVICES)):
        others = tuple(f"JUNIPER_{name.upper()}_" for name in SERVICES if own and name != own)
        for name, value in said[variable].items():
            near = difflib.get_close_matches(name, settings, 1)
            if name in derived:
                yield f"{variable}: {name} follows from the inventory: set {derived[name]}"
            elif name not in settings:
                yield f"{variable}: {name} is no setting{f'; {near[0]} is one' if near else ''}"
            elif name.startswith(others):
                yield f"{variable}: {name} is no setting of {own}"
            elif "\n" in str(value):
                yield f"{variable}: {name} has more than one line"


def _drop_ins(said: Variables) -> Iterator[str]:
    for name in SERVICES:
        for file in said[f"juniper_{name}_drop_ins"]:
            if not re.fullmatch(r"[\w-][\w.-]*\.conf", file):
                yield f"juniper_{name}_drop_ins: {file} is no name of a drop-in, as 60-own.conf is"


def _credentials(said: Variables) -> Iterator[str]:
    """Without a word of what they hold."""
    known = [credential for service in SERVICES.values() for credential in service.credentials]
    for name, value in said["juniper_credentials"].items():
        if name not in known:
            yield f"juniper_credentials: {name} is no credential; there are {', '.join(known)}"
        elif not isinstance(value, str) or not value.strip() or "\n" in value.strip():
            yield f"juniper_credentials: {name} is not one line of text"


def _calls(fleet: Fleet, host: str) -> Iterator[str]:
    """Services that the host's own ones do not find."""
    for other in ("data", "cascor"):
        callers = [name for name in fleet.services(host) if other in SERVICES[name].needs]
        if not callers or fleet.hosts[host].get(f"juniper_{other}_url"):
            continue
        provider = fleet.provider(host, other)
        if provider is None and fleet.groups[other]:
            yield f"{callers[0]} can call {other} on {', '.join(fleet.groups[other])}: say which with juniper_{other}_url"
        elif provider not in (None, host) and _is_loopback(fleet.address(str(provider), other)):
            yield f"{callers[0]} cannot reach {other} on {provider}, which listens on {fleet.address(str(provider), other)}"


def _exposed(fleet: Fleet, host: str) -> Iterator[str]:
    """Services that others reach and that ask for no key: production refuses to start them."""
    said = fleet.hosts[host]
    for name in fleet.services(host):
        keys = SERVICES[name].keys
        is_open = not _is_loopback(fleet.address(host, name)) and keys not in said["juniper_credentials"]
        if said["juniper_profile"] == "production" and is_open:
            yield f"{name} listens on {fleet.address(host, name)}, which others reach, without keys: set juniper_credentials.{keys}"


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost" or address.endswith(".localhost")


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, Any]:
        """The filters by their names."""
        named = (
            juniper_settings,
            juniper_faults,
            juniper_env_file,
            juniper_is_gpu_fit,
            juniper_misfits,
            juniper_bundle_misfits,
        )
        return {each.__name__: each for each in named}
