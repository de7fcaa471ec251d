"""What the dataset service can be told: `JUNIPER_DATA_…` in the environment."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from juniper_common.settings import ListenSettings


class Settings(ListenSettings):
    """The dataset service's settings; datasets are kept in `state_dir`."""

    model_config = SettingsConfigDict(env_prefix="JUNIPER_DATA_")

    port: int = Field(default=8100, ge=0, le=65535, description="0 takes a free port.")
