"""What the service and the process that asks the hub tell each other, as JSON."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict


class HubTask(BaseModel):
    """Files to tell the checksums of; with the checksums that they must have: files to fetch."""

    model_config = ConfigDict(frozen=True)

    parent: int
    endpoint: str
    cache: Path
    repository: str
    paths: tuple[str, ...]
    max_bytes: int
    sha256: tuple[str, ...] = ()


class HubAnswer(BaseModel):
    """For each file where it lies, or its sha256; or why not."""

    model_config = ConfigDict(frozen=True)

    found: tuple[str, ...] = ()
    problem: str | None = None
