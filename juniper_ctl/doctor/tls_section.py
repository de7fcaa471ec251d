"""Doctor's section on TLS: whether others believe each service's certificate, and for how long.

The standard library tells of a certificate only what comes out of a handshake: so there is one, within this process.
"""

import os
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence

from juniper_ctl import tls
from juniper_ctl.credentials import typed
from juniper_ctl.doctor.findings import Finding
from juniper_ctl.env_file import credential, environment_of
from juniper_ctl.errors import ControlError
from juniper_ctl.locations import Locations
from juniper_ctl.service_api import ServiceApi
from juniper_ctl.services import CA, Service, of_this_host

SOON_DAYS = 14
"""So long before its end a certificate is to be replaced."""

_EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - compared, not bound


def look(locations: Locations) -> list[Finding]:
    """What is wrong with the certificates, and what they are; one line where there is none."""
    services = of_this_host(locations)
    try:
        if (ca := credential(CA, locations)) and (why := tls.complaint(CA, ca)):
            return [Finding("wrong", f"no service starts: {CA} is to hold the CA's certificate, and {why}", typed(CA))]
        found = [finding for service in services for finding in _of_service(service, services, locations)]
    except ControlError as error:
        return [Finding("wrong", error.message, error.next_command)]
    except OSError as error:
        return [Finding("wrong", f"the files in {locations.credentials} cannot be read: {error}")]
    return found or [Finding("absent", "no service has a certificate: they speak plain HTTP")]


def _of_service(service: Service, services: Sequence[Service], locations: Locations) -> Iterator[Finding]:
    certificate, key = (f"juniper_{service.name}_tls_{what}" for what in ("certificate", "key"))
    missing = [name for name in (certificate, key) if not credential(name, locations)]
    if len(missing) == 2:
        return
    if missing:
        yield Finding("wrong", f"{service.name} does not start: {missing[0]} is empty", typed(missing[0]))
        return
    environment = environment_of(service, locations, over=os.environ)
    yield from _plain_callers(ServiceApi.keyless(environment, service, locations), service, services, locations)
    try:
        server = tls.serving(locations.credentials / certificate, locations.credentials / key)
    except ssl.SSLError as error:
        why = f"{service.name} does not start: its key does not fit its certificate, or one of them is no PEM: {error}"
        yield Finding("wrong", why, typed(key))
        return
    own = tls.believing(tls.first_of(credential(certificate, locations)))
    try:
        facts = tls.seen_by(own, server)
    except ssl.SSLCertVerificationError as error:
        yield Finding("wrong", f"{certificate}: {error.verify_message}", typed(certificate))
        return
    names = ", ".join(name for _, name in facts.get("subjectAltName", ())) or "nothing"
    yield Finding("ok", f"the certificate of {service.name} names {names}, and counts until {facts['notAfter']}")
    days = (ssl.cert_time_to_seconds(facts["notAfter"]) - time.time()) / 86_400
    if days < SOON_DAYS:
        yield Finding("wrong", f"{certificate} counts for {days:.0f} more days", typed(certificate))
    for client, name in _callers(service, own, environment, locations):
        try:
            tls.seen_by(client, server, name)
        except ssl.SSLCertVerificationError as error:
            why = f"{certificate} is not believed by who calls {service.name}: {error.verify_message}"
            yield Finding("wrong", why, typed(certificate))


def _callers(
    service: Service, own: ssl.SSLContext, environment: Mapping[str, str], locations: Locations
) -> Iterator[tuple[ssl.SSLContext, str | None]]:
    """Who believes the CA alone, and who calls the service by the address that it listens on."""
    if ca := credential(CA, locations):
        yield tls.believing(ca), None
    host = environment.get(service.host_variable) or "127.0.0.1"
    if host not in _EVERY_ADDRESS:  # Which of them is called, nobody here knows; its names are told above.
        yield own, host


def _plain_callers(
    api: ServiceApi, service: Service, services: Sequence[Service], locations: Locations
) -> Iterator[Finding]:
    """The services of this host that call this one without TLS."""
    for other in services[services.index(service) + 1 :]:
        url = environment_of(other, locations).get(service.url_variable) or f"http://{api.address}"
        if url.rstrip("/") == f"http://{api.address}":
            why = f"{other.name} calls {service.name} by plain HTTP, and {service.name} speaks TLS"
            setting = f"echo {service.url_variable}={api.url} >>{locations.configuration}/juniper.env"
            yield Finding("wrong", why, setting)
