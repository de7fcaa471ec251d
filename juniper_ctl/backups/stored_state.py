"""What each service keeps, and in which order it is copied so that no record misses its files.

The database's moment is the backup's. What is there before a record names it is copied after the database; what the
service must not find newer than its records, before it.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from juniper_ctl.backups.state_copy import Database, StateCopy
from juniper_ctl.services import CANOPY, CASCOR, DATA, Service

DATABASES: Mapping[Service, Database] = {
    DATA: Database(
        "index.sqlite",
        "SELECT 'artifacts/' || location, checksum FROM datasets",
        "datasets WHERE 'artifacts/' || location = :path",
    ),
    CASCOR: Database(
        "runs.sqlite3",
        """
        SELECT 'datasets/' || checksum || '.npz', checksum FROM
            (SELECT dataset_checksum AS checksum FROM runs UNION SELECT dataset_checksum FROM run_changes)
            WHERE checksum IS NOT NULL
        """,
        """
        runs WHERE :path IN ('snapshots/' || id, 'datasets/' || dataset_checksum || '.npz') OR EXISTS
            (SELECT 1 FROM run_changes WHERE run = runs.number AND :path = 'datasets/' || dataset_checksum || '.npz')
        """,
    ),
}


def _data(copy: StateCopy) -> None:
    """Jobs, then the index, then the artifacts that it names.

    A job that is done meanwhile is in the index; so every dataset that was ordered is in one of the two.
    """
    copy.folder("jobs")
    for name in _uploads(copy.target / "jobs"):
        copy.file(f"uploads/{name}")
    copy.vanished.clear()  # Their jobs are done.
    copy.folder("import")
    database = DATABASES[DATA]
    with copy.database(database) as connection:
        for path, checksum in connection.execute(database.named_files) if connection else ():
            copy.file(path, checksum)


def _cascor(copy: StateCopy) -> None:
    """Snapshots, then the run store, then what it names, and once more the snapshots of the runs that are over.

    Of a run that goes on no snapshot may be newer than its metrics: what lies between would never be recorded. One that
    is over has all of its snapshots.
    """
    copy.folder("models")
    _drop_deleted(copy, "models")
    copy.folder("snapshots")
    database = DATABASES[CASCOR]
    with copy.database(database) as connection:
        if connection is None:
            return
        for path, checksum in connection.execute(database.named_files):
            copy.file(path, checksum)
        for (run_id,) in connection.execute("SELECT id FROM runs WHERE ended_at IS NOT NULL"):
            copy.folder(f"snapshots/{run_id}")
        copy.vanished += [f"snapshots/{run_id}" for run_id in _drop_deleted(copy, "snapshots")]


def _canopy(copy: StateCopy) -> None:
    """What the page keeps for each browser."""
    copy.folder("nicegui")


STATES: Mapping[Service, Callable[[StateCopy], None]] = {DATA: _data, CASCOR: _cascor, CANOPY: _canopy}
"""Each copies a service's state, in its order. Caches, locks and the count of starts are left out."""


def _uploads(jobs: Path) -> Iterator[str]:
    """The uploaded files that jobs wait for."""
    for path in sorted(jobs.glob("*.json")):
        # A job that cannot be read is given up by the service, too.
        with suppress(ValueError, KeyError, TypeError):
            requests = json.loads(path.read_bytes())["requests"]
            yield from [request["file"] for request in requests if "file" in request]


def _drop_deleted(copy: StateCopy, relative: str) -> list[str]:
    """Take out the folders that were deleted while they were copied; returns their names."""
    copied = {path.split("/")[1] for path in copy.files if path.startswith(f"{relative}/") and path.count("/") > 1}
    deleted = sorted(name for name in copied if not (copy.root / relative / name).exists())
    for name in deleted:
        copy.drop(f"{relative}/{name}")
    return deleted
