from datetime import timedelta

import pytest

from juniper_ctl.doctor.findings import Finding
from juniper_ctl.doctor.tls_section import look
from juniper_ctl.locations import Locations
from tests.certificates import Authority, Pem

AUTHORITY = Authority()
PEM = AUTHORITY.issue()
SET_CERTIFICATE = "juniper-ctl credentials set juniper_data_tls_certificate <FILE.pem"
SET_KEY = "juniper-ctl credentials set juniper_data_tls_key <FILE.pem"


@pytest.fixture
def installed(home: Locations) -> Locations:
    """A folder for credentials; those that call data call it with TLS."""
    home.credentials.mkdir(parents=True)
    (home.configuration / "juniper.env").write_text("JUNIPER_DATA_URL=https://127.0.0.1:8100\n")
    return home


def put(home: Locations, certificate: str, key: str, ca: str = AUTHORITY.certificate) -> None:
    """Give data a certificate and a key, and all the CA."""
    (home.credentials / "juniper_data_tls_certificate").write_text(certificate)
    (home.credentials / "juniper_data_tls_key").write_text(key)
    (home.credentials / "juniper_ca").write_text(ca)


def wrong(home: Locations) -> list[tuple[str, str]]:
    """What is wrong, and what to type."""
    return [(finding.text, finding.next_command) for finding in look(home) if finding.level == "wrong"]


def test_without_certificates_there_is_one_line(installed: Locations) -> None:
    """Plain HTTP is no fault."""
    assert look(installed) == [Finding("absent", "no service has a certificate: they speak plain HTTP")]


@pytest.mark.parametrize("ca", [AUTHORITY.certificate, ""])
def test_a_certificate_that_all_believe_is_well(installed: Locations, ca: str) -> None:
    """Its names and its end are told, whether or not there is a CA of one's own."""
    put(installed, PEM.certificate, PEM.key, ca)
    (finding,) = look(installed)
    assert finding.level == "ok"
    assert finding.text.startswith("the certificate of data names 127.0.0.1, localhost, and counts until ")


@pytest.mark.parametrize(("pem", "name"), [(Pem(PEM.certificate, ""), SET_KEY), (Pem("", PEM.key), SET_CERTIFICATE)])
def test_one_without_the_other_keeps_data_from_starting(installed: Locations, pem: Pem, name: str) -> None:
    """The one that is missing is named."""
    put(installed, pem.certificate, pem.key)
    ((text, command),) = wrong(installed)
    assert text.startswith("data does not start: juniper_data_tls_")
    assert command == name


@pytest.mark.parametrize("key", [AUTHORITY.issue().key, "no key"])
def test_a_key_that_does_not_fit(installed: Locations, key: str) -> None:
    """Or is none."""
    put(installed, PEM.certificate, key)
    ((text, command),) = wrong(installed)
    assert "its key does not fit its certificate" in text
    assert command == SET_KEY


def test_a_certificate_that_has_expired(installed: Locations) -> None:
    """Nobody believes it any more."""
    pem = AUTHORITY.issue(lasts=timedelta(days=-1))
    put(installed, pem.certificate, pem.key)
    assert wrong(installed) == [("juniper_data_tls_certificate: certificate has expired", SET_CERTIFICATE)]


@pytest.mark.parametrize(("days", "is_soon"), [(13, True), (15, False)])
def test_a_certificate_that_is_to_expire(installed: Locations, days: int, is_soon: bool) -> None:
    """Within two weeks it is to be replaced."""
    pem = AUTHORITY.issue(lasts=timedelta(days=days))
    put(installed, pem.certificate, pem.key)
    expected = [(f"juniper_data_tls_certificate counts for {days} more days", SET_CERTIFICATE)] if is_soon else []
    assert wrong(installed) == expected


@pytest.mark.parametrize(("host", "is_named"), [("127.0.0.1", True), ("0.0.0.0", True), ("10.0.0.5", False)])  # noqa: S104
def test_the_address_that_data_listens_on_is_named(installed: Locations, host: str, is_named: bool) -> None:
    """Of every address nobody knows which one is called."""
    put(installed, PEM.certificate, PEM.key)
    (installed.configuration / "data.env").write_text(f"JUNIPER_DATA_HOST={host}\n")
    assert [text for text, _ in wrong(installed)] == (
        []
        if is_named
        else [
            "juniper_data_tls_certificate is not believed by who calls data: IP address mismatch, certificate is not "
            "valid for '10.0.0.5'."
        ]
    )


def test_a_certificate_of_another_ca(installed: Locations) -> None:
    """The other services believe their own alone."""
    put(installed, PEM.certificate, PEM.key, Authority().certificate)
    ((text, _),) = wrong(installed)
    assert text.startswith("juniper_data_tls_certificate is not believed by who calls data: ")


def test_a_ca_that_is_none(installed: Locations) -> None:
    """No service starts with it."""
    put(installed, "", "", "mine")
    ((text, command),) = wrong(installed)
    assert text.startswith("no service starts: juniper_ca ")
    assert command == "juniper-ctl credentials set juniper_ca <FILE.pem"


def test_a_service_that_is_called_by_plain_http(installed: Locations) -> None:
    """What calls it would be told nothing that it understands; the line to write is told."""
    put(installed, PEM.certificate, PEM.key)
    (installed.configuration / "juniper.env").write_text("")
    file = installed.configuration / "juniper.env"
    command = f"echo JUNIPER_DATA_URL=https://127.0.0.1:8100 >>{file}"
    why = "calls data by plain HTTP, and data speaks TLS"
    assert wrong(installed) == [(f"{caller} {why}", command) for caller in ("cascor", "canopy")]
