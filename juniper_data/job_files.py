"""What must outlive a kill of a dataset that is still to be made, and the files that are sent.

    ROOT/jobs/ID.json     the requests that were accepted and are not yet done
    ROOT/uploads/NAME     a file that was sent: on its way in, or waiting to be read

A job file is there whole or not at all, and so long only as its requests are owed an answer. An upload that no job
file names belongs to a request that is gone with the process that served it.
"""

import logging
import secrets
from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from juniper_common.atomic_file import remove_leftovers, replace_atomically, sync
from juniper_common.wire.datasets import CreateDatasetRequest, DatasetId, UploadQuery

log = logging.getLogger(__name__)


class UploadRequest(BaseModel):
    """A file that was sent, and what was said of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    sha256: str
    query: UploadQuery


DatasetRequest = CreateDatasetRequest | UploadRequest
"""All that is needed to order a dataset again; that of a generator has its seed."""


class KeptJob(BaseModel):
    """Requests for one dataset, as they lie on the disk."""

    model_config = ConfigDict(frozen=True)

    job_id: DatasetId
    created_at: datetime
    restarts: int = 0
    requests: tuple[DatasetRequest, ...]


class JobFiles:
    """The jobs and the uploads below `root`, which nobody else uses at the same time. Every call blocks.

    Each raises OSError where the disk does not take or give.
    """

    def __init__(self, root: Path) -> None:
        self._jobs = root / "jobs"
        self._uploads = root / "uploads"

    def new_upload(self) -> Path:
        """Where to write a file that is being sent."""
        self._uploads.mkdir(parents=True, exist_ok=True)
        return self._uploads / secrets.token_hex(16)

    def upload(self, request: UploadRequest) -> Path:
        """Where the file lies."""
        return self._uploads / request.file

    def keep(self, job: KeptJob) -> None:
        """Bring a job to the disk, with the files that it needs; it takes the place of what was kept under its id."""
        for request in _uploads(job.requests):
            sync(self.upload(request))
        if any(_uploads(job.requests)):
            sync(self._uploads)
        self._jobs.mkdir(parents=True, exist_ok=True)
        # Without defaults: so the release before refuses a request only if it asks for what that release cannot do.
        text = job.model_dump_json(indent=1, exclude_defaults=True)
        replace_atomically(self._job_file(job.job_id), text.encode())

    def forget(self, job_id: str, requests: Sequence[DatasetRequest]) -> None:
        """Remove a job where it was kept, then its uploads: so none is missing to a job that is taken up again."""
        self._job_file(job_id).unlink(missing_ok=True)
        for request in _uploads(requests):
            self.upload(request).unlink(missing_ok=True)

    def left(self) -> Sequence[KeptJob]:
        """The jobs that a process before this one did not end; what else it left behind is removed.

        A job that the disk does not give is told of and left to the next start, with all uploads: they may be its.
        """
        remove_leftovers(self._jobs)
        jobs, is_all = [], True
        for path in sorted(self._jobs.glob("*.json")):
            try:
                jobs += _read(path)
            except OSError as error:
                log.error("a job is not taken up by this start: %s", error)
                is_all = False
        if is_all:
            self._sweep_uploads({request.file for job in jobs for request in _uploads(job.requests)})
        return jobs

    def _sweep_uploads(self, needed: Collection[str]) -> None:
        for path in self._uploads.glob("*"):
            if path.name not in needed:
                try:
                    path.unlink(missing_ok=True)
                except OSError as error:
                    log.error("what is left of an upload cannot be removed: %s", error)

    def _job_file(self, job_id: str) -> Path:
        return self._jobs / f"{job_id}.json"


def _uploads(requests: Sequence[DatasetRequest]) -> list[UploadRequest]:
    return [request for request in requests if isinstance(request, UploadRequest)]


def _read(path: Path) -> list[KeptJob]:
    """The job, if that is one."""
    try:
        return [KeptJob.model_validate_json(path.read_bytes())]
    except ValidationError as error:
        log.error("the job in %s cannot be read, and is given up: %s", path, error)
        path.unlink()
        return []
