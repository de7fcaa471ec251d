"""What the service asks the trainer process to train."""

from pathlib import Path

from pydantic import BaseModel, JsonValue

from juniper_cascor.engine.backend import BackendName
from juniper_cascor.runs.channel import Message


class Job(BaseModel):
    """What the service asks the trainer to train."""

    run_id: str
    data_path: Path
    snapshot_folder: Path
    parameters: dict[str, JsonValue]
    seed: int
    pace: float | None
    dataset_id: str | None
    dataset_checksum: str
    backend: BackendName
    versions: dict[str, str]

    def message(self) -> Message:
        """As it goes to the trainer."""
        return Message("train", self.model_dump(mode="json"))
