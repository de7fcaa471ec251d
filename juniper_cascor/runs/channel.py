"""What the service and its trainer process say to each other: a kind, some fields as JSON, some arrays as raw bytes.

A frame is two 4-byte lengths, a JSON header, then the arrays in the header's order. Nothing is pickled.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import JsonValue

_LENGTHS = struct.Struct(">II")
MAX_FRAME_BYTES = 1 << 30

Arrays = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True)
class Message:
    """One frame."""

    kind: str
    fields: Mapping[str, JsonValue] = field(default_factory=dict)
    arrays: Arrays = field(default_factory=dict)

    def text(self, name: str) -> str:
        """A field that is a string. Raises KeyError."""
        return str(self.fields[name])

    def integer(self, name: str) -> int:
        """A field that is an integer. Raises KeyError, TypeError."""
        value = self.fields[name]
        if not isinstance(value, int):
            raise TypeError(f"{self.kind}.{name} is no integer: {value!r}")
        return value


PREFIX_BYTES = _LENGTHS.size


def encode(message: Message) -> bytes:
    """The frame of a message."""
    arrays = {name: np.ascontiguousarray(array) for name, array in message.arrays.items()}
    header = orjson.dumps(
        {
            "kind": message.kind,
            "fields": message.fields,
            "arrays": [[name, array.dtype.str, array.shape] for name, array in arrays.items()],
        }
    )
    body = b"".join(array.tobytes() for array in arrays.values())
    return _LENGTHS.pack(len(header), len(body)) + header + body


def body_length(prefix: bytes) -> int:
    """How many bytes follow the first PREFIX_BYTES. Raises ValueError on what cannot be a frame."""
    header_length, arrays_length = _LENGTHS.unpack(prefix)
    length = int(header_length) + int(arrays_length)
    if length > MAX_FRAME_BYTES:
        raise ValueError(f"a frame of {length} bytes")
    return length


def decode(prefix: bytes, rest: bytes) -> Message:
    """The message of a frame."""
    header_length, _ = _LENGTHS.unpack(prefix)
    header = orjson.loads(rest[:header_length])
    arrays: dict[str, NDArray[np.generic]] = {}
    offset = header_length
    for name, dtype, shape in header["arrays"]:
        count = int(np.prod(shape, dtype=np.int64))
        arrays[name] = np.frombuffer(rest, dtype=dtype, count=count, offset=offset).reshape(shape)
        offset += arrays[name].nbytes
    return Message(header["kind"], header["fields"], arrays)
