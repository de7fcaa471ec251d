"""Certificates and keys (PEM), as far as the standard library looks into them."""

import re
import ssl
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

_FIRST = re.compile(r".*?-----END CERTIFICATE-----", re.DOTALL)
_KEY = re.compile(r"-----BEGIN ((?:RSA |EC )?PRIVATE KEY)-----[A-Za-z0-9+/=\s]+-----END \1-----")
_STEPS = 4
"""Of a handshake: more than it ever has."""


def believing(certificates: str) -> ssl.SSLContext:
    """What a client speaks TLS with that believes these, a service's own too, whatever host they name.

    Raises:
        ssl.SSLError: they are none.
    """
    context = ssl.create_default_context(cadata=_plain(certificates))
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def first_of(certificates: str) -> str:
    """The one that is a service's own; those that follow lead to its CA."""
    found = _FIRST.match(certificates)
    return found[0] if found else certificates


def serving(certificate: Path, key: Path) -> ssl.SSLContext:
    """What a service would speak TLS with. Raises OSError, ssl.SSLError, where the two cannot be used together."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key, password="")  # asks nobody for a passphrase
    return context


def seen_by(client: ssl.SSLContext, server: ssl.SSLContext, name: str | None = None) -> Mapping[str, Any]:
    """The server's certificate as `getpeercert` tells it, after a handshake within this process.

    Args:
        client: who calls.
        server: who is called.
        name: by which name or address; None: any will do.

    Raises:
        ssl.SSLCertVerificationError: the client does not believe it.
    """
    client.check_hostname = name is not None
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    calling = client.wrap_bio(to_client, to_server, server_hostname=name)
    called = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(_STEPS):
        for side in (calling, called):
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
    return calling.getpeercert() or {}


def complaint(name: str, text: str) -> str:
    """What keeps a text from being the credential of that name; empty: nothing."""
    if name.endswith("_tls_key"):
        return "" if _KEY.search(text) else "a private key is PEM, and has no passphrase"
    if "PRIVATE KEY-----" in text:
        return "a private key is among it, which belongs into a credential of its own"
    try:
        believing(text)
    except ssl.SSLError:
        return "certificates are PEM"
    return ""


def is_pem(name: str) -> bool:
    """Whether the credential of that name is a certificate, several of them, or a private key."""
    return name.endswith(("_tls_certificate", "_tls_key", "_ca"))


def _plain(text: str) -> str:
    """What is said between certificates may be in any script, and Python takes ASCII alone."""
    return text.encode("ascii", "replace").decode()
