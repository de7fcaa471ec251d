"""`check`: read all that the training service keeps, as after a restore, while no service uses it."""

import argparse
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from juniper_cascor.commands.errors import CommandError, Exit
from juniper_cascor.settings import CascorSettings
from juniper_common.settings import EXIT_CONFIGURATION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from juniper_cascor.runs.store import RunStore

_PAGE = 1_000


def add_arguments(_: argparse.ArgumentParser) -> None:
    """None: the settings say where."""


def run(_: argparse.Namespace) -> int:
    """Say how much there is, or what of it is damaged.

    Raises:
        CommandError: with 1 where something is damaged, with 78 where the store cannot be opened.
    """
    # Only now: the other commands do without.
    from juniper_cascor.runs.store import RunStore, StoreError

    state = CascorSettings.load().state_dir
    try:
        with closing(RunStore(state / "runs.sqlite3")) as store:
            checksums, runs = store.dataset_checksums(), list(_run_ids(store))
    except StoreError as error:
        hint = "restore the folder from a backup, or set JUNIPER_CASCOR_STATE_DIR to another"
        raise CommandError(str(error), next_step=hint, code=EXIT_CONFIGURATION) from error
    snapshots, damaged = _snapshots(state / "snapshots", runs)
    damaged += _datasets(state / "datasets", checksums) + _models(state / "models")
    if damaged:
        raise CommandError("\n".join(damaged), next_step="restore them from an older backup", code=Exit.FAILED)
    print(f"{len(runs)} runs, {snapshots} snapshots and {len(checksums)} datasets, each whole")
    return Exit.OK


def _run_ids(store: "RunStore") -> "Iterator[str]":
    from juniper_common.wire.run_queries import RunQuery

    offset = 0
    while page := store.page(RunQuery(limit=_PAGE, offset=offset)).runs:
        yield from (record.id for record in page)
        offset += len(page)


def _snapshots(folder: Path, runs: list[str]) -> tuple[int, list[str]]:
    """How many there are of the runs, and those that cannot be read."""
    from juniper_cascor import snapshots

    paths = sorted(path for run_id in runs for path in (folder / run_id).glob("*.h5"))
    damaged = []
    for path in paths:
        try:
            snapshots.read(path)
        except snapshots.SnapshotError as error:
            damaged.append(f"snapshots/{path.parent.name}/{path.name}: {error}")
    return len(paths), damaged


def _datasets(folder: Path, checksums: set[str]) -> list[str]:
    from juniper_cascor.runs.dataset_file import KeptFiles

    files = KeptFiles()
    return [
        f"datasets/{checksum}.npz is missing or damaged"
        for checksum in sorted(checksums)
        if not files.has(folder / f"{checksum}.npz")
    ]


def _models(folder: Path) -> list[str]:
    from juniper_cascor.serving.model_store import ModelStore

    return [f"model {info.name}: {info.problem}" for info in ModelStore(folder).listed() if info.problem]
