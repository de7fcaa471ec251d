"""Ansible's filters that say what is wrong with an inventory of Juniper, a line for each fault.

No line has a word of what a credential holds.
"""

from __future__ import annotations

import difflib
import ipaddress
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

Variables = Mapping[str, Any]
"""What the inventory sets for one host."""
Services = Mapping[str, Mapping[str, Any]]
"""The role's `juniper_known`."""
Settings = Mapping[str, Mapping[str, Any]]
"""What the filter `juniper_settings` made for each host."""


def juniper_misspelt(hosts: Mapping[str, Variables], options: Mapping[str, Any]) -> list[str]:
    """Variables that there are not, and values that are of another type or none of those that there are.

    Args:
        hosts: the variables of each host.
        options: the role's argument specification.
    """
    return [
        f"{host}: {fault}"
        for host, said in hosts.items()
        for fault in (*_unknown(said, options), *_mistyped(said, options))
    ]


def _unknown(said: Variables, options: Mapping[str, Any]) -> Iterator[str]:
    of_roles = tuple(f"juniper_{role}_" for role in ("host", "service", "certificates", "firewall"))
    for name in said:
        if name.startswith("juniper_") and name not in options and not name.startswith(of_roles):
            yield f"{name} is no variable{_like(name, options)}"


def _mistyped(said: Variables, options: Mapping[str, Any]) -> Iterator[str]:
    for name, option in options.items():
        if name not in said:
            continue
        kept = {key: option[key] for key in ("type", "elements", "choices") if key in option}
        # Ansible would take a text for a list or dict too, and split it.
        is_text = isinstance(said[name], str) and kept["type"] in ("list", "dict")
        if said[name] is None:
            yield f"{name} has no value: give it one, or leave it out"
        elif is_text or ArgumentSpecValidator({name: kept}).validate({name: said[name]}).error_messages:
            choices = "" if is_text else ", ".join(kept.get("choices", ()))
            yield f"{name}={said[name]} is none of {choices}" if choices else f"{name} is no {kept['type']}"


def juniper_sound(hosts: Mapping[str, Variables], options: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Juniper's variables of each host without those whose type is wrong, so that the rest can be looked into."""
    own = ("juniper_", "ansible_host")
    return {
        host: {
            name: said[name]
            for name in said
            if name.startswith(own) and not any(_mistyped({name: said[name]}, options))
        }
        for host, said in hosts.items()
    }


def juniper_refused(
    hosts: Mapping[str, Variables],
    groups: Mapping[str, Sequence[str]],
    settings: Settings,
    services: Services,
    example: str,
) -> list[str]:
    """Values that no host could do anything with, and services that would not find each other.

    Args:
        hosts: the variables of each host.
        groups: the inventory's groups.
        settings: what follows from them.
        services: all that there are.
        example: `conf/juniper.env.example`, which has every setting.
    """
    known = dict(re.findall(r"^#?([A-Z][A-Z0-9_]+)=(.*)$", example, re.MULTILINE))
    return [
        *_lacking(groups, settings),
        *(
            f"{host}: {fault}"
            for host, said in hosts.items()
            for fault in (
                *_ports(said, settings[host]),
                *_addresses(said, settings[host]),
                *_account(said),
                *_timeout(said),
                *_env(said, services, known),
                *_drop_ins(said, services),
                *_credentials(said, services),
                *_calls(groups, settings, host),
                *_exposed(settings[host]),
            )
        ),
    ]


def _lacking(groups: Mapping[str, Sequence[str]], settings: Settings) -> Iterator[str]:
    """Services that are called and that nobody has."""
    lacking = {
        name: host
        for host, said in settings.items()
        for name, call in said["calls"].items()
        if not groups.get(name) and not call["url"]
    }
    for name, host in lacking.items():
        yield f"the group {name} has no host, and {host} calls it: name one, or set juniper_{name}_url"


def _ports(said: Variables, settings: Mapping[str, Any]) -> Iterator[str]:
    for name, port in said.items():
        if name.startswith("juniper_") and name.endswith("_port") and not 1 <= int(port) <= 65535:
            yield f"{name}={port} is no port"
    ports = [str(url).rpartition(":")[2] for url in settings["urls"].values()]
    if len(set(ports)) < len(ports):
        yield f"{' and '.join(settings['urls'])} cannot listen on the ports {', '.join(ports)} at once"


def _account(said: Variables) -> Iterator[str]:
    account = said.get("juniper_account", "juniper")
    if not re.fullmatch(r"[a-z_][a-z0-9_-]{0,31}", account) or account == "root":
        yield f"juniper_account={account} is no name of an account for services"


def _timeout(said: Variables) -> Iterator[str]:
    if int(said.get("juniper_ready_timeout_s", 1)) < 1:
        yield f"juniper_ready_timeout_s={said['juniper_ready_timeout_s']} is no time"


def _addresses(said: Variables, settings: Mapping[str, Any]) -> Iterator[str]:
    for name, address in settings["addresses"].items():
        if not {f"juniper_{name}_address", "juniper_address"} & set(said) and not _is_address(address):
            yield f"{name} would listen on {address}, which is no address that others can be told: set juniper_address"
    for name, value in said.items():
        if re.fullmatch(r"juniper_(\w+_)?address", name) and not _is_address(value):
            yield f"{name}={value} is no address that others can be told"
        if re.fullmatch(r"juniper_\w+_url", name) and not _is_url(str(value)):
            yield f"{name}={value} is no address of a service, as http://10.0.0.5:8100 is one"


def _is_url(text: str) -> bool:
    try:
        return re.fullmatch(r"https?://[^\s/@]+/?", text) is not None and urlsplit(text).port != 0
    except ValueError:
        return False


def _is_address(text: str) -> bool:
    try:
        return not ipaddress.ip_address(text).is_unspecified
    except ValueError:
        is_number = re.fullmatch(r"[\d.]+", text) is not None
        return not is_number and re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", text) is not None


def _env(said: Variables, services: Services, known: Mapping[str, str]) -> Iterator[str]:
    derived = {"JUNIPER_ENV": "juniper_profile"}
    for name, service in services.items():
        derived[f"JUNIPER_{name.upper()}_URL"] = f"juniper_{name}_url"
        derived[f"{service['listens']}HOST"] = f"juniper_{name}_address"
        derived[f"{service['listens']}PORT"] = f"juniper_{name}_port"
    for owner in (None, *services):
        variable = f"juniper_{owner}_env" if owner else "juniper_env"
        others = tuple(f"JUNIPER_{name.upper()}_" for name in services if owner and name != owner)
        for name, value in said.get(variable, {}).items():
            if name in derived:
                yield f"{variable}: {name} follows from the inventory: set {derived[name]}"
            elif name not in known:
                yield f"{variable}: {name} is no setting{_like(name, known)}"
            elif name.startswith(others):
                yield f"{variable}: {name} is no setting of {owner}"
            elif "\n" in str(value):
                yield f"{variable}: {name} has more than one line"
            elif not _is_like(value, known[name]):
                yield f"{variable}: {name}={value} is nothing like {known[name]}"


def _is_like(value: Any, default: str) -> bool:
    """Whether it is a number or a boolean where the default is one; the services themselves look closer."""
    told = value if isinstance(value, str) else json.dumps(value)
    if default in ("true", "false"):
        return told.lower() in ("true", "false", "1", "0", "yes", "no", "on", "off")
    return not _is_number(default) or not told or _is_number(told)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _drop_ins(said: Variables, services: Services) -> Iterator[str]:
    for variable in (f"juniper_{name}_drop_ins" for name in services):
        for file in said.get(variable, {}):
            if not re.fullmatch(r"[\w-][\w.-]*\.conf", file):
                yield f"{variable}: {file} is no name of a drop-in, as 60-own.conf is one"


def _credentials(said: Variables, services: Services) -> Iterator[str]:
    known = [f"juniper_{name}_api_keys" for name in services]
    known += [each for service in services.values() for each in service["credentials"]]
    for name, value in said.get("juniper_credentials", {}).items():
        if name not in known:
            yield f"juniper_credentials: {name} is no credential{_like(name, known)}"
        elif not isinstance(value, str) or not value.strip() or "\n" in value.strip():
            yield f"juniper_credentials: {name} is not one line of text"


def _calls(groups: Mapping[str, Sequence[str]], settings: Settings, host: str) -> Iterator[str]:
    """Services of other hosts that those of this one do not find."""
    for name, call in settings[host]["calls"].items():
        provider = call["host"]
        if not call["url"] and groups.get(name):
            yield f"it may call {name} on {', '.join(groups[name])}: say with juniper_{name}_url on which"
        elif provider not in (None, host) and call["url"] == settings[provider]["urls"][name]:
            address = settings[provider]["addresses"][name]
            why = f"it cannot reach {name} on {provider}, which listens on {address}: set juniper_{name}_address there"
            yield from [why] if _is_loopback(address) else []


def _exposed(settings: Mapping[str, Any]) -> Iterator[str]:
    """Services that others reach and that ask for no key: with these settings production does not start them."""
    for name, address in settings["addresses"].items():
        keys = f"juniper_{name}_api_keys"
        is_open = not _is_loopback(address) and not settings["credentials"][name][keys]
        if is_open and settings["env"]["JUNIPER_ENV"] == "production":
            yield f"{name} listens on {address}, which others reach, without keys: set {keys} in juniper_credentials"


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost" or address.endswith(".localhost")


def _like(name: str, known: Sequence[str] | Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f"; {near[0]} is one" if near else ""


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, Any]:
        """The filters by their names."""
        return {each.__name__: each for each in (juniper_misspelt, juniper_sound, juniper_refused)}
