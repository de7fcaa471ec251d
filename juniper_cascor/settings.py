"""Every setting of the training service."""

import json
import os
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, SecretStr, ValidationError
from pydantic_settings import NoDecode, SettingsConfigDict

from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.runs import network_spec
from juniper_common.errors import UnprocessableError
from juniper_common.settings import Folder, ListenSettings, OptionalCount, OptionalNumber, cache_folder
from juniper_common.wire.training import OnRestart, RunParameters


def _object(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value or "{}")
    except ValueError as error:
        raise ValueError(f"is no JSON object: {error}") from None


JsonObject = Annotated[dict[str, JsonValue], NoDecode, BeforeValidator(_object)]
"""A setting written as a JSON object."""


def _run_parameters(values: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """The same, where a run can be told them: what cannot be is to be seen at the start, not when it trains."""
    try:
        network_spec.changed(Parameters(), RunParameters.model_validate(values))
    except ValidationError as error:
        raise ValueError(UnprocessableError.from_validation(error).message) from None
    except UnprocessableError as error:
        raise ValueError(error.message) from None
    return values


EngineJson = Annotated[JsonObject, AfterValidator(_run_parameters)]


class CascorSettings(ListenSettings):
    """Read from `JUNIPER_CASCOR_*`; the data service's address from the shared `JUNIPER_DATA_URL`."""

    model_config = SettingsConfigDict(env_prefix="JUNIPER_CASCOR_", populate_by_name=True)

    port: int = Field(default=8200, ge=0, le=65535, description="0 takes a free port.")
    data_url: str = Field(
        default="http://127.0.0.1:8100", validation_alias="JUNIPER_DATA_URL", description="Where datasets come from."
    )
    data_api_key: SecretStr | None = Field(default=None, description="The key that the data service asks for.")
    cache_dir: Folder = Field(
        default_factory=lambda: cache_folder("cascor", os.environ),
        description="Where compiled code is kept; losing it costs the next start some seconds.",
    )
    max_clients: int = Field(default=50, ge=1, description="WebSocket clients at once; one more is closed with 1013.")
    max_inline_bytes: int = Field(
        default=64_000_000, ge=1_000, description="A larger request that brings rows is refused (413)."
    )
    history_rows: int = Field(default=200_000, ge=1_000, description="Epochs of the foreground run kept for charts.")
    trainer_deadline_s: float = Field(
        default=30.0, gt=0, description="A trainer that comes no further for this long is taken for hung, and killed."
    )
    max_parallel_runs: int = Field(
        default=1, ge=1, le=64, description="Runs trained side by side, each on a share of the processors or a GPU."
    )
    checkpoint_s: float = Field(default=30.0, gt=0, description="How much of a phase's work a kill may cost, at most.")
    on_restart: OnRestart = Field(default="resume", description="Whether interrupted runs go on by themselves.")
    keep_runs: OptionalCount = Field(default=None, ge=1, description="So many runs that are over are kept; None: all.")
    keep_days: OptionalNumber = Field(default=None, gt=0, description="For so long after their end; None: for good.")
    auto_start: bool = Field(default=False, description="Train as soon as the service is ready: for demos.")
    auto_dataset: str = Field(default="spiral", description="The generator of what is trained on then.")
    auto_dataset_params: JsonObject = Field(default={}, description="Its parameters, as JSON.")
    auto_network: EngineJson = Field(default={}, description="Parameters of the training, as JSON.")
    auto_epochs: OptionalCount = Field(default=None, ge=1, description="Its budget of epochs; None: no budget.")
