"""The loops of an output layer: its response to the patterns, its slopes, the epochs of its phase.

Importing this module loads numba.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from juniper_cascor.engine.numba_math import (
    FLAGS,
    TILE,
    Classes,
    Counts,
    Doubles,
    Floats,
    add_slopes,
    take_step,
    tanh,
    tile_for,
    weighted_sums,
)

COMPILED_IN = "3da140c30c3a83d2"  # the digest of numba_math.py

# Keeps a saturated output unit learning: Fahlman 1988.
_PRIME_OFFSET = np.float32(0.1)
# A pattern that counts less than this share of the average need not be learnt for the layer to have solved.
_LEAST_IMPORTANCE = np.float32(1e-3)
_ZERO, _HALF, _ONE = np.float32(0), np.float32(0.5), np.float32(1)


@njit(forceinline=True, **FLAGS)
def respond(sums: Floats, width: int, linear: bool, outputs: Floats) -> None:
    """Output units: the sum itself, or a sigmoid in (−0.5, 0.5)."""
    if linear:
        for i in range(width):
            outputs[i] = sums[i]
    else:
        for i in range(width):
            outputs[i] = _HALF * tanh(_HALF * sums[i])


@njit(forceinline=True, **FLAGS)
def choose(outputs: Floats, width: int, output: int, best: Floats, chosen: Classes) -> None:
    """Keep for each pattern the largest output so far and its index; call for one output after the other."""
    for i in range(width):
        is_better = output == 0 or outputs[i] > best[i]
        best[i] = outputs[i] if is_better else best[i]
        chosen[i] = np.int32(output) if is_better else chosen[i]


@njit(forceinline=True, **FLAGS)
def count_correct(
    outputs: Floats, chosen: Classes, labels: Classes, start: int, width: int, n_outputs: int
) -> np.int32:
    """How many patterns of a tile have their label chosen; the padding's label is never chosen."""
    tile_labels = labels[start:]
    correct = np.int32(0)
    if n_outputs == 1:
        for i in range(width):
            correct += np.int32((outputs[i] > _ZERO) == (tile_labels[i] == 1)) * np.int32(tile_labels[i] >= 0)
    else:
        for i in range(width):
            correct += np.int32(chosen[i] == tile_labels[i])
    return correct


@njit(forceinline=True, **FLAGS)
def judge(
    outputs: Floats,
    target: Floats,
    importances: Floats,
    width: int,
    linear: bool,
    deltas: Floats,
) -> tuple[np.float32, np.float32]:
    """Squared errors and largest error of one output on a tile; deltas are error × (σ′ + 0.1), by importance."""
    squares = _ZERO
    largest = _ZERO
    for i in range(width):
        error = outputs[i] - target[i]
        squares += importances[i] * error * error
        largest = max(largest, abs(error) if importances[i] >= _LEAST_IMPORTANCE else _ZERO)
        prime = _ONE if linear else np.float32(0.25) - outputs[i] * outputs[i] + _PRIME_OFFSET
        deltas[i] = importances[i] * error * prime
    return squares, largest


@njit(forceinline=True, **FLAGS)
def learn(
    features: Floats,
    targets: Floats,
    labels: Classes,
    importances: Floats,
    first: int,
    end: int,
    weights: Floats,
    linear: bool,
    with_slopes: bool,
    slopes: Floats,
    buffers: Floats,
    chosen: Classes,
) -> tuple[float, int, np.float32]:
    """One pass of an output layer over a run of patterns: squared errors, right classes, largest error, slopes."""
    n_outputs = len(targets)
    sums, outputs, best = buffers[0], buffers[1], buffers[2]
    loss = 0.0
    correct = 0
    largest = _ZERO
    if with_slopes:
        slopes[:, :] = _ZERO
    tile = tile_for(weights.shape[1])
    for start in range(first, end, tile):
        width = min(tile, end - start)
        for o in range(n_outputs):
            weighted_sums(features, weights[o], start, width, sums)
            respond(sums, width, linear, outputs)
            choose(outputs, width, o, best, chosen)
            target = targets[o, start : start + TILE]
            squares, error = judge(outputs, target, importances[start : start + TILE], width, linear, sums)
            loss += float(squares)
            largest = max(largest, error)
            if with_slopes:
                add_slopes(features, sums, start, width, slopes[o])
        correct += int(count_correct(outputs, chosen, labels, start, width, n_outputs))
    return loss, correct, largest


@njit(forceinline=True, **FLAGS)
def record(row: Floats, first: int, loss: float, correct: float, n: int, n_outputs: int, linear: bool) -> float:
    """Write a loss and an accuracy into a row of an output phase; return the loss."""
    loss /= n * n_outputs
    row[first] = loss
    row[first + 1] = np.nan if linear else correct / n
    return loss


@njit(forceinline=True, **FLAGS)
def descend(
    weights: Floats,
    slopes: Floats,
    memory: Floats,
    steps: Floats,
    n: int,
    clock: Counts,
    rule: Counts,
    settings: Doubles,
) -> None:
    """One step of an output layer down its slopes summed over n patterns, with its ridge."""
    share = np.float32(1 / n)
    ridge = np.float32(settings[4])
    for o in range(len(weights)):
        for j in range(weights.shape[1]):
            slopes[o, j] = slopes[o, j] * share + (ridge * weights[o, j] if j > 0 else _ZERO)
        take_step(
            weights[o],
            slopes[o],
            memory[o],
            steps[o],
            rule[0],
            np.float32(settings[2]),
            np.float32(settings[3]),
            clock[0],
        )


@njit(forceinline=True, **FLAGS)
def conclude_output_epoch(
    loss: float, largest: np.float32, clock: Counts, mark: Doubles, limits: Counts, settings: Doubles
) -> tuple[bool, bool]:
    """Count an epoch of an output phase: whether it ends the phase, and whether the layer has solved."""
    has_solved = largest < settings[1]
    if clock[0] == 0 or abs(loss - mark[0]) > settings[0] * mark[0]:
        mark[0] = loss
        clock[1] = 0
    else:
        clock[1] += 1
    clock[0] += 1
    return has_solved or clock[1] >= limits[1] or clock[0] >= limits[0], has_solved


@njit(cache=True, **FLAGS)
def train_outputs(
    features: Floats,
    targets: Floats,
    labels: Classes,
    importances: Floats,
    n: int,
    val_features: Floats,
    val_targets: Floats,
    val_labels: Classes,
    val_importances: Floats,
    n_val: int,
    linear: bool,
    weights: Floats,
    memory: Floats,
    steps: Floats,
    clock: Counts,
    mark: Doubles,
    limits: Counts,
    rule: Counts,
    settings: Doubles,
    slopes: Floats,
    buffers: Floats,
    chosen: Classes,
    rows: Floats,
) -> tuple[int, bool, bool]:
    """Epochs of an output layer until the phase ends or `rows` is full: (epochs, has ended, has solved).

    The epoch that ends the phase takes no step, so the weights stay those that were measured.
    """
    n_outputs = len(weights)
    ld = targets.shape[1]
    for epoch in range(len(rows)):
        loss, correct, largest = learn(
            features, targets, labels, importances, 0, ld, weights, linear, True, slopes, buffers, chosen
        )
        loss = record(rows[epoch], 0, loss, correct, n, n_outputs, linear)
        rows[epoch, 2] = np.nan
        rows[epoch, 3] = np.nan
        if n_val > 0:
            val_loss, val_correct, _ = learn(
                val_features,
                val_targets,
                val_labels,
                val_importances,
                0,
                val_targets.shape[1],
                weights,
                linear,
                False,
                slopes,
                buffers,
                chosen,
            )
            record(rows[epoch], 2, val_loss, val_correct, n_val, n_outputs, linear)
        has_ended, has_solved = conclude_output_epoch(loss, largest, clock, mark, limits, settings)
        if has_ended:
            return epoch + 1, True, has_solved
        descend(weights, slopes, memory, steps, n, clock, rule, settings)
    return len(rows), False, False


@njit(cache=True, **FLAGS)
def measure_residuals(
    features: Floats,
    targets: Floats,
    importances: Floats,
    n: int,
    linear: bool,
    weights: Floats,
    residuals: Floats,
    buffers: Floats,
) -> float:
    """Fill residuals with error × (σ′ + 0.1), centred over n patterns; return the sum of their squares."""
    n_outputs, ld = targets.shape
    sums, outputs = buffers[0], buffers[1]
    total = 0.0
    for o in range(n_outputs):
        residual_sum = 0.0
        for start in range(0, ld, TILE):
            width = min(TILE, ld - start)
            weighted_sums(features, weights[o], start, width, sums)
            respond(sums, width, linear, outputs)
            own = residuals[o, start : start + TILE]
            judge(outputs, targets[o, start : start + TILE], importances[start : start + TILE], width, linear, own)
            for i in range(width):
                residual_sum += own[i]
        mean = np.float32(residual_sum / n)
        for p in range(n):
            residuals[o, p] -= mean
            total += residuals[o, p] * residuals[o, p]
    return total


_M, _V, _D, _C = "float32[:, ::1]", "float32[::1]", "float64[::1]", "int64[::1]"
_PATTERNS = f"{_M}, {_M}, int32[::1], {_V}, int64"

KERNELS = (
    (measure_residuals, f"float64({_M}, {_M}, {_V}, int64, boolean, {_M}, {_M}, {_M})"),
    (
        train_outputs,
        f"Tuple((int64, boolean, boolean))({_PATTERNS}, {_PATTERNS}, boolean, {_M}, {_M}, {_M}, {_C}, {_D}, {_C}, "
        f"{_C}, {_D}, {_M}, {_M}, int32[::1], {_M})",
    ),
)
"""Each with its signature."""
