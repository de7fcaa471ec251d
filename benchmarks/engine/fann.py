"""FANN's cascade training (Nissen 2003), through ctypes. What is not set here stays as the library has it."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_float, c_int, c_uint, c_void_p
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

LIBRARY = "libfloatfann.so.2"

# Places in enum fann_activationfunc_enum of fann_data.h. The symmetric sigmoid is the one of the paper, but for its
# height; with it FANN takes fewer units on the spirals than with the other.
SIGMOID, SIGMOID_SYMMETRIC = 3, 5
_STOP_ON_BIT_FAIL = 1  # in enum fann_stopfunc_enum


class FannMissingError(RuntimeError):
    """The shared library is not installed."""

    def __init__(self) -> None:
        super().__init__(f"{LIBRARY} is missing; it comes with: sudo apt-get install libfann2")


@dataclass(frozen=True, slots=True)
class Cascade:
    """What a cascade is told."""

    activation: int | None  # of all candidates; None: 10 activations × 4 steepnesses × 2, FANN's own
    win_distance: float  # every output within it of its target: solved
    n_candidates: int = 8  # with an activation
    max_units: int = 64


@dataclass(frozen=True, slots=True)
class Trained:
    """What came of it."""

    has_solved: bool
    units: int
    epochs: int
    cpu_s: float  # of the training, without making the network and handing over the patterns
    outputs: Floats  # [asked, outputs]


def check_installed() -> None:
    """See whether the shared library is there.

    Raises:
        FannMissingError: it is not.
    """
    _library(LIBRARY)


def train(x: Floats, y: Floats, cascade: Cascade, *, seed: int, asked: Floats) -> Trained:
    """Grow a network with sigmoid outputs for y of 0 and 1, and ask it for its outputs.

    Args:
        x: Inputs, [n, inputs].
        y: Targets, [n, outputs].
        cascade: How.
        seed: Of C's rand(), from which FANN draws.
        asked: Other inputs, [asked, inputs].

    Raises:
        FannMissingError: the shared library is not installed.
    """
    epochs = []

    def report(*values: int) -> int:
        """Called before each new unit and at the end, with the epochs so far."""
        epochs.append(values[-1])
        return 0

    with _network(x, y, cascade, seed) as (fann, ann, data):
        callback = _CALLBACK(report)
        fann.fann_set_callback(ann, callback)
        began = time.process_time()
        fann.fann_cascadetrain_on_data(ann, data, cascade.max_units, 1, 0.0)
        cpu_s = time.process_time() - began
        outputs = np.empty((len(asked), y.shape[1]), np.float32)
        for row, values in zip(np.ascontiguousarray(asked, np.float32), outputs, strict=True):
            values[:] = fann.fann_run(ann, row.ctypes.data_as(POINTER(c_float)))[: y.shape[1]]
        return Trained(
            has_solved=fann.fann_get_bit_fail(ann) == 0,
            units=fann.fann_get_total_neurons(ann) - 1 - x.shape[1] - y.shape[1],
            epochs=epochs[-1],
            cpu_s=cpu_s,
            outputs=outputs,
        )


def candidate_phase_s(x: Floats, y: Floats, cascade: Cascade, n_epochs: int) -> float:
    """CPU seconds of the first candidate phase, in which every candidate trains for n_epochs.

    Raises:
        FannMissingError: the shared library is not installed.
    """
    with _network(x, y, cascade, seed=0) as (fann, ann, data):
        fann.fann_set_cascade_max_cand_epochs(ann, n_epochs)
        fann.fann_set_cascade_min_cand_epochs(ann, n_epochs)
        fann.fann_train_outputs(ann, data, 0.0)
        fann.fann_initialize_candidates(ann)
        began = time.process_time()
        done = fann.fann_train_candidates(ann, data)
        cpu_s = time.process_time() - began
    if done != n_epochs:
        raise RuntimeError(f"FANN trained {done} epochs, not the {n_epochs} that it was told")
    return cpu_s


class _Data(Structure):
    """Struct fann_train_data, in fann_train.h."""

    _fields_ = (
        ("errno_f", c_int),
        ("error_log", c_void_p),
        ("errstr", c_char_p),
        ("num_data", c_uint),
        ("num_input", c_uint),
        ("num_output", c_uint),
        ("input", POINTER(POINTER(c_float))),
        ("output", POINTER(POINTER(c_float))),
    )


_CALLBACK = CFUNCTYPE(c_int, c_void_p, c_void_p, c_uint, c_uint, c_float, c_uint)

_FUNCTIONS: tuple[tuple[str, Any, tuple[Any, ...]], ...] = (
    ("fann_create_shortcut_array", c_void_p, (c_uint, POINTER(c_uint))),
    ("fann_create_train", POINTER(_Data), (c_uint, c_uint, c_uint)),
    ("fann_destroy", None, (c_void_p,)),
    ("fann_destroy_train", None, (POINTER(_Data),)),
    ("fann_randomize_weights", None, (c_void_p, c_float, c_float)),
    ("fann_set_activation_function_output", None, (c_void_p, c_int)),
    ("fann_set_bit_fail_limit", None, (c_void_p, c_float)),
    ("fann_set_train_stop_function", None, (c_void_p, c_int)),
    ("fann_set_callback", None, (c_void_p, _CALLBACK)),
    ("fann_set_cascade_activation_functions", None, (c_void_p, POINTER(c_int), c_uint)),
    ("fann_set_cascade_activation_steepnesses", None, (c_void_p, POINTER(c_float), c_uint)),
    ("fann_set_cascade_num_candidate_groups", None, (c_void_p, c_uint)),
    ("fann_set_cascade_max_cand_epochs", None, (c_void_p, c_uint)),
    ("fann_set_cascade_min_cand_epochs", None, (c_void_p, c_uint)),
    ("fann_cascadetrain_on_data", None, (c_void_p, POINTER(_Data), c_uint, c_uint, c_float)),
    ("fann_train_outputs", c_int, (c_void_p, POINTER(_Data), c_float)),
    ("fann_initialize_candidates", c_int, (c_void_p,)),
    ("fann_train_candidates", c_int, (c_void_p, POINTER(_Data))),
    ("fann_get_bit_fail", c_uint, (c_void_p,)),
    ("fann_get_total_neurons", c_uint, (c_void_p,)),
    ("fann_run", POINTER(c_float), (c_void_p, POINTER(c_float))),
)


@cache
def _library(name: str) -> Any:
    try:
        library = ctypes.CDLL(name)
    except OSError as error:
        raise FannMissingError from error
    for function_name, result, arguments in _FUNCTIONS:
        function = getattr(library, function_name)
        function.restype, function.argtypes = result, arguments
    return library


@contextmanager
def _network(x: Floats, y: Floats, cascade: Cascade, seed: int) -> Iterator[tuple[Any, int, Any]]:
    """The library, a network without hidden units, and the patterns."""
    fann = _library(LIBRARY)
    sizes = x.shape[1], y.shape[1]
    ann = fann.fann_create_shortcut_array(2, (c_uint * 2)(*sizes))
    data = fann.fann_create_train(len(x), *sizes)
    try:
        for rows, values in ((data.contents.input, x), (data.contents.output, y)):
            # All rows stand in one block, one after the other.
            np.ctypeslib.as_array(rows[0], values.shape)[:] = values
        fann.fann_set_activation_function_output(ann, SIGMOID)
        fann.fann_set_train_stop_function(ann, _STOP_ON_BIT_FAIL)
        fann.fann_set_bit_fail_limit(ann, cascade.win_distance)
        if cascade.activation is not None:
            fann.fann_set_cascade_activation_functions(ann, (c_int * 1)(cascade.activation), 1)
            fann.fann_set_cascade_activation_steepnesses(ann, (c_float * 1)(0.5), 1)
            fann.fann_set_cascade_num_candidate_groups(ann, cascade.n_candidates)
        ctypes.CDLL(None).srand(seed)
        # As fann_create does it, but there it is seeded by the system.
        fann.fann_randomize_weights(ann, -0.1, 0.1)
        yield fann, ann, data
    finally:
        fann.fann_destroy_train(data)
        fann.fann_destroy(ann)
