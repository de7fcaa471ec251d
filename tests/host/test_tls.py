"""Certificates as systemd credentials: the services call each other by TLS, and their checks call them."""

from collections.abc import Iterator

import pytest
from testinfra.host import Host

from tests.certificates import Authority
from tests.host.conftest import JUNIPER_CTL

pytestmark = [pytest.mark.host, pytest.mark.timeout(900)]

SERVICES = ("data", "cascor", "canopy")
FOLDER = ".config/juniper/credentials"
SETTINGS = ".config/juniper/juniper.env"
URLS = "JUNIPER_DATA_URL=https://127.0.0.1:8100\nJUNIPER_CASCOR_URL=https://127.0.0.1:8200\n"

AUTHORITY = Authority()
PEM = AUTHORITY.issue()
SECRET_LINE = PEM.key.splitlines()[1]


def put(host: Host, name: str, pem: str) -> None:
    """Set a credential, as an operator does."""
    host.check_output(f"printf %%s %s | {JUNIPER_CTL} credentials set %s", pem, name)


@pytest.fixture(scope="module")
def secured(installed: Host) -> Iterator[Host]:
    """The host with all three services running, each with a certificate of one CA."""
    put(installed, "juniper_ca", AUTHORITY.certificate)
    for service in SERVICES:
        put(installed, f"juniper_{service}_tls_certificate", PEM.certificate)
        put(installed, f"juniper_{service}_tls_key", PEM.key)
    installed.check_output(f"cp -p {SETTINGS} {SETTINGS}.before && printf %%s %s >>{SETTINGS}", URLS)
    started = installed.run(f"{JUNIPER_CTL} start")
    assert started.rc == 0, started.stderr
    yield installed
    installed.run(f"{JUNIPER_CTL} stop")
    installed.run(f"mv {SETTINGS}.before {SETTINGS}; truncate --size=0 {FOLDER}/*")


def test_each_is_well_and_reaches_those_that_it_calls(secured: Host) -> None:
    """Cascor and canopy would say what they lack."""
    assert secured.run(f"{JUNIPER_CTL} health").rc == 0
    assert secured.run(f"{JUNIPER_CTL} doctor tls").rc == 0


@pytest.mark.parametrize("service", SERVICES)
def test_the_check_in_its_sandbox_believes_the_service(secured: Host, service: str) -> None:
    """Where the folder of credentials is hidden."""
    asked = secured.run("systemctl --user start juniper-health@%s.service", service)
    assert asked.rc == 0, secured.run("journalctl -q -n 20 --no-pager").stdout


@pytest.mark.parametrize("service", SERVICES)
def test_no_line_of_the_key_is_to_be_seen(secured: Host, service: str) -> None:
    """Neither in what systemd shows, nor in the log, nor in a file where it was for a moment."""
    unit = f"juniper-{service}.service"
    assert SECRET_LINE not in secured.check_output("systemctl --user show %s", unit)
    assert SECRET_LINE not in secured.check_output("journalctl --user -q -u %s -o export --no-pager", unit)
    assert secured.check_output("find /dev/shm -name 'juniper-*'") == ""


def test_a_certificate_without_its_key_keeps_a_service_from_starting(secured: Host) -> None:
    """It ends once, with 78, and one line that names the file."""
    secured.check_output(f"truncate --size=0 {FOLDER}/juniper_canopy_tls_key")
    assert secured.run(f"{JUNIPER_CTL} restart canopy").rc == 78
    said = secured.check_output("journalctl --user -q -t juniper-canopy -n 5 -o cat --no-pager").splitlines()
    why = "the credential juniper_canopy_tls_key is empty, and the certificate is not"
    assert said[-1] == f"juniper-canopy: JUNIPER_CANOPY_TLS_KEY: {why}"
    assert secured.check_output("systemctl --user show juniper-canopy -p NRestarts --value") == "0"
