"""Settings that every service has. Each reads its own subclass from the environment once, at start.

The environment comes from `juniper.env`, then the profile's env file and then the service's own (systemd's
EnvironmentFile= or the foreground runner load them); secrets come as files in the folder that systemd names in
`$CREDENTIALS_DIRECTORY`.
"""

import ipaddress
import os
import ssl
import sys
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

import pydantic
from pydantic import AfterValidator, BeforeValidator, Field, HttpUrl, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError

from juniper_common import tls
from juniper_common.wire.errors import reason

EXIT_CONFIGURATION = 78
"""sysexits.h EX_CONFIG: systemd does not restart a service that ends with it."""


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""A setting written as a comma-separated list."""

Secrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split)]
"""The same, never printed."""


def none_where_empty(value: object) -> object:
    """None for a line of an env file with nothing after its `=`."""
    return None if value == "" else value


OptionalCount = Annotated[int | None, BeforeValidator(none_where_empty)]
"""A number that may be left out; a line of an env file with nothing after its `=` leaves it out too."""

OptionalNumber = Annotated[float | None, BeforeValidator(none_where_empty)]
"""The same, of a number that need not be whole."""

OptionalUrl = Annotated[HttpUrl | None, BeforeValidator(none_where_empty)]
"""The same, of an address."""

Folder = Annotated[Path, AfterValidator(Path.expanduser)]
"""A folder; `~` is the home."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with the environment."""

    name: str
    """The setting, as the environment spells it; empty where it is none in particular."""
    reason: str

    def __str__(self) -> str:
        """One line."""
        return f"{self.name}: {self.reason}" if self.name else self.reason


class ServiceSettings(BaseSettings):
    """What every service can be told. A subclass sets `env_prefix` in its `model_config`."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, env_nested_delimiter="__")

    host_field: ClassVar[tuple[str, ...]] = ("host",)
    """The path of the field whose value `bind` begins with."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="What is told to the log: this, and what weighs more."
    )
    api_keys: Secrets = Field(default=(), description="Comma-separated keys; none: no key is asked for.")
    tls_certificate: SecretStr | None = Field(
        default=None, description="Its certificate (PEM), then those that lead to the CA: it speaks TLS then."
    )
    tls_key: SecretStr | None = Field(default=None, description="The certificate's private key (PEM).")
    ca: SecretStr | None = Field(
        default=None,
        validation_alias=tls.CA,
        description="Whom alone it believes of other services (PEM); none: whom the system believes.",
    )
    allowed_origins: Words = Field(default=(), description="Origins, beside the service's own, whose pages may call.")
    allowed_hosts: Words = Field(
        default=(), description="Names, beside the service's own, under which it may be called, as in a proxy's Host."
    )
    max_body_bytes: int = Field(default=10_000_000, ge=1_000, description="A larger request body is refused (413).")
    rate_limit_per_minute: OptionalCount = Field(
        default=None,
        ge=1,
        description="Requests of one key or address a minute; more is refused (429). None: no limit.",
    )
    state_dir: Folder = Field(
        default_factory=lambda: Path(os.environ.get("STATE_DIRECTORY", "")),
        description="What must outlive a restart.",
    )
    environment: Literal["dev", "demo", "production"] = Field(
        default="production", validation_alias="JUNIPER_ENV", description="The profile that this host runs."
    )

    @classmethod
    def service_name(cls) -> str:
        """The last word of the prefix: data, cascor or canopy."""
        return cls.model_config.get("env_prefix", "").removeprefix("JUNIPER_").rstrip("_").lower()

    def model_post_init(self, _: object, /) -> None:
        """Put the state where the XDG folders say when neither systemd nor a setting says it."""
        if self.state_dir == Path():
            base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
            object.__setattr__(self, "state_dir", Path(base) / "juniper" / self.service_name())

    @property
    @abstractmethod
    def bind(self) -> tuple[str, int]:
        """The address to listen on."""

    @property
    def origins(self) -> tuple[str, ...]:
        """Origins whose pages may call, beside the service's own address."""
        return self.allowed_origins

    @property
    def is_behind_tls(self) -> bool:
        """Whether browsers reach the service through a proxy that speaks HTTPS."""
        return False

    @property
    def speaks_tls(self) -> bool:
        """Whether it has a certificate of its own."""
        return bool(self.tls_certificate)

    def server_tls(self) -> ssl.SSLContext | None:
        """What it speaks TLS with; None: plain HTTP. Raises tls.TlsError."""
        certificate, key = _clear(self.tls_certificate), _clear(self.tls_key)
        return tls.server_context(certificate, key) if certificate or key else None

    def client_tls(self) -> ssl.SSLContext | None:
        """Whom it believes of other services; None: whom the system believes. Raises tls.TlsError."""
        ca = _clear(self.ca)
        return tls.trusting(ca) if ca else None

    @property
    def keys(self) -> tuple[str, ...]:
        """The API keys in clear, for comparing."""
        return tuple(key.get_secret_value() for key in self.api_keys)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret among the settings in clear, for keeping them out of what is shown; certificates are none."""
        values = [getattr(self, name) for name in type(self).model_fields if name not in ("tls_certificate", "ca")]
        parts = [part for value in values for part in (value if isinstance(value, tuple) else (value,))]
        return tuple(part.get_secret_value() for part in parts if isinstance(part, SecretStr) and part)

    def unusable(self) -> list[Problem]:
        """What is wrong with the certificate, the key and the CA."""
        found = []
        for made in (self.server_tls, self.client_tls):
            try:
                made()
            except tls.TlsError as error:
                name = self.spelled((error.setting,))
                found.append(Problem(name, f"the credential {name.lower()} {error.reason}"))
        return found

    def refusals(self) -> list[Problem]:
        """What the production profile refuses of settings that are each well by themselves."""
        if self.environment != "production":
            return []
        refused = []
        if "*" in self.allowed_origins:
            why = "JUNIPER_ENV=production lets no page of any origin call: set the origins that may, one by one"
            refused.append(Problem(self.spelled(("allowed_origins",)), why))
        host = self.bind[0]
        if not self.keys and not is_loopback(host):
            keys = f"juniper_{self.service_name()}_api_keys"
            why = (
                f"JUNIPER_ENV=production listens on {host}, which others reach, only with keys: set the credential "
                f"{keys} (juniper-ctl credentials rotate {keys}), or this to 127.0.0.1"
            )
            refused.append(Problem(self.spelled(self.host_field), why))
        return refused

    @classmethod
    def read(cls) -> tuple[Self | None, list[Problem]]:
        """The settings of this process's environment, None where they cannot be made, and all that is wrong."""
        try:
            settings = cls(_secrets_dir=os.environ.get("CREDENTIALS_DIRECTORY"))
        except pydantic.ValidationError as error:
            return None, [
                Problem(cls.spelled(each["loc"]) if each["loc"] else "", reason(each)) for each in error.errors()
            ]
        except SettingsError as error:
            if isinstance(error.__cause__, OSError | UnicodeDecodeError):
                return None, _unreadable(os.environ["CREDENTIALS_DIRECTORY"])
            return None, [Problem("", str(error))]
        return settings, [*settings.unusable(), *settings.refusals()]

    @classmethod
    def load(cls) -> Self:
        """Read the environment, or end the process with one line per problem and exit code 78."""
        settings, problems = cls.read()
        if settings is not None and not problems:
            return settings
        cls.tell(problems)
        sys.exit(EXIT_CONFIGURATION)

    @classmethod
    def tell(cls, problems: list[Problem]) -> None:
        """Print them for the operator, a line each."""
        for problem in problems:
            print(f"juniper-{cls.service_name()}: {problem}", file=sys.stderr)  # noqa: T201 - for the operator

    @classmethod
    def spelled(cls, path: tuple[str | int, ...]) -> str:
        """A field's path as the environment spells it."""
        name = "__".join(str(part) for part in path)
        return name if name.isupper() else cls.model_config.get("env_prefix", "") + name.upper()


class ListenSettings(ServiceSettings):
    """A service whose address is two plain settings."""

    # Empty would mean every address of this host.
    host: str = Field(default="127.0.0.1", min_length=1, description="The address or name to listen on.")
    port: int = Field(ge=0, le=65535, description="0 takes a free port.")

    @property
    def bind(self) -> tuple[str, int]:
        """The address to listen on."""
        return self.host, self.port


def _clear(secret: SecretStr | None) -> str:
    return secret.get_secret_value().strip() if secret else ""


def _unreadable(credentials: str) -> list[Problem]:
    """The files of the folder that cannot be read as text, one problem each: pydantic does not name them."""
    found = []
    for path in sorted(Path(credentials).iterdir()):
        try:
            path.read_text()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "is no text, as PEM is"
            found.append(Problem(path.name.upper(), f"the credential {path.name} cannot be read: {why}"))
    return found


def cache_folder(service: str, environment: Mapping[str, str]) -> Path:
    """Where a service keeps what can be made again: where systemd says, else where the XDG folders do."""
    if given := environment.get("CACHE_DIRECTORY"):
        return Path(given)
    return Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "juniper" / service


def is_loopback(host: str) -> bool:
    """Whether nobody but this host reaches it there. A name that others may give a meaning to is not taken for it."""
    name = host.strip("[]").rstrip(".").lower()
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
