"""What the service asks the trainer process to train."""

from pathlib import Path

from pydantic import BaseModel, JsonValue

from juniper_cascor.engine.backend import BackendName
from juniper_cascor.runs.channel import Message


class Change(BaseModel):
    """What is set from a run's next phase on: parameters, another dataset, or both."""

    epoch: int | None = None  # after which it was set; None: now
    parameters: dict[str, JsonValue] = {}
    dataset_id: str | None = None
    dataset_checksum: str | None = None  # None: the same data


class Job(BaseModel):
    """A run from its beginning, or from its newest checkpoint on.

    With a checkpoint, `changes` are those of the run so far: the trainer applies again what came after it, each at its
    own epoch, so that the network is the one of a run that was not interrupted.
    """

    run_id: str
    data_folder: Path  # holds CHECKSUM.npz for each dataset
    snapshot_folder: Path
    parameters: dict[str, JsonValue]
    seed: int
    pace: float | None
    dataset_id: str | None
    dataset_checksum: str
    backend: BackendName
    versions: dict[str, str]
    changes: list[Change] = []
    grow_from: Path | None = None  # a snapshot whose network is grown on
    resume_from: Path | None = None  # a snapshot whose training goes on
    seen_epoch: int = 0  # what the service knows of the run; the trainer tells what its checkpoint has beyond
    recorded_epoch: int = 0  # as far as the record goes: what is changed while this is trained again comes after it
    is_paused: bool = False
    checkpoint_s: float = 30.0  # how much work a kill may cost

    def message(self) -> Message:
        """As it goes to the trainer."""
        return Message("train", self.model_dump(mode="json"))

    def data_path(self, checksum: str) -> Path:
        """Where a dataset stands."""
        return self.data_folder / f"{checksum}.npz"
