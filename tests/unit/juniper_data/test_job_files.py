"""What a kill does not lose."""

import json
import logging
from pathlib import Path

import pytest

from juniper_common.wire.datasets import CreateDatasetRequest, UploadQuery
from juniper_data.job_files import JobFiles, KeptJob, UploadRequest
from tests.unit.juniper_data.stores.made import NOON

JOB_ID = "xor-1.0.0-0123456789abcdef"
CREATE = CreateDatasetRequest(generator="xor", params={"seed": 1}, tags=("t",), ttl_seconds=5)


@pytest.fixture
def files(tmp_path: Path) -> JobFiles:
    """No files yet."""
    return JobFiles(tmp_path)


def _upload(files: JobFiles) -> UploadRequest:
    path = files.new_upload()
    path.write_bytes(b"a,label\n1,2\n")
    return UploadRequest(file=path.name, sha256="0" * 64, query=UploadQuery(format="csv", tags="a,b"))


def test_job_is_read_as_it_was_kept(files: JobFiles) -> None:
    """Each kind of request, and how often it was tried."""
    job = KeptJob(job_id=JOB_ID, created_at=NOON, restarts=2, requests=(CREATE, _upload(files)))
    files.keep(job)
    assert files.left() == [job]


def test_job_takes_the_place_of_its_former_self(files: JobFiles) -> None:
    """There is one file for each id."""
    for restarts in range(2):
        files.keep(KeptJob(job_id=JOB_ID, created_at=NOON, restarts=restarts, requests=(CREATE,)))
    assert [job.restarts for job in files.left()] == [1]


def test_nothing_is_left_of_what_is_forgotten(files: JobFiles) -> None:
    """Nor of its uploads, kept or not."""
    request = _upload(files)
    files.keep(KeptJob(job_id=JOB_ID, created_at=NOON, requests=(request,)))
    files.forget(JOB_ID, [request, _upload(files)])
    files.forget(JOB_ID, [request])
    assert files.left() == []
    assert not files.upload(request).exists()


def test_upload_of_a_job_is_left_to_it(files: JobFiles) -> None:
    """Those that no job names are removed."""
    kept, lost = _upload(files), _upload(files)
    files.keep(KeptJob(job_id=JOB_ID, created_at=NOON, requests=(kept,)))
    files.left()
    assert [files.upload(each).exists() for each in (kept, lost)] == [True, False]


def test_nothing_is_left_where_nothing_was(files: JobFiles) -> None:
    """The folders are made when they are needed."""
    assert files.left() == []


def test_damaged_job_is_told_of_and_removed(files: JobFiles, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It keeps no service from starting, now or the next time."""
    files.keep(KeptJob(job_id=JOB_ID, created_at=NOON, requests=(CREATE,)))
    path = tmp_path / "jobs" / f"{JOB_ID}.json"
    path.write_text(path.read_text()[:20])
    assert files.left() == []
    assert [(record.levelno, JOB_ID in record.message) for record in caplog.records] == [(logging.ERROR, True)]
    assert not path.exists()


def test_job_of_a_later_release_is_taken_up(files: JobFiles, tmp_path: Path) -> None:
    """Whatever else that release notes of it; what it may ask for and does not is not written."""
    job = KeptJob(job_id=JOB_ID, created_at=NOON, requests=(CREATE,))
    files.keep(job)
    path = tmp_path / "jobs" / f"{JOB_ID}.json"
    content = json.loads(path.read_text())
    assert content["requests"] == [CREATE.model_dump(mode="json", include=CREATE.model_fields_set)]
    path.write_text(json.dumps(content | {"priority": 1}))
    assert files.left() == [job]


def test_job_that_asks_for_what_is_not_known_is_given_up(files: JobFiles, tmp_path: Path) -> None:
    """It would become another dataset."""
    files.keep(KeptJob(job_id=JOB_ID, created_at=NOON, requests=(CREATE,)))
    path = tmp_path / "jobs" / f"{JOB_ID}.json"
    path.write_text(path.read_text().replace('"generator"', '"scale": 2, "generator"'))
    assert files.left() == []


def test_job_that_cannot_be_read_keeps_its_upload(
    files: JobFiles, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor does it keep the service from starting, or the other jobs from being made."""
    upload = _upload(files)
    (tmp_path / "jobs" / "a.json").mkdir(parents=True)
    kept = KeptJob(job_id=JOB_ID, created_at=NOON, requests=(CREATE,))
    files.keep(kept)
    assert files.left() == [kept]
    assert files.upload(upload).exists()
    assert "a.json" in caplog.text


def test_upload_that_cannot_be_removed_keeps_no_service_from_starting(
    files: JobFiles, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told of."""
    (tmp_path / "uploads" / "odd").mkdir(parents=True)
    assert files.left() == []
    assert "odd" in caplog.text


def test_half_a_job_is_none(files: JobFiles, tmp_path: Path) -> None:
    """What a kill left on its way to the disk is removed."""
    files.keep(KeptJob(job_id=JOB_ID, created_at=NOON, requests=(CREATE,)))
    partial = tmp_path / "jobs" / f".{JOB_ID}.json.0.partial"
    (tmp_path / "jobs" / f"{JOB_ID}.json").rename(partial)
    assert files.left() == []
    assert not partial.exists()
