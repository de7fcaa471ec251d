"""TLS: who a service is, and whom a client believes. Services have both as texts (PEM), in no file of theirs."""

import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

Verify = str | Path | ssl.SSLContext | None
"""Whom a client believes: the path of a PEM file of certificates, a context; None: whom the system believes."""

CERTIFICATE, KEY, CA = "tls_certificate", "tls_key", "JUNIPER_CA"
"""The settings, as `ServiceSettings.spelled` takes them."""

_OF_ANOTHER = ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED")
"""OpenSSL's words for a key that is well, and no key of the certificate; the last: it is of another kind."""


class TlsError(Exception):
    """What a setting holds cannot be used; the reason goes on where its name ends."""

    def __init__(self, setting: str, reason: str) -> None:
        super().__init__(f"{setting} {reason}")
        self.setting = setting
        self.reason = reason


def server_context(certificate: str, key: str) -> ssl.SSLContext:
    """What a service speaks TLS with.

    Args:
        certificate: PEM of the service's own, and of those that lead to its CA.
        key: PEM of its private key, without a passphrase.

    Raises:
        TlsError: one of them is no such thing, or they do not belong together.
    """
    if not key:
        raise TlsError(KEY, "is empty, and the certificate is not")
    if not certificate:
        raise TlsError(CERTIFICATE, "is empty, and the key is not")
    _trust(certificate, CERTIFICATE)  # load_cert_chain does not tell which of the two it cannot read.
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)  # TLS 1.2 at least
    context.set_alpn_protocols(["http/1.1"])
    try:
        with _file_of(certificate) as certificate_path, _file_of(key) as key_path:
            context.load_cert_chain(certificate_path, key_path, password=_refuse_passphrase)
    except ssl.SSLError as error:
        is_other = error.reason in _OF_ANOTHER
        raise TlsError(KEY, "does not belong to the certificate" if is_other else "is no private key in PEM") from error
    return context


def client_context(verify: Verify) -> ssl.SSLContext:
    """What a client speaks TLS with. Raises OSError where the file cannot be read, or holds no certificate."""
    return verify if isinstance(verify, ssl.SSLContext) else _believing(ssl.create_default_context(cafile=verify))


def trusting(ca: str) -> ssl.SSLContext:
    """What a client speaks TLS with that believes these certificates (PEM), and nobody else. Raises TlsError."""
    return _trust(ca, CA)


def _trust(certificates: str, setting: str) -> ssl.SSLContext:
    text = certificates.encode("ascii", "replace").decode()  # What is said between certificates may be in any script.
    try:
        return _believing(ssl.create_default_context(cadata=text))
    except ssl.SSLError as error:
        raise TlsError(setting, "is no certificate in PEM") from error


def _believing(context: ssl.SSLContext) -> ssl.SSLContext:
    # As from Python 3.13 on: whoever is named is believed, though it may not be at the end of a chain.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _refuse_passphrase() -> str:
    raise TlsError(KEY, "has a passphrase, which nobody is there to type")


@contextmanager
def _file_of(text: str) -> Iterator[str]:
    """A file for OpenSSL, which takes nothing else: in memory, since a key belongs on no disk of ours."""
    with tempfile.NamedTemporaryFile(dir="/dev/shm", prefix="juniper-") as file:
        file.write(text.encode())
        file.flush()
        yield file.name
