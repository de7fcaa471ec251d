"""Settings that every service has. Each reads its own subclass from the environment once, at start.

The environment comes from `juniper.env` and then the service's own env file (systemd's EnvironmentFile= or the
foreground runner load them); secrets come as files in the folder that systemd names in `$CREDENTIALS_DIRECTORY`.
"""

import os
import sys
from abc import abstractmethod
from pathlib import Path
from typing import Annotated, Literal, Self

import pydantic
from pydantic import AfterValidator, BeforeValidator, Field, HttpUrl, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError

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


class ServiceSettings(BaseSettings):
    """What every service can be told. A subclass sets `env_prefix` in its `model_config`."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, env_nested_delimiter="__")

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    api_keys: Secrets = Field(default=(), description="Comma-separated keys; none: no key is asked for.")
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
    def keys(self) -> tuple[str, ...]:
        """The API keys in clear, for comparing."""
        return tuple(key.get_secret_value() for key in self.api_keys)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret among the settings in clear, for keeping them out of what is shown."""
        values = [getattr(self, name) for name in type(self).model_fields]
        parts = [part for value in values for part in (value if isinstance(value, tuple) else (value,))]
        return tuple(part.get_secret_value() for part in parts if isinstance(part, SecretStr) and part)

    @classmethod
    def load(cls) -> Self:
        """Read the environment, or end the process with one line per wrong setting and exit code 78."""
        try:
            return cls(_secrets_dir=os.environ.get("CREDENTIALS_DIRECTORY"))
        except pydantic.ValidationError as error:
            problems = [
                f"{cls.spelled(problem['loc'])}: {reason(problem)}" if problem["loc"] else reason(problem)
                for problem in error.errors()
            ]
        except SettingsError as error:
            problems = [str(error)]
        for problem in problems:
            print(f"juniper-{cls.service_name()}: {problem}", file=sys.stderr)  # noqa: T201 - for the operator
        sys.exit(EXIT_CONFIGURATION)

    @classmethod
    def spelled(cls, path: tuple[str | int, ...]) -> str:
        """A field's path as the environment spells it."""
        name = "__".join(str(part) for part in path)
        return name if name.isupper() else cls.model_config.get("env_prefix", "") + name.upper()


class ListenSettings(ServiceSettings):
    """A service whose address is two plain settings."""

    host: str = Field(default="127.0.0.1", min_length=1)  # Empty would mean every address of this host.
    port: int = Field(ge=0, le=65535, description="0 takes a free port.")

    @property
    def bind(self) -> tuple[str, int]:
        """The address to listen on."""
        return self.host, self.port
