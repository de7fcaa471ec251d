"""Which certificate each host has, and what is wrong with it before a service would find out."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.playbooks.authority import NOW, made
from tests.unit.playbooks.plugins import DEFAULTS, GROUPS, KNOWN, plugin, two_hosts

TLS = plugin("filter_plugins/juniper_tls.py")
SETTINGS = plugin("filter_plugins/juniper_settings.py")

CA = made("ca")
FRONT = made("front", ["front", "10.0.0.1"], by=CA)
TRAINER = made("trainer", ["10.0.0.2"], by=CA)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What `certificates.yml` makes for both hosts."""
    (tmp_path / "ca.pem").write_text(CA.pem, encoding="ascii")
    for name, of_host in (("front", FRONT), ("trainer", TRAINER)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "host.pem").write_text(of_host.pem, encoding="ascii")
        (tmp_path / name / "host.key").write_text(of_host.key_pem, encoding="ascii")
    return tmp_path


def with_tls(**of_front: Any) -> dict[str, dict[str, Any]]:
    """Two hosts that speak it."""
    return {host: {"juniper_tls": True, **said} for host, said in two_hosts(**of_front).items()}


def faults(hosts: dict[str, dict[str, Any]], folder: Path) -> list[str]:
    """All of them, as the role asks for them."""
    certificates = TLS.juniper_certificates(hosts, str(folder))
    settings = SETTINGS.juniper_settings(hosts, GROUPS, DEFAULTS, KNOWN, certificates)
    said: list[str] = TLS.juniper_tls_faults(hosts, settings, certificates, NOW)
    return said


def test_without_tls_nobody_has_a_certificate(folder: Path) -> None:
    """Though they are made."""
    certificates = TLS.juniper_certificates(two_hosts(), str(folder))
    assert {text for each in certificates.values() for text in each.values()} == {""}
    assert faults(two_hosts(), folder) == []


def test_each_host_has_what_was_made_for_it(folder: Path) -> None:
    """And the CA, which a host without TLS believes too."""
    hosts = with_tls()
    assert TLS.juniper_certificates(hosts, str(folder)) == {
        "front": {"certificate": FRONT.pem, "key": FRONT.key_pem, "ca": CA.pem},
        "trainer": {"certificate": TRAINER.pem, "key": TRAINER.key_pem, "ca": CA.pem},
    }
    assert faults(hosts, folder) == []
    hosts["trainer"]["juniper_tls"] = False
    assert TLS.juniper_certificates(hosts, str(folder))["trainer"] == {"certificate": "", "key": "", "ca": CA.pem}


def test_a_given_certificate_counts_more(folder: Path) -> None:
    """With those that lead to its CA behind it, and this CA for whoever calls."""
    root = made("root")
    between = made("between", by=root)
    own = made("front", ["10.0.0.1"], by=between)
    given = {"juniper_tls_certificate": own.pem + between.pem, "juniper_tls_key": own.key_pem}
    hosts = with_tls(**given, juniper_tls_ca=CA.pem + root.pem)
    hosts["trainer"]["juniper_tls_ca"] = CA.pem + root.pem
    assert faults(hosts, folder) == []
    del hosts["trainer"]["juniper_tls_ca"]
    assert faults(hosts, folder) == [
        "front: the CA of trainer does not vouch for its certificate: give another one",
    ]


def test_a_certificate_names_all_by_which_a_host_is_called() -> None:
    """Its addresses as the inventory says them, itself, the loopback, and what it is told."""
    hosts = with_tls(juniper_canopy_address="fd00::01", juniper_tls_names=["page.lab", "192.0.2.7"])
    settings = SETTINGS.juniper_settings(hosts, GROUPS, DEFAULTS, KNOWN, TLS.juniper_certificates(hosts, "/none"))
    assert TLS.juniper_names(hosts["front"], settings["front"], "front") == [
        "IP:10.0.0.1",
        "IP:fd00::1",
        "DNS:front",
        "DNS:localhost",
        "IP:127.0.0.1",
        "IP:::1",
        "DNS:page.lab",
        "IP:192.0.2.7",
    ]


def given(**told: str) -> dict[str, str]:
    """A certificate and its key, and more, of the inventory."""
    return {"juniper_tls_certificate": FRONT.pem, "juniper_tls_key": FRONT.key_pem, "juniper_tls_ca": CA.pem, **told}


OTHER = made("front", ["10.0.0.1"], by=made("other"))
EXPIRED = made("front", ["10.0.0.1"], by=CA, days=-1)


@pytest.mark.parametrize(
    ("variables", "fault"),
    [
        ({"juniper_tls_certificate": FRONT.pem}, "juniper_tls_certificate is given without juniper_tls_key"),
        ({"juniper_tls_key": FRONT.key_pem}, "juniper_tls_key is given without juniper_tls_certificate"),
        (given(juniper_tls="no"), "juniper_tls_certificate is given, and juniper_tls is false"),
        (given(juniper_tls_certificate="no"), "its certificate is not PEM, and no more: give another one"),
        (given(juniper_tls_certificate=FRONT.pem + FRONT.key_pem), "its certificate is not PEM, and no more"),
        (given(juniper_tls_key="no"), "its key is no private key as PEM, without a passphrase: give another one"),
        (given(juniper_tls_key=OTHER.key_pem), "its key does not fit its certificate: give another one"),
        (given(juniper_tls_ca="no"), "juniper_tls_ca is not the CA's certificate as PEM, and no more"),
        (given(juniper_tls_ca=made("old", days=-3).pem + "\n"), "the CA's certificate expired on 2026-05-29"),
        (
            given(juniper_tls_certificate=EXPIRED.pem, juniper_tls_key=EXPIRED.key_pem),
            "its certificate expired on 2026-05-31: give another one",
        ),
        (
            given(juniper_tls_certificate=OTHER.pem, juniper_tls_key=OTHER.key_pem),
            "the CA of front does not vouch for its certificate: give another one",
        ),
        ({"juniper_address": "10.0.0.9"}, "its certificate does not name 10.0.0.9: ansible-playbook certificates.yml"),
        (
            {"juniper_cascor_url": "http://10.0.0.2:8200/"},
            "juniper_cascor_url=http://10.0.0.2:8200/, and cascor speaks TLS there: https://10.0.0.2:8200",
        ),
    ],
)
def test_what_would_not_work_is_named(variables: dict[str, str], fault: str, folder: Path) -> None:
    """With what mends it, and no word of a key."""
    said = faults(with_tls(**variables), folder)
    assert said[0].startswith(f"front: {fault}")
    assert "PRIVATE" not in str(said)


def test_certificates_that_are_not_made_are_asked_for(tmp_path: Path) -> None:
    """Of each host."""
    wanted = "juniper_tls is true, and it has no certificate: ansible-playbook certificates.yml"
    assert faults(with_tls(), tmp_path) == [f"front: {wanted}", f"trainer: {wanted}"]


def test_a_name_is_matched_as_browsers_do(folder: Path) -> None:
    """One label of any name, and no more."""
    own = made("front", ["*.lab.example"], by=CA)
    told = given(juniper_tls_certificate=own.pem, juniper_tls_key=own.key_pem)
    assert faults(with_tls(**told, juniper_address="Front.lab.example"), folder) == []
    assert faults(with_tls(**told, juniper_address="a.front.lab.example"), folder) == [
        "front: its certificate does not name a.front.lab.example: give another one"
    ]
