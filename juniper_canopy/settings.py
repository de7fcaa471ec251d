"""The dashboard's settings, `JUNIPER_CANOPY_…` in the environment, with two names that the services share."""

from pydantic import AliasChoices, BaseModel, Field, HttpUrl, SecretStr
from pydantic_settings import SettingsConfigDict

from juniper_common.settings import ServiceSettings


class Listen(BaseModel):
    """Where the dashboard is served."""

    host: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=8050, ge=0, le=65535, description="0 takes a free port.")


class CanopySettings(ServiceSettings):
    """What the dashboard can be told."""

    model_config = SettingsConfigDict(env_prefix="JUNIPER_CANOPY_", populate_by_name=True)

    server: Listen = Listen()
    data_url: HttpUrl = Field(
        default=HttpUrl("http://127.0.0.1:8100"),
        validation_alias="JUNIPER_DATA_URL",
        description="The data service.",
    )
    cascor_url: HttpUrl = Field(
        default=HttpUrl("http://127.0.0.1:8200"),
        validation_alias=AliasChoices("JUNIPER_CANOPY_CASCOR_SERVICE_URL", "JUNIPER_CASCOR_URL"),
        description="The training service.",
    )
    data_api_key: SecretStr | None = Field(default=None, description="Sent to the data service.")
    cascor_api_key: SecretStr | None = Field(default=None, description="Sent to the training service.")

    @property
    def bind(self) -> tuple[str, int]:
        """The address to listen on."""
        return self.server.host, self.server.port
