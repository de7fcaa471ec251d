"""A CA for tests of the playbooks' filters, and certificates that it makes."""

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import (
    BasicConstraints,
    Certificate,
    CertificateBuilder,
    DNSName,
    IPAddress,
    Name,
    NameAttribute,
    SubjectAlternativeName,
    random_serial_number,
)
from cryptography.x509.oid import NameOID

NOW = datetime(2026, 6, 1, tzinfo=UTC)


class Made(NamedTuple):
    """A certificate with its key."""

    certificate: Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        """The certificate."""
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def key_pem(self) -> str:
        """The key."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def made(name: str, names: Sequence[str] = (), *, by: Made | None = None, days: int = 30) -> Made:
    """One that counts for some days from NOW on; without `by` that of a CA."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = Name([NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        CertificateBuilder(
            issuer_name=by.certificate.subject if by else subject,
            subject_name=subject,
            public_key=key.public_key(),
            serial_number=random_serial_number(),
            not_valid_before=NOW - timedelta(days=60),
            not_valid_after=NOW + timedelta(days=days),
        )
        .add_extension(BasicConstraints(ca=by is None or not names, path_length=None), critical=True)
        .add_extension(SubjectAlternativeName([_name(each) for each in names]), critical=False)
    )
    return Made(builder.sign(by.key if by else key, hashes.SHA256()), key)


def _name(text: str) -> DNSName | IPAddress:
    try:
        return IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return DNSName(text)
