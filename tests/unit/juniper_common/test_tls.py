"""A tiny service with a certificate, and who calls it."""

import signal
import socket
import ssl
import subprocess
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from pydantic_settings import SettingsConfigDict

from juniper_common import tls
from juniper_common.hiding import HIDDEN, Hiding
from juniper_common.http import Call, HttpClient, UnreachableError
from juniper_common.settings import EXIT_CONFIGURATION, ListenSettings
from tests.certificates import Authority, Pem, pem_of
from tests.unit.juniper_common.conftest import KEPT, Start, hear_until

AUTHORITY = Authority()
PEM = AUTHORITY.issue()
OTHERS_KEY = AUTHORITY.issue().key
LOCKED_KEY = pem_of(ec.generate_private_key(ec.SECP256R1()), "a passphrase")
OTHER_KIND = pem_of(ed25519.Ed25519PrivateKey.generate())


class TinySettings(ListenSettings):
    """A service's settings."""

    model_config = SettingsConfigDict(env_prefix="JUNIPER_TINY_")

    port: int = 0


@pytest.fixture
def credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that systemd names."""
    folder = tmp_path / "credentials"
    folder.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    return folder


def put(credentials: Path, pem: Pem) -> None:
    """Give the tiny service a certificate and a key."""
    (credentials / "juniper_tiny_tls_certificate").write_text(pem.certificate)
    (credentials / "juniper_tiny_tls_key").write_text(pem.key)


def refusal(process: "subprocess.Popen[str]") -> str:
    """The one line of a service that does not start."""
    _, said = process.communicate(timeout=30)
    assert process.returncode == EXIT_CONFIGURATION
    (line,) = said.splitlines()
    return line


def test_a_service_with_a_certificate_speaks_tls_alone(
    credentials: Path, start: Start, manager: socket.socket, port: str
) -> None:
    """Whoever believes its CA is answered; whoever does not, or speaks plain HTTP, is not."""
    put(credentials, PEM)
    start(JUNIPER_TINY_PORT=port)
    hear_until(manager, b"READY=1")
    address = f"https://127.0.0.1:{port}/"
    assert httpx.get(address, verify=tls.trusting(AUTHORITY.certificate)).text == "hello"
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(address, verify=tls.trusting(Authority("Others").certificate))
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://127.0.0.1:{port}/")


def test_a_kept_socket_speaks_tls_too_and_a_new_certificate_counts_from_then_on(
    credentials: Path, start: Start, manager: socket.socket, port: str
) -> None:
    """The socket is the manager's, what is spoken on it is the process's."""
    first = start(JUNIPER_TINY_PORT=port)
    said, descriptors, _, _ = socket.recv_fds(manager, 4096, 4)
    assert said == KEPT
    with socket.socket(fileno=descriptors[0]) as kept:
        hear_until(manager, b"READY=1")
        put(credentials, PEM)
        assert httpx.get(f"http://127.0.0.1:{port}/").text == "hello"
        first.send_signal(signal.SIGTERM)
        first.wait(30)
        start(kept=kept, JUNIPER_TINY_PORT=port)
        hear_until(manager, b"READY=1")
        answer = httpx.get(f"https://127.0.0.1:{port}/", verify=tls.trusting(AUTHORITY.certificate))
    assert answer.text == "hello"


@pytest.mark.parametrize(
    ("pem", "name", "why"),
    [
        (Pem(PEM.certificate, ""), "juniper_tiny_tls_key", "is empty, and the certificate is not"),
        (Pem("", PEM.key), "juniper_tiny_tls_certificate", "is empty, and the key is not"),
        (Pem(PEM.certificate, OTHERS_KEY), "juniper_tiny_tls_key", "does not belong to the certificate"),
        (Pem(PEM.certificate, OTHER_KIND), "juniper_tiny_tls_key", "does not belong to the certificate"),
        (Pem(PEM.certificate, "a key"), "juniper_tiny_tls_key", "is no private key in PEM"),
        (Pem(PEM.certificate, LOCKED_KEY), "juniper_tiny_tls_key", "has a passphrase, which nobody is there to type"),
        (Pem("ä certificate", PEM.key), "juniper_tiny_tls_certificate", "is no certificate in PEM"),
    ],
)
def test_what_cannot_be_used_keeps_a_service_from_starting(
    credentials: Path, start: Start, pem: Pem, name: str, why: str
) -> None:
    """In one line, which names the file, and shows nothing of it."""
    put(credentials, pem)
    assert refusal(start()) == f"juniper-tiny: {name.upper()}: the credential {name} {why}"


def test_a_file_that_is_no_text_is_named(credentials: Path, start: Start) -> None:
    """As a certificate in DER is none."""
    put(credentials, PEM)
    (credentials / "juniper_tiny_tls_certificate").write_bytes(ssl.PEM_cert_to_DER_cert(PEM.certificate))
    name = "juniper_tiny_tls_certificate"
    why = "cannot be read: is no text, as PEM is"
    assert refusal(start()) == f"juniper-tiny: {name.upper()}: the credential {name} {why}"


def test_a_ca_that_is_none_keeps_a_service_from_starting(credentials: Path, start: Start) -> None:
    """Else its first call would tell, much later."""
    (credentials / "juniper_ca").write_text("mine")
    assert refusal(start()) == "juniper-tiny: JUNIPER_CA: the credential juniper_ca is no certificate in PEM"


def test_empty_files_are_no_tls(credentials: Path) -> None:
    """As an installation writes them."""
    put(credentials, Pem("", "\n"))
    (credentials / "juniper_ca").touch()
    settings = TinySettings.load()
    assert (settings.speaks_tls, settings.server_tls(), settings.client_tls()) == (False, None, None)


def test_versions_before_1_2_are_not_spoken() -> None:
    """By services and by clients."""
    contexts = [
        tls.server_context(PEM.certificate, PEM.key),
        tls.trusting(AUTHORITY.certificate),
        tls.client_context(None),
    ]
    assert {context.minimum_version for context in contexts} == {ssl.TLSVersion.TLSv1_2}


def test_a_ca_is_believed_in_place_of_those_of_the_system() -> None:
    """An API key goes to nobody whom any public CA vouches for."""
    assert len(tls.trusting(AUTHORITY.certificate).get_ca_certs()) == 1


@pytest.mark.parametrize("kind", [str, Path, tls.client_context])
def test_a_client_takes_a_path_or_a_context(
    credentials: Path, start: Start, manager: socket.socket, port: str, kind: type[str]
) -> None:
    """Of whom it is to believe."""
    put(credentials, PEM)
    ca = credentials / "ca.pem"
    ca.write_text(AUTHORITY.certificate)
    start(JUNIPER_TINY_PORT=port)
    hear_until(manager, b"READY=1")
    with HttpClient(f"https://localhost:{port}", verify=kind(ca)) as client:
        assert client.send(Call(path="/")).text == "hello"
    with HttpClient(f"https://127.0.0.1:{port}", attempts=1) as client, pytest.raises(UnreachableError, match="VERIFY"):
        client.send(Call(path="/"))


def test_a_certificate_itself_may_be_believed(
    credentials: Path, start: Start, manager: socket.socket, port: str
) -> None:
    """By who has no file of its CA."""
    put(credentials, PEM)
    start(JUNIPER_TINY_PORT=port)
    hear_until(manager, b"READY=1")
    assert httpx.get(f"https://127.0.0.1:{port}/", verify=tls.trusting(PEM.certificate)).text == "hello"


def test_no_line_of_a_key_is_shown() -> None:
    """However its ends of line are written; certificates are no secret."""
    settings = TinySettings.model_validate(
        {"tls_certificate": PEM.certificate, "tls_key": PEM.key, "JUNIPER_CA": AUTHORITY.certificate}
    )
    hiding = Hiding(settings.secrets)
    lines = PEM.key.splitlines()
    assert hiding.shown(repr(PEM.key)) == repr("\n".join([HIDDEN] * len(lines)) + "\n")
    assert hiding.shown(f"it begins with {lines[1]}, I think") == f"it begins with {HIDDEN}, I think"
    assert hiding.shown(PEM.certificate) == PEM.certificate
    assert lines[1] not in repr(settings)
