"""Calls a service's HTTP API on this host. No proxy, no retry: the service said that it is ready."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from juniper_ctl import tls
from juniper_ctl.env_file import credential, environment_of
from juniper_ctl.locations import Locations
from juniper_ctl.services import CA, Service
from juniper_ctl.table import printable

Json = dict[str, object]

MAX_BODY_BYTES = 4_000_000
"""Nothing that is asked for here is longer; what answers with more is no service of ours."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and body; a body that is no JSON object is empty here."""

    status: int
    body: Json

    @property
    def is_success(self) -> bool:
        """2xx."""
        return 200 <= self.status < 300

    def text(self, *path: str) -> str:
        """The value at a path of keys, as text; empty where there is none."""
        value: object = self.body
        for key in path:
            value = cast(Json, value).get(key) if isinstance(value, dict) else None
        return "" if value is None else str(value)

    def complaint(self) -> str:
        """What the service says is wrong, in any of the error shapes, fit for a terminal."""
        return printable(self.text("error", "message") or self.text("detail") or f"HTTP {self.status}")


@dataclass(frozen=True, slots=True)
class ServiceApi:
    """One service's address and key."""

    port: int
    api_key: str = ""
    timeout_s: float = 10
    """Of each step: an answer that drips in takes longer."""
    host: str = "127.0.0.1"
    believed: str = ""
    """PEM of the CA and of the service's own certificate; empty: it has none, and speaks plain HTTP."""

    @property
    def address(self) -> str:
        """Host and port, as they stand in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """Where it is on this host."""
        return f"{'https' if self.believed else 'http'}://{self.address}"

    @classmethod
    def of(
        cls, service: Service, locations: Locations, *, over: Mapping[str, str] | None = None, timeout_s: float = 10
    ) -> "ServiceApi":
        """The address and the first key that the service's settings say; `over` goes before the env files."""
        return cls.set_by(environment_of(service, locations, over=over), service, locations, timeout_s)

    @classmethod
    def set_by(
        cls, environment: Mapping[str, str], service: Service, locations: Locations, timeout_s: float = 10
    ) -> "ServiceApi":
        """Of a service that is started with this environment."""
        keys = _told(f"juniper_{service.name}_api_keys", environment, locations)
        return replace(cls.keyless(environment, service, locations, timeout_s), api_key=keys.split(",")[0].strip())

    @classmethod
    def keyless(
        cls, environment: Mapping[str, str], service: Service, locations: Locations, timeout_s: float = 10
    ) -> "ServiceApi":
        """The same for what needs no key, which is then shown to nobody."""
        certificate = _told(f"juniper_{service.name}_tls_certificate", environment, locations)
        believed = f"{_told(CA, environment, locations)}\n{tls.first_of(certificate)}" if certificate else ""
        return cls(service.port(environment), "", timeout_s, service.host(environment), believed)

    def get(self, path: str) -> Answer:
        """GET.

        Raises:
            OSError: nobody answers.
        """
        return self._call("GET", path, None)

    def post(self, path: str, body: Json) -> Answer:
        """POST.

        Raises:
            OSError: nobody answers.
        """
        return self._call("POST", path, json.dumps(body).encode())

    def _call(self, method: str, path: str, body: bytes | None) -> Answer:
        connection = self._connection()
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self.api_key:
            headers["X-API-Key"] = self.api_key
        try:
            connection.request(method, path, body, headers)
            with connection.getresponse() as response:
                return Answer(response.status, _object(response.read(MAX_BODY_BYTES)))
        except http.client.HTTPException as error:
            raise ConnectionError(f"no HTTP answer: {error!r}") from error
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        if not self.believed:
            return http.client.HTTPConnection(self.host, self.port, timeout=self.timeout_s)
        # Of any name: the address is this host's own, and the names are for those who call from elsewhere.
        context = tls.believing(self.believed)
        return http.client.HTTPSConnection(self.host, self.port, timeout=self.timeout_s, context=context)


def _told(name: str, environment: Mapping[str, str], locations: Locations) -> str:
    """What a service is told as a credential. In a unit's sandbox the files are hidden, and systemd has handed them."""
    handed = Path(environment.get("CREDENTIALS_DIRECTORY", ""), name)
    if "CREDENTIALS_DIRECTORY" in environment and handed.is_file():
        return handed.read_text(encoding="utf-8", errors="replace").strip()
    return environment.get(name.upper()) or credential(name, locations)


def _object(body: bytes) -> Json:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
