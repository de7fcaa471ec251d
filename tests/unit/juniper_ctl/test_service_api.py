"""Calls to a service of this host with a certificate."""

import http.server
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from juniper_ctl import tls
from juniper_ctl.locations import Locations
from juniper_ctl.service_api import ServiceApi
from juniper_ctl.services import CANOPY, DATA
from tests.certificates import Authority, Pem

AUTHORITY = Authority()
PEM = AUTHORITY.issue(["data.lab.example"])


@pytest.fixture
def installed(home: Locations) -> Locations:
    """A folder for credentials."""
    home.credentials.mkdir(parents=True)
    return home


def put(home: Locations, pem: Pem, ca: str = "") -> None:
    """What data has, and whom all believe."""
    (home.credentials / "juniper_data_tls_certificate").write_text(pem.certificate)
    (home.credentials / "juniper_data_tls_key").write_text(pem.key)
    (home.credentials / "juniper_ca").write_text(ca)


@contextmanager
def served(home: Locations) -> Iterator[int]:
    """The port of a data service with its certificate, which answers with the key that it was shown."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"key": "%s"}' % self.headers.get("X-API-Key", "none").encode())

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        folder = home.credentials
        context = tls.serving(folder / "juniper_data_tls_certificate", folder / "juniper_data_tls_key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("ca", [AUTHORITY.certificate, "", Authority().certificate])
def test_a_service_with_a_certificate_is_called_with_tls(installed: Locations, ca: str) -> None:
    """Its own certificate is believed, whatever host it names and whoever has signed it."""
    put(installed, PEM, ca)
    (installed.credentials / "juniper_data_api_keys").write_text("secret\n")
    with served(installed) as port:
        api = ServiceApi.of(DATA, installed, over={"JUNIPER_DATA_PORT": str(port)})
        assert api.url == f"https://127.0.0.1:{port}"
        assert api.get("/").text("key") == "secret"


def test_one_that_runs_with_the_certificate_of_before_is_believed_by_its_ca(installed: Locations) -> None:
    """Until its restart."""
    put(installed, PEM, AUTHORITY.certificate)
    with served(installed) as port:
        put(installed, AUTHORITY.issue(), AUTHORITY.certificate)
        assert ServiceApi.of(DATA, installed, over={"JUNIPER_DATA_PORT": str(port)}).get("/").is_success
        put(installed, Authority().issue())
        with pytest.raises(ssl.SSLCertVerificationError):
            ServiceApi.of(DATA, installed, over={"JUNIPER_DATA_PORT": str(port)}).get("/")


def test_in_a_sandbox_systemd_has_handed_the_files(installed: Locations) -> None:
    """The folder of the home is hidden there; no key is shown where none is needed."""
    put(installed, PEM)
    (installed.credentials / "juniper_data_api_keys").write_text("secret\n")
    environment = {"CREDENTIALS_DIRECTORY": str(installed.credentials), "HOME": "/nowhere"}
    with served(installed) as port:
        environment["JUNIPER_DATA_PORT"] = str(port)
        api = ServiceApi.keyless(environment, DATA, Locations.of(environment))
        assert api.get("/").text("key") == "none"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("", "http://127.0.0.1:8050"),
        ("0.0.0.0", "http://127.0.0.1:8050"),  # noqa: S104 - written, not bound
        ("10.0.0.5", "http://10.0.0.5:8050"),
        ("::1", "http://[::1]:8050"),
    ],
)
def test_a_service_is_called_where_the_settings_have_it_listen(installed: Locations, host: str, url: str) -> None:
    """Without a certificate by plain HTTP."""
    assert ServiceApi.of(CANOPY, installed, over={"JUNIPER_CANOPY_SERVER__HOST": host}).url == url
