"""Snapshots on the wire: what lies in the service's snapshot folder, and the replay of a growth from it.

Times are Unix seconds.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationInfo, field_validator

from juniper_common.wire.rows import RowsRequest
from juniper_common.wire.runs import Notes, Tag
from juniper_common.wire.training import (
    ChangeParameters,
    DatasetSource,
    InlineData,
    MetricRow,
    OnRestart,
    RunParameters,
)

MAX_REPLAY_SPEED = 100.0

SnapshotState = Literal["whole", "damaged", "foreign", "newer", "unreadable"]
"""whole: reads well. damaged: has a snapshot's beginning or name, but does not check. foreign: another kind of file, or
one that its run did not write there. newer: of a later format. unreadable: the disk, or its permissions, refuse it."""

ReplayAction = Literal["play", "pause", "seek", "speed", "stop"]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SnapshotInfo(BaseModel):
    """One file of the snapshot folder."""

    id: str
    run_id: str | None = Field(description="The run in whose folder the file lies; null beside the runs' folders.")
    epoch: int | None
    hidden_units: int | None
    created_at: float = Field(description="When the file was written.")
    size_bytes: int
    state: SnapshotState = "whole"
    problem: str | None = Field(default=None, description="Why it is not whole.")
    can_resume: bool = Field(default=False, description="Whether it holds a training that had not ended.")


class SnapshotList(BaseModel):
    """The answer of `GET /v1/snapshots`, newest first."""

    snapshots: list[SnapshotInfo]
    total: int = Field(default=0, description="How many there are in all that match.")


class SnapshotCard(BaseModel):
    """What a snapshot says of itself; docs/snapshot-format.md describes each field."""

    format: int
    run_id: str | None
    epoch: int
    hidden_units: int
    created_at: float
    seed: int
    task: str
    parameters: dict[str, JsonValue]
    dataset_id: str | None
    dataset_checksum: str | None
    backend: str
    versions: dict[str, str]
    labels: list[str | int | float | bool] | None
    feature_names: list[str] | None
    outcome: str | None


class NetworkSize(BaseModel):
    """How large a network is."""

    inputs: int
    hidden_units: int
    outputs: int
    weights: int = Field(description="Of hidden units and outputs, biases included.")


class SnapshotDetail(SnapshotInfo):
    """The answer of `GET /v1/snapshots/{id}`; what only a whole snapshot tells is null for another."""

    card: SnapshotCard | None = None
    network: NetworkSize | None = None
    metrics: MetricRow | None = Field(default=None, description="The newest row of its metrics.")


class ResumeSnapshot(_Request):
    """The body of `POST /v1/snapshots/{id}/resume`: a new run goes on where the snapshot's was."""

    params: ChangeParameters = Field(default=ChangeParameters(), description="As of the next phase; the pace at once.")
    on_restart: OnRestart | None = Field(default=None, description="null: as the service is set.")


class RetrainSnapshot(RowsRequest):
    """The body of `POST /v1/snapshots/{id}/retrain`: a new run grows on from the snapshot's network."""

    epochs: int | None = Field(default=None, ge=1, description="A budget over both phases: max_epochs.")
    dataset: DatasetSource | None = Field(default=None, description="null, and no inline_data: the snapshot's own.")
    inline_data: InlineData | None = None
    params: RunParameters = Field(default=RunParameters(), description="What is left out is as in the snapshot.")
    on_restart: OnRestart | None = Field(default=None, description="null: as the service is set.")
    notes: Notes = ""
    tags: list[Tag] = Field(default=[], max_length=100)


class ReplayRequest(_Request):
    """The body of `POST /v1/snapshots/{id}/replay`: show the growth of the snapshot's run."""

    speed: float = Field(default=1.0, gt=0, le=MAX_REPLAY_SPEED, description="Steps of the growth a second.")
    from_start: bool = Field(default=True, description="Begin with the run's first snapshot, not with this one.")
    paused: bool = Field(default=False, description="Show where it begins, and wait for play.")


class ReplayCommand(_Request):
    """The body of `POST /v1/replay`. At the end, `play` begins anew."""

    action: ReplayAction
    position: int | None = Field(default=None, ge=0, validate_default=True, description="For seek, and only for it.")
    speed: float | None = Field(
        default=None,
        gt=0,
        le=MAX_REPLAY_SPEED,
        validate_default=True,
        description="Steps of the growth a second: for speed, and only for it.",
    )

    @field_validator("position")
    @classmethod
    def _goes_with_seek(cls, position: int | None, info: ValidationInfo) -> int | None:
        _check_belongs(position, info, "seek")
        return position

    @field_validator("speed")
    @classmethod
    def _goes_with_speed(cls, speed: float | None, info: ValidationInfo) -> float | None:
        _check_belongs(speed, info, "speed")
        return speed


class ReplayStatus(BaseModel):
    """The answer of `GET /v1/replay`: `position` counts the run's snapshots from 0, of `length` that read well."""

    run_id: str
    position: int
    length: int
    hidden_units: int
    epoch: int
    speed: float
    is_playing: bool


def _check_belongs(value: float | None, info: ValidationInfo, action: ReplayAction) -> None:
    # An action that was itself refused is not there to compare with.
    asked = info.data.get("action")
    if asked == action and value is None:
        raise ValueError(f"{action} needs it")
    if asked not in (action, None) and value is not None:
        raise ValueError(f"belongs to {action}, not to {asked}")
