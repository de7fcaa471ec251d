"""A prediction as JSON, written in pieces: between two of them the event loop gets its turn (see `rows`)."""

import time
from collections.abc import Callable, Sequence

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic_core import to_json

from juniper_cascor.engine.network import Network
from juniper_common.wire.envelope import Meta
from juniper_common.wire.models import AnsweredBy, Label

PIECE_VALUES = 1 << 13

Numbers = NDArray[np.float64] | NDArray[np.int64]


def prediction_json(
    by: AnsweredBy, network: Network, labels: Sequence[Label] | None, outputs: NDArray[np.float64]
) -> bytes:
    """`Success[Prediction]`, as `juniper_common.wire.models` describes it.

    Args:
        by: what has answered.
        network: the same.
        labels: of its classes, in their order.
        outputs: what it said, [n, outputs].
    """
    scores = _array(outputs)
    decided = network.decided(outputs)
    if network.task == "regression":
        indices, predictions = b"null", _array(decided[:, 0]) if network.n_outputs == 1 else scores
    else:
        indices = _array(decided)
        predictions = indices if labels is None else _labels(decided, labels)
    head = by.model_dump_json().encode().removesuffix(b"}")
    data = (head, b',"predictions":', predictions, b',"class_indices":', indices, b',"scores":', scores, b"}")
    meta = Meta().model_dump_json().encode()
    return b"".join((b'{"status":"success","data":', *data, b',"meta":', meta, b"}"))


def _array(array: Numbers) -> bytes:
    width = array.shape[1] if array.ndim == 2 else 1
    return _in_pieces(
        array,
        max(1, PIECE_VALUES // width),
        lambda rows: orjson.dumps(np.ascontiguousarray(rows), option=orjson.OPT_SERIALIZE_NUMPY)[1:-1],
    )


def _labels(indices: Numbers, labels: Sequence[Label]) -> bytes:
    texts = [to_json(label, inf_nan_mode="null") for label in labels]
    return _in_pieces(indices, PIECE_VALUES, lambda rows: b",".join(map(texts.__getitem__, rows.tolist())))


def _in_pieces(array: Numbers, n_rows: int, write: Callable[[Numbers], bytes]) -> bytes:
    texts = []
    for start in range(0, len(array), n_rows):
        texts.append(write(array[start : start + n_rows]))
        time.sleep(0)  # lets the event loop run
    return b"[" + b",".join(texts) + b"]"
