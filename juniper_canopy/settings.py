"""The dashboard's settings, `JUNIPER_CANOPY_…` in the environment, with two names that the services share."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, AliasChoices, BaseModel, Field, HttpUrl, SecretStr
from pydantic_settings import SettingsConfigDict

from juniper_common.settings import OptionalUrl, Problem, ServiceSettings, Words


def _without_path(url: HttpUrl | None) -> HttpUrl | None:
    if url is not None and (url.path not in (None, "/") or url.query or url.fragment or url.username):
        raise ValueError("names scheme, host and port alone, as in https://lab.example")
    return url


PublicUrl = Annotated[OptionalUrl, AfterValidator(_without_path)]
"""Where browsers find the dashboard; nothing: where it listens."""


class Listen(BaseModel):
    """Where the dashboard is served."""

    host: str = Field(default="127.0.0.1", min_length=1, description="The address or name to listen on.")
    port: int = Field(default=8050, ge=0, le=65535, description="0 takes a free port.")


class CanopySettings(ServiceSettings):
    """What the dashboard can be told."""

    model_config = SettingsConfigDict(env_prefix="JUNIPER_CANOPY_", populate_by_name=True)

    host_field: ClassVar[tuple[str, ...]] = ("server", "host")

    server: Listen = Listen()
    data_url: HttpUrl = Field(
        default=HttpUrl("http://127.0.0.1:8100"),
        validation_alias="JUNIPER_DATA_URL",
        description="The data service.",
    )
    cascor_url: OptionalUrl = Field(
        default=HttpUrl("http://127.0.0.1:8200"),
        validation_alias=AliasChoices("JUNIPER_CANOPY_CASCOR_SERVICE_URL", "JUNIPER_CASCOR_URL"),
        description="The training service. Empty: there is none, and recordings are shown.",
    )
    demo_mode: bool = Field(default=False, description="Show recordings of real runs in place of the services.")
    data_api_key: SecretStr | None = Field(default=None, description="Sent to the data service.")
    cascor_api_key: SecretStr | None = Field(default=None, description="Sent to the training service.")

    public_url: PublicUrl = Field(
        default=None, description="Where browsers find it behind a proxy; https makes cookies Secure, and sends HSTS."
    )
    trusted_proxies: Words = Field(
        default=(), description="Addresses of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed."
    )
    session_hours: float = Field(default=12.0, gt=0, le=24 * 365, description="How long a log-in lasts.")
    pages_per_minute: int = Field(default=60, ge=1, description="Pages that one address may open a minute.")

    @property
    def origins(self) -> tuple[str, ...]:
        """Origins whose pages may call: those that were set, and where browsers find the dashboard."""
        if self.public_url is None:
            return self.allowed_origins
        url = self.public_url
        default_port = 443 if url.scheme == "https" else 80
        port = "" if url.port in (None, default_port) else f":{url.port}"
        return (*self.allowed_origins, f"{url.scheme}://{url.host}{port}")

    @property
    def is_behind_tls(self) -> bool:
        """Whether browsers are told to come by HTTPS alone: to this host's other services too, so it is to be said."""
        return self.public_url is not None and self.public_url.scheme == "https"

    @property
    def has_secure_cookies(self) -> bool:
        """Whether browsers reach the dashboard through HTTPS: the proxy's or its own."""
        return self.is_behind_tls if self.public_url is not None else self.speaks_tls

    @property
    def bind(self) -> tuple[str, int]:
        """The address to listen on."""
        return self.server.host, self.server.port

    @property
    def is_demo(self) -> bool:
        """Whether nothing but recordings is ever shown."""
        return self.demo_mode or self.cascor_url is None

    def refusals(self) -> list[Problem]:
        """What the production profile refuses; recordings are among it."""
        refused = super().refusals()
        if self.is_demo and self.environment == "production":
            is_set = (self.spelled(("demo_mode",)), "is set")
            name, why = is_set if self.demo_mode else ("JUNIPER_CASCOR_URL", "is empty")
            refused.append(
                Problem(
                    name,
                    f"{why}, and JUNIPER_ENV=production shows no recordings: set JUNIPER_ENV=demo to see them, "
                    "or JUNIPER_CASCOR_URL to the training service's address",
                )
            )
        return refused
