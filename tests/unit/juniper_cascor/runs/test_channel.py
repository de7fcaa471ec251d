"""Frames between the service and its trainer."""

import numpy as np
import pytest
from numpy.typing import NDArray

from juniper_cascor.runs import channel
from juniper_cascor.runs.channel import Message


def test_a_message_survives_the_way() -> None:
    """Fields and arrays arrive as they were sent, whatever their shape, type and memory layout."""
    arrays: dict[str, NDArray[np.generic]] = {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3).T,
        "empty": np.empty((0, 4), np.int64),
        "scalar": np.array(2.5),
    }
    frame = channel.encode(Message("progress", {"n": 3, "text": "σ", "none": None}, arrays))
    prefix, rest = frame[: channel.PREFIX_BYTES], frame[channel.PREFIX_BYTES :]
    assert channel.body_length(prefix) == len(rest)
    message = channel.decode(prefix, rest)
    assert (message.kind, message.fields) == ("progress", {"n": 3, "text": "σ", "none": None})
    assert message.integer("n") == 3
    assert message.text("text") == "σ"
    for name, array in arrays.items():
        np.testing.assert_array_equal(message.arrays[name], array)
        assert message.arrays[name].dtype == array.dtype


def test_an_absurd_length_is_refused() -> None:
    """Bytes that are no frame do not lead to gigabytes of waiting."""
    with pytest.raises(ValueError, match="a frame of"):
        channel.body_length(b"\xff" * channel.PREFIX_BYTES)


def test_a_field_of_another_type_is_refused() -> None:
    """A number is asked for and a text is there."""
    with pytest.raises(TypeError, match=r"progress\.n is no integer"):
        Message("progress", {"n": "three"}).integer("n")
