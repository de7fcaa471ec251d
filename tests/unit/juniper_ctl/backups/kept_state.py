"""What the services keep, small and real, and programs that look at it."""

import hashlib
from contextlib import closing
from pathlib import Path

from juniper_cascor import snapshots
from juniper_cascor.runs import snapshot_folder
from juniper_cascor.runs.store import RunStore
from juniper_ctl.locations import Locations
from juniper_data.stores.file_system import FileSystemStore
from tests.unit.juniper_cascor.runs.records import record
from tests.unit.juniper_cascor.snapshot_data import CARD, SNAPSHOT
from tests.unit.juniper_data.stores.made import NOON, id_of
from tests.unit.juniper_data.stores.samples import holding

RUN = str(CARD.run_id)
DATASET = b"rows" * 1000


def keep(locations: Locations, datasets: int = 2) -> None:
    """Some datasets, a run that is over with a snapshot, and what a browser stored."""
    with closing(FileSystemStore(locations.state / "data")) as store:
        for number in range(datasets):
            store.put(*holding(number, f"content {number} ".encode() * 1000))
    keep_run(locations.state / "cascor")
    page = locations.state / "canopy/nicegui"
    page.mkdir(parents=True, exist_ok=True)
    (page / "storage-1.json").write_text("{}", encoding="utf-8")
    locations.configuration.mkdir(parents=True, exist_ok=True)
    (locations.configuration / "juniper.env").write_text("JUNIPER_ENV=demo\n", encoding="utf-8")
    locations.credentials.mkdir(exist_ok=True)
    (locations.credentials / "juniper_data_api_keys").write_text("very-secret", encoding="utf-8")


def keep_run(state: Path, run_id: str = RUN) -> None:
    """A run that is over, its dataset and its snapshot."""
    checksum = hashlib.sha256(DATASET).hexdigest()
    (state / "datasets").mkdir(parents=True, exist_ok=True)
    (state / f"datasets/{checksum}.npz").write_bytes(DATASET)
    with closing(RunStore(state / "runs.sqlite3")) as store:
        store.add([record(1, id=run_id, dataset_checksum=checksum, status="COMPLETED", ended_at=9.0)])
    path = snapshot_folder.path_of(state / "snapshots", CARD.model_copy(update={"run_id": run_id}))
    path.parent.mkdir(parents=True)
    snapshots.write(path, SNAPSHOT)


def datasets(state: Path) -> list[str]:
    """The ids of the datasets that a store has."""
    with closing(FileSystemStore(state)) as store:
        return list(store.ids(1000, 0))


def put(state: Path, number: int) -> str:
    """One dataset more; returns its id."""
    with closing(FileSystemStore(state)) as store:
        store.put(*holding(number, f"content {number} ".encode() * 1000, created_at=NOON))
    return id_of(number)


def install_programs(locations: Locations, code: int = 0, says: str = "all whole") -> None:
    """A release whose programs look at no state, and end so."""
    folder = locations.current / "bin"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("juniper-data", "juniper-cascor"):
        program = folder / name
        program.write_text(f"#!/bin/sh\necho '{says}'\nexit {code}\n", encoding="utf-8")
        program.chmod(0o755)
