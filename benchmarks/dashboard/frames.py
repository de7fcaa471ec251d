"""Reads of a frame of the live stream what is measured: when the trainer made each of its points."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import orjson

_ALIGNMENT = 8
_HEAD = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Frame:
    """What one frame told."""

    kind: str  # history, frame or gap
    point_times: list[float]  # by the host's clock; none where all points are told anew


def read_frame(frame: bytes) -> Frame:
    """Decode as the page's frame.js does."""
    (length,) = _HEAD.unpack_from(frame)
    header = orjson.loads(frame[_HEAD.size : _HEAD.size + length])
    offset = _HEAD.size + length
    times: list[float] = []
    for name, dtype, count in header["arrays"]:
        offset = -(-offset // _ALIGNMENT) * _ALIGNMENT
        if name == "timestamp" and "reset" not in header:
            times = np.frombuffer(frame, f"<{dtype}", count, offset).tolist()
        offset += count * np.dtype(dtype).itemsize
    return Frame(header["type"], times)
