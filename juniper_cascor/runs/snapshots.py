"""Snapshots: a run's whole state in one HDF5 file, written at each installed unit and at the end.

A file holds the groups `network` (what predicts) and `state` (what a training needs to go on), each array as a dataset,
and one attribute `card`: a JSON object that says what run, data, parameters and versions the file belongs to. The
attribute `digest` is a sha256 over the card and all arrays; a file whose digest differs is refused. It holds no secret.
"""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import orjson
from pydantic import BaseModel, JsonValue, ValidationError

from juniper_cascor.engine.network import Network
from juniper_cascor.runs.channel import Arrays
from juniper_cascor.runs.dataset_file import replace_atomically
from juniper_common.wire.training import SnapshotInfo

FORMAT = 1


class SnapshotError(ValueError):
    """The file is no snapshot that this version can read: damaged, foreign or newer."""


class Card(BaseModel):
    """What a snapshot belongs to."""

    format: int = FORMAT
    run_id: str
    epoch: int
    hidden_units: int
    created_at: float
    seed: int
    task: str
    parameters: dict[str, JsonValue]
    dataset_id: str | None
    dataset_checksum: str
    backend: str
    versions: dict[str, str]


@dataclass(frozen=True)
class Snapshot:
    """A file's content."""

    card: Card
    network: Network
    state: Arrays


def path_of(folder: Path, card: Card) -> Path:
    """Where a snapshot stands: its name says how far the network had grown."""
    return folder / card.run_id / f"{card.hidden_units:05}-{card.epoch:09}.h5"


def write(folder: Path, card: Card, network: Network, state: Arrays) -> Path:
    """Write a snapshot atomically. Raises OSError when the disk does not take it; the file before it stays whole."""
    groups: dict[str, Arrays] = {"network": network.arrays(), "state": dict(state)}
    card_text = card.model_dump_json()
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", track_order=False) as file:
        for group, arrays in groups.items():
            for name, array in arrays.items():
                file.create_dataset(f"{group}/{name}", data=array)
        file.attrs["card"] = card_text
        file.attrs["digest"] = _digest(card_text, file)
    path = path_of(folder, card)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_atomically(path, buffer.getvalue())
    return path


def read(path: Path) -> Snapshot:
    """Read and check a snapshot. Raises SnapshotError; nothing in the file is ever run."""
    try:
        with h5py.File(path, "r") as file:
            card_text = str(file.attrs["card"])
            found = orjson.loads(card_text).get("format")
            if found != FORMAT:
                raise SnapshotError(f"{path.name} has format {found}; this version reads format {FORMAT}")
            if file.attrs["digest"] != _digest(card_text, file):
                raise SnapshotError(f"{path.name} is damaged: its content does not match its digest")
            card = Card.model_validate_json(card_text)
            network_read, state = (
                {name: np.asarray(item[()]) for name, item in file[group].items()} for group in ("network", "state")
            )
        network = Network.from_arrays(network_read, card.task)
        return Snapshot(card=card, network=network, state=state)
    except SnapshotError:
        raise
    except (OSError, KeyError, ValueError, RuntimeError, ValidationError) as error:
        raise SnapshotError(f"{path.name} is damaged or no snapshot: {error}") from error


def listed(folder: Path) -> list[SnapshotInfo]:
    """The snapshots of all runs, newest first, by what their names say; none is opened."""
    found = [_info(path) for path in folder.glob("*/*.h5") if path.stem.replace("-", "").isdigit()]
    return sorted(found, key=lambda info: info.created_at, reverse=True)


def _info(path: Path) -> SnapshotInfo:
    units, epoch = path.stem.split("-")
    stat = path.stat()
    return SnapshotInfo(
        id=f"{path.parent.name}.{path.stem}",
        run_id=path.parent.name,
        epoch=int(epoch),
        hidden_units=int(units),
        created_at=stat.st_mtime,
        size_bytes=stat.st_size,
    )


def _digest(card_text: str, file: h5py.File) -> str:
    digest = hashlib.sha256(card_text.encode())
    for group in ("network", "state"):
        for name in sorted(file[group]):
            array = file[group][name][()]
            digest.update(f"{group}/{name} {array.dtype.str} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
