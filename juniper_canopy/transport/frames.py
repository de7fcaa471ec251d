"""Encodes what changed: u32 header length, JSON header, then little-endian arrays, each on a multiple of 8 bytes.

`juniper_canopy/ui/static/frame.js` decodes it.
"""

import struct
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import JsonValue

from juniper_canopy.state.columns import MetricColumns
from juniper_canopy.state.live import Delta, LiveState
from juniper_canopy.state.pictures import BoundaryPicture, DatasetPicture, input_name
from juniper_common.wire.training import CandidateProgress, Topology, TrainingStatus

ALIGNMENT = 8
NAMED = 12
"""Of so many inputs a boundary says by name what they are held at."""

Kind = Literal["history", "frame", "gap"]
Array = NDArray[np.uint8] | NDArray[np.uint32] | NDArray[np.float32] | NDArray[np.float64]


def encode_frame(kind: Kind, tick: int, delta: Delta, live: LiveState) -> bytes:
    """One frame: the parts that changed, the points that are new, and always the age of the data."""
    arrays: dict[str, Array] = {}
    header: dict[str, JsonValue] = {
        "type": kind,
        "tick": tick,
        "mode": live.mode,
        "run": live.run_id,
        "age": live.data_age_s(),
        "upstream": live.link_up,
    }
    if delta.reset:
        header["reset"] = True
    if delta.installations:
        header["installs"] = [
            {"index": unit.index, "units": unit.units, "epoch": unit.epoch, "score": unit.score}
            for unit in delta.installations
        ]
    if delta.points is not None:
        arrays |= _point_arrays(delta.points)
    if "state" in delta.parts:
        header["state"] = _state(live.status)
    if "candidates" in delta.parts:
        header["candidates"] = _candidates(live.candidates)
    if "topology" in delta.parts:
        header["topology"] = _topology(live.topology, _names(live))
    if "boundary" in delta.parts:
        header["boundary"] = _boundary(live.boundary, _names(live))
        if live.boundary is not None:
            arrays["boundary"] = live.boundary.cells
    if "dataset" in delta.parts:
        header["dataset"] = _dataset(live.dataset)
        if live.dataset is not None:
            arrays |= _pattern_arrays(live.dataset)
    return pack(header, arrays)


def encode_gap(tick: int, live: LiveState) -> bytes:
    """Tells a browser that it missed frames and must fetch the history."""
    return encode_frame("gap", tick, Delta(), live)


def encode_boundary(boundary: BoundaryPicture, held_at: Sequence[float]) -> bytes:
    """One boundary by itself; `held_at` is what each input is held at where it is not shown."""
    unseen = [index for index in range(len(held_at)) if index not in boundary.features]
    header: dict[str, JsonValue] = {
        "boundary": _boundary(boundary),
        "held": [[input_name(index), held_at[index]] for index in unseen[:NAMED]],
        "held_besides": max(0, len(unseen) - NAMED),
    }
    return pack(header, {"boundary": boundary.cells})


def encode_patterns(dataset: DatasetPicture) -> bytes:
    """Two features of the patterns by themselves."""
    return pack({"dataset": _dataset(dataset)}, _pattern_arrays(dataset))


def pack(header: Mapping[str, JsonValue], arrays: Mapping[str, Array]) -> bytes:
    """Lay the header and the arrays out."""
    listed = [[name, f"{array.dtype.kind}{array.dtype.itemsize}", len(array)] for name, array in arrays.items()]
    text = orjson.dumps({**header, "arrays": listed})
    text += b" " * (-(len(text) + 4) % ALIGNMENT)
    parts = [struct.pack("<I", len(text)), text]
    for array in arrays.values():
        content = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
        parts += [content, b"\0" * (-len(content) % ALIGNMENT)]
    return b"".join(parts)


def _point_arrays(points: MetricColumns) -> dict[str, Array]:
    return {
        "epoch": points.epoch,
        "train_loss": points.train_loss,
        "val_loss": points.val_loss,
        "train_accuracy": points.train_accuracy,
        "val_accuracy": points.val_accuracy,
        "hidden_units": points.hidden_units,
        "timestamp": points.timestamp,
    }


def _pattern_arrays(dataset: DatasetPicture) -> dict[str, Array]:
    return {"dataset_x": dataset.x, "dataset_y": dataset.y, "dataset_class": dataset.classes}


def _state(status: TrainingStatus | None) -> JsonValue:
    if status is None:
        return None
    return {
        "status": status.state_machine.status,
        "phase": status.monitor.current_phase,
        "seed": status.seed,
        "pace": status.pace,
        "outcome": status.training_state.outcome,
        "reason": status.training_state.reason,
    }


def _candidates(candidates: CandidateProgress | None) -> JsonValue:
    if candidates is None:
        return None
    return {"scores": list(candidates.scores), "best": candidates.best_score}


def _names(live: LiveState) -> Sequence[str]:
    return live.dataset.feature_names if live.dataset is not None else ()


def _topology(topology: Topology | None, names: Sequence[str]) -> JsonValue:
    if topology is None:
        return None
    return {
        "input_size": topology.input_size,
        "output_size": topology.output_size,
        "input_names": [input_name(index, names) for index in range(topology.input_size)],
        "hidden_units": [
            {"weights": list(unit.weights), "bias": unit.bias, "activation": unit.activation}
            for unit in topology.hidden_units
        ],
        "output_weights": [list(row) for row in topology.output_weights],
        "output_bias": list(topology.output_bias),
    }


def _boundary(boundary: BoundaryPicture | None, names: Sequence[str] = ()) -> JsonValue:
    if boundary is None:
        return None
    return {
        "x_range": list(boundary.x_range),
        "y_range": list(boundary.y_range),
        "resolution": boundary.resolution,
        "names": [input_name(index, names) for index in boundary.features],
        "units": boundary.units,
    }


def _dataset(dataset: DatasetPicture | None) -> JsonValue:
    if dataset is None:
        return None
    return {
        "title": dataset.title,
        "names": [input_name(index, dataset.feature_names) for index in dataset.features],
        "class_names": list(dataset.class_names),
        "n_classes": dataset.n_classes,
        "n_train": dataset.n_train,
        "n_validation": len(dataset.x) - dataset.n_train,
        "x_range": _padded_range(dataset.x),
        "y_range": _padded_range(dataset.y),
    }


def _padded_range(values: NDArray[np.float32]) -> list[JsonValue]:
    low, high = float(values.min()), float(values.max())
    margin = 0.1 * (high - low) or 1.0
    return [low - margin, high + margin]
