"""Snapshots: a network, and all that its training needs to go on, in one HDF5 file.

The file is described in docs/snapshot-format.md. Its first 512 bytes seal the rest (`snapshot_seal`), so that any byte
that changed and any that is missing is found before HDF5 sees the file; within it only arrays of numbers and one text
are read (`plain_hdf5`). It holds no secret and nothing that is run.
"""

import errno
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
from pydantic_core import PydanticSerializationError

from juniper_cascor import plain_hdf5, snapshot_format_1, snapshot_seal
from juniper_cascor.engine.network import Network
from juniper_cascor.plain_hdf5 import Arrays
from juniper_common.atomic_file import replace_atomically

FORMAT = 2
"""Written by this version, which reads those before it too."""

MINOR = 0
"""Of this format: rises where more is written than before, which the readers of the format may do without."""

MAX_BYTES = 4 << 30

_MAX_UNSEALED_BYTES = 256 << 20
"""Of a file that may be of format 1, or any HDF5 file: no snapshot of format 1 was ever as large."""

_YEAR_10000 = 253_402_300_800  # in Unix seconds, which a calendar can still write before it

METRICS: Mapping[str, str] = {
    "epoch": "i8",
    "time": "f8",
    "train_loss": "f4",
    "train_accuracy": "f4",
    "val_loss": "f4",
    "val_accuracy": "f4",
    "score": "f4",
    "learning_rate": "f4",
    "hidden_units": "i4",
    "phase": "u1",
}
"""The columns that metrics may have, and their types. `phase` is 0 in the output phase and 1 in the candidate phase,
`time` in Unix seconds; NaN where a value is not defined."""


class SnapshotError(ValueError):
    """The file is no snapshot that this version can read: damaged, where it is none of the errors below."""


class UnreadableSnapshotError(SnapshotError):
    """The file cannot be read at all."""


class ForeignSnapshotError(SnapshotError):
    """The file does not begin as a snapshot does."""


class OtherHdf5Error(ForeignSnapshotError):
    """The file is a sound one of another program, whatever it is called."""


class NewerSnapshotError(SnapshotError):
    """The file has a later format; its seal is good."""


class Card(BaseModel):
    """What a snapshot is of: all that is to be known of a training beside its arrays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = FORMAT  # of the file it was read from; `write` writes the present one, and the present minor number
    minor: int = Field(MINOR, ge=0, exclude_if=lambda minor: minor == 0)  # the first readers know no such field
    run_id: str | None = None
    epoch: int = Field(ge=0, lt=2**63)
    hidden_units: int
    created_at: float = Field(ge=0, lt=_YEAR_10000)  # Unix seconds
    seed: int = Field(ge=0, lt=2**63)  # what every random number of the training follows from
    task: str
    parameters: dict[str, JsonValue]
    dataset_id: str | None = None
    dataset_checksum: str | None = None
    backend: str
    versions: dict[str, str]  # as `juniper_cascor.versions` says them
    labels: list[str | int | float | bool] | None = None  # the classes, in the order of the network's classes
    feature_names: list[str] | None = None  # of the network's inputs
    outcome: str | None = None  # why growth ended; None while it goes on
    estimator: dict[str, str | int | float | bool | None] | None = None  # its constructor's parameters, as given
    target_dimensions: Literal[1, 2] | None = None  # of y, as an estimator was given it


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A file's content."""

    card: Card
    network: Network
    state: Arrays = field(default_factory=dict)  # as Training.state() has it; empty: kept to predict, not to resume
    metrics: Arrays = field(default_factory=dict)  # columns of METRICS, equally long; may lack some or all


def write(path: Path, snapshot: Snapshot) -> None:
    """Write a snapshot atomically: a file that was there stays whole until the new one is.

    Raises:
        OSError: the disk does not take it, or it would be larger than what is read.
        TypeError: an array holds other things than numbers.
        ValueError: the metrics are not columns of METRICS, or a text of the card is none that UTF-8 can write.
    """
    replace_atomically(path, content_of(snapshot))


def content_of(snapshot: Snapshot) -> memoryview:
    """The bytes of a snapshot's file. Raises as `write`."""
    card = snapshot.card.model_copy(update={"format": FORMAT, "minor": MINOR})
    try:
        text = card.model_dump_json()
    except PydanticSerializationError as error:
        raise ValueError(f"the card cannot be written: {error}") from error
    groups = {"network": snapshot.network.arrays(), "state": snapshot.state, "metrics": _columns(snapshot.metrics)}
    # Where the readers of format 1 look for the number, so that they too can say what they refuse.
    mark = f'{{"format":{FORMAT}}}'
    content = plain_hdf5.image(text, groups, user_block=snapshot_seal.BYTES, attribute=mark)
    if len(content) > MAX_BYTES:
        raise OSError(errno.EFBIG, f"a snapshot of {len(content)} bytes")
    snapshot_seal.seal(content, FORMAT)
    return content


def read(path: Path) -> Snapshot:
    """Read and check a snapshot. Raises SnapshotError; nothing in the file is ever run."""
    try:
        # Whoever opens a pipe waits for its other end, if he does not say that he will not.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise ForeignSnapshotError(f"{path.name} is no regular file")
            size = found.st_size
            head = file.read(snapshot_seal.BYTES)
            is_sealed = head.startswith(snapshot_seal.MARK)
            if size > (MAX_BYTES if is_sealed else _MAX_UNSEALED_BYTES):
                raise ForeignSnapshotError(f"{path.name} is larger than any snapshot: {size} bytes")
            file.seek(0)
            # Of what cannot be a snapshot the beginning is enough to say so.
            content = file.read(size + 1) if is_sealed or head.startswith(plain_hdf5.SIGNATURE) else head
    except OSError as error:
        raise UnreadableSnapshotError(f"{path.name} cannot be read: {error.strerror}") from error
    return parsed(content, path.name)


def parsed(content: bytes, name: str) -> Snapshot:
    """The snapshot in a file's bytes; `name` is what errors call the file. Raises SnapshotError."""
    try:
        is_unsealed = content.startswith(plain_hdf5.SIGNATURE)
        snapshot = _format_1(content) if is_unsealed else _sealed(content, name)
        _check(snapshot)
    except SnapshotError:
        raise
    except snapshot_format_1.NoCardError as error:
        raise OtherHdf5Error(f"{name} is no snapshot: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]  # its own text has many lines
        where = ".".join(["card", *map(str, first["loc"])])
        raise _refusal(content)(f"{name} is damaged or no snapshot: {where}: {first['msg']}") from error
    except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
        raise _refusal(content)(f"{name} is damaged or no snapshot: {error}") from error
    return snapshot


def _refusal(content: bytes) -> type[SnapshotError]:
    return SnapshotError if content.startswith(snapshot_seal.MARK) else ForeignSnapshotError


def _sealed(content: bytes, name: str) -> Snapshot:
    number = snapshot_seal.checked(content)
    if number > FORMAT:
        raise NewerSnapshotError(
            f"{name} has format {number}, but this version of Juniper reads formats up to {FORMAT}: "
            "read it with the version that wrote it, or a later one"
        )
    if number < FORMAT:
        raise SnapshotError(f"{name} is no snapshot: format {number} has no seal")
    text, groups, others = plain_hdf5.read(content, ("network", "state", "metrics"))
    card = Card.model_validate_json(text, extra="ignore")
    network = Network.from_arrays(groups["network"], card.task)
    if card.minor > MINOR:
        groups["metrics"] = {name: column for name, column in groups["metrics"].items() if name in METRICS}
    else:
        Card.model_validate_json(text)  # which forbids what it does not know
        if unknown := sorted(set(groups["network"]) - set(network.arrays())):
            raise ValueError(f"a network has no array {unknown[0]}")
        if others:
            raise ValueError(f"it holds {', '.join(others)}, which no snapshot does")
    metrics = _columns(groups["metrics"])
    for name, column in metrics.items():
        if groups["metrics"][name].dtype != column.dtype:
            raise ValueError(f"metrics/{name} holds {groups['metrics'][name].dtype}, not {column.dtype}")
    return Snapshot(card, network, groups["state"], metrics)


def _format_1(content: bytes) -> Snapshot:
    fields, arrays = snapshot_format_1.read(content)
    card = Card.model_validate(fields)
    return Snapshot(card, Network.from_arrays(arrays, card.task))


def _check(snapshot: Snapshot) -> None:
    """Raises ValueError where card, network and metrics are not of one training."""
    card, network = snapshot.card, snapshot.network
    if card.hidden_units != network.n_hidden_units:
        raise ValueError(f"its card has {card.hidden_units} hidden units, its network {network.n_hidden_units}")
    if card.feature_names is not None and len(card.feature_names) != network.n_inputs:
        raise ValueError(f"its card names {len(card.feature_names)} inputs, its network has {network.n_inputs}")
    if (labels := card.labels) is not None:
        n_classes = max(2, network.n_outputs) if card.task == "classification" else 0
        if not len(labels) == len(set(labels)) == n_classes or len(set(map(type, labels))) > 1:
            raise ValueError(f"its card's labels are not {n_classes} different ones of one type")
    if card.task == "regression" and card.target_dimensions == 1 != network.n_outputs:
        raise ValueError(f"its card has targets of one column, its network has {network.n_outputs}")
    units = snapshot.metrics.get("hidden_units", np.empty(0, np.int32)).astype(np.int64)
    # Each installation has its row, and the network that was kept may be smaller than the largest.
    if len(units) and not (units.min() >= 0 and units.max() <= network.n_hidden_units + len(units)):
        raise ValueError("its metrics tell of hidden units that cannot have been installed")


def _columns(metrics: Arrays) -> Arrays:
    """The metrics in their types. Raises ValueError where they are no columns of METRICS."""
    if unknown := sorted(set(metrics) - set(METRICS)):
        raise ValueError(f"metrics have no column {unknown[0]}")
    columns = {name: np.asarray(column, METRICS[name]) for name, column in metrics.items()}
    if len({column.shape for column in columns.values()}) > 1 or any(column.ndim != 1 for column in columns.values()):
        raise ValueError("the columns of the metrics are not equally long")
    return columns
