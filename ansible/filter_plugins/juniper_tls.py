"""Ansible's filters for TLS between hosts: which certificate each host has, what it is to name, what is wrong with it.

No fault has a word of what a key holds.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import (
    Certificate,
    DNSName,
    ExtensionNotFound,
    IPAddress,
    SubjectAlternativeName,
    load_pem_x509_certificates,
)

Variables = Mapping[str, Any]
"""What the inventory sets for one host."""
Settings = Mapping[str, Mapping[str, Any]]
"""What the filter `juniper_settings` made for each host."""
Certificates = Mapping[str, Mapping[str, str]]
"""Of each host, with its key and the CA's, as PEM; what there is not is empty."""

MAKE = "ansible-playbook certificates.yml"


def juniper_certificates(hosts: Mapping[str, Variables], folder: str) -> dict[str, dict[str, str]]:
    """What each host has.

    Args:
        hosts: their variables.
        folder: where `certificates.yml` lays what it makes.
    """
    ca = _read(Path(folder, "ca.pem")) if any(_is_made(said) for said in hosts.values()) else ""
    return {
        host: {what: _own(said, Path(folder, host), what) for what in ("certificate", "key")}
        | {"ca": str(said.get("juniper_tls_ca") or ca)}
        for host, said in hosts.items()
    }


def _own(said: Variables, made: Path, what: str) -> str:
    if not _is_on(said):
        return ""
    file = made / {"certificate": "host.pem", "key": "host.key"}[what]
    return _read(file) if _is_made(said) else str(said.get(f"juniper_tls_{what}") or "")


def _is_on(said: Variables) -> bool:
    return bool(boolean(said.get("juniper_tls", False)))


def _given(said: Variables) -> list[str]:
    return [name for name in ("juniper_tls_certificate", "juniper_tls_key") if said.get(name)]


def _is_made(said: Variables) -> bool:
    return _is_on(said) and not _given(said)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def juniper_names(said: Variables, settings: Mapping[str, Any], host: str) -> list[str]:
    """What a host's certificate is to name, as openssl writes it: all by which its services may be called."""
    names = [*settings["addresses"].values(), said.get("ansible_host", host), host, "localhost", "127.0.0.1", "::1"]
    names += said.get("juniper_tls_names", [])
    return [f"{'DNS' if _ip(name) is None else 'IP'}:{_ip(name) or name}" for name in dict.fromkeys(map(str, names))]


def _ip(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def juniper_tls_faults(
    hosts: Mapping[str, Variables], settings: Settings, certificates: Certificates, now: datetime | None = None
) -> list[str]:
    """Why services would not start with TLS, or not believe each other, a line for each reason.

    Args:
        hosts: the variables of each host.
        settings: what follows from them.
        certificates: what each host has.
        now: when they have to be good.
    """
    moment = now or datetime.now(UTC)
    return [
        f"{host}: {fault}"
        for host, said in hosts.items()
        for fault in (
            *_combined(said),
            *_plain(settings, host),
            *_ca(certificates[host]["ca"], moment),
            *(_certificate(host, said, settings, certificates, moment) if _is_on(said) else ()),
        )
    ]


def _combined(said: Variables) -> Iterator[str]:
    given = _given(said)
    if given and not _is_on(said):
        yield f"{given[0]} is given, and juniper_tls is false"
    elif len(given) == 1:
        other = "juniper_tls_key" if given[0] == "juniper_tls_certificate" else "juniper_tls_certificate"
        yield f"{given[0]} is given without {other}"


def _plain(settings: Settings, host: str) -> Iterator[str]:
    """Addresses that the inventory says with http, of services that speak TLS."""
    speaking = {url for said in settings.values() for url in said["urls"].values()}
    for name, call in settings[host]["calls"].items():
        url = str(call["url"]).rstrip("/").replace("http://", "https://")
        if url in speaking and not str(call["url"]).startswith("https://"):
            yield f"juniper_{name}_url={call['url']}, and {name} speaks TLS there: {url}"


def _ca(pem: str, now: datetime) -> Iterator[str]:
    cas = _loaded(pem)
    if pem and not cas:
        yield "juniper_tls_ca is not the CA's certificate as PEM, and no more"
    elif cas and all(ca.not_valid_after_utc < now for ca in cas):
        yield f"the CA's certificate expired on {cas[0].not_valid_after_utc:%Y-%m-%d}"


def _loaded(pem: str) -> list[Certificate]:
    """The certificates; none where it is not certificates alone."""
    try:
        return [] if "PRIVATE KEY-----" in pem else load_pem_x509_certificates(pem.encode())
    except ValueError:
        return []


def _certificate(
    host: str, said: Variables, settings: Settings, certificates: Certificates, now: datetime
) -> Iterator[str]:
    own = certificates[host]
    if not own["certificate"] or not own["key"]:
        yield from [f"juniper_tls is true, and it has no certificate: {MAKE}"] if _is_made(said) else []
        return
    mend = MAKE if _is_made(said) else "give another one"
    chain = _loaded(own["certificate"])
    if not chain:
        yield f"its certificate is not PEM, and no more: {mend}"
        return
    leaf = chain[0]
    if leaf.not_valid_after_utc < now:
        yield f"its certificate expired on {leaf.not_valid_after_utc:%Y-%m-%d}: {mend}"
    elif leaf.not_valid_before_utc > now:
        yield f"its certificate counts from {leaf.not_valid_before_utc:%Y-%m-%d} on: {mend}"
    for address in dict.fromkeys(settings[host]["addresses"].values()):
        if not _is_named(leaf, address):
            yield f"its certificate does not name {address}: {mend}"
    yield from _key(own["key"], leaf, mend)
    callers = [other for other in settings if any(call["host"] == host for call in settings[other]["calls"].values())]
    for caller in dict.fromkeys((host, *callers)):
        cas = _loaded(certificates[caller]["ca"])
        if cas and not _leads(leaf, chain[1:], cas):
            yield f"the CA of {caller} does not vouch for its certificate: {mend}"


def _is_named(leaf: Certificate, address: str) -> bool:
    try:
        names = leaf.extensions.get_extension_for_class(SubjectAlternativeName).value
    except ExtensionNotFound:
        return False
    if (wanted := _ip(address)) is not None:
        return wanted in names.get_values_for_type(IPAddress)
    parent = re.sub(r"^[^.]+", "*", address.lower())
    return bool({address.lower(), parent} & {name.lower() for name in names.get_values_for_type(DNSName)})


def _key(pem: str, leaf: Certificate, mend: str) -> Iterator[str]:
    try:
        key = load_pem_private_key(pem.encode(), None)
    except (TypeError, ValueError):  # The one where it has a passphrase; neither message is for others to see.
        yield f"its key is no private key as PEM, without a passphrase: {mend}"
        return
    if key.public_key() != leaf.public_key():
        yield f"its key does not fit its certificate: {mend}"


def _leads(certificate: Certificate, between: Sequence[Certificate], cas: Sequence[Certificate]) -> bool:
    if certificate in cas or any(_is_issued(certificate, ca) for ca in cas):
        return True
    rest = [each for each in between if each != certificate]
    return any(_is_issued(certificate, each) and _leads(each, rest, cas) for each in rest)


def _is_issued(certificate: Certificate, by: Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(by)
    except (InvalidSignature, TypeError, ValueError):
        return False
    return True


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, Any]:
        """The filters by their names."""
        return {each.__name__: each for each in (juniper_certificates, juniper_names, juniper_tls_faults)}
