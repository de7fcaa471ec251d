"""Compiled loops of the CPU back end. Importing this module loads numba, and compiles where no cache is.

What makes them fast, each measured: ``error_model="numpy"`` (the check for a division by zero keeps a loop
from being vectorised); four features a pass; tiles of patterns that stay in the first-level cache; a rational
tanh. Of the fast-math flags only those that let sums be reordered into vector lanes and products be fused are
set: the order is the compiled code's and never changes, and NaN stays NaN.

All kernels stand in this one file because numba's cache notices changes of a function's own file only.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, TypedDict

import numpy as np
from numba import njit
from numpy.typing import NDArray

TILE = 256  # patterns worked on at once

Floats: TypeAlias = NDArray[np.float32]
Doubles: TypeAlias = NDArray[np.float64]
Counts: TypeAlias = NDArray[np.int64]
Classes: TypeAlias = NDArray[np.int32]


class _Flags(TypedDict):
    error_model: Literal["python", "numpy"]
    fastmath: set[str]


class _CachedFlags(_Flags):
    cache: bool


_FLAGS = _Flags(error_model="numpy", fastmath={"reassoc", "contract", "nsz"})
_CACHED = _CachedFlags(**_FLAGS, cache=True)

# iRprop−: Igel & Hüsken 2003.
_GROWTH, _SHRINKAGE = np.float32(1.2), np.float32(0.5)
_MIN_STEP, _MAX_STEP = np.float32(1e-6), np.float32(50.0)
# Keeps a saturated output unit learning: Fahlman 1988.
_PRIME_OFFSET = np.float32(0.1)

_ZERO, _HALF, _ONE = np.float32(0), np.float32(0.5), np.float32(1)
_TANH_LIMIT = np.float32(8)  # beyond it tanh is ±1 in float32
# x·P(x²)/Q(x²), least maximal relative error on [0, 8]; 4.2e-7 off at most in float32.
_P0, _P1, _P2, _P3 = (np.float32(p) for p in (0.999999854, 0.12925665, 0.0029510258, 1.14284428e-05))
_Q1, _Q2, _Q3, _Q4 = (np.float32(q) for q in (0.462588806, 0.0238155628, 0.000238669439, 2.45921657e-07))


@njit(**_FLAGS)
def tanh(x: np.float32) -> np.float32:
    """Hyperbolic tangent of a float32, within 4.2e-7."""
    x = min(max(x, -_TANH_LIMIT), _TANH_LIMIT)
    u = x * x
    return x * (_P0 + u * (_P1 + u * (_P2 + u * _P3))) / (_ONE + u * (_Q1 + u * (_Q2 + u * (_Q3 + u * _Q4))))


@njit(**_FLAGS)
def weighted_sums(features: Floats, weights: Floats, start: int, width: int, sums: Floats) -> None:
    """sums[i] = Σ_j weights[j] · features[j, start + i] for the patterns of a tile."""
    n_features = len(weights)
    for i in range(width):
        sums[i] = _ZERO
    for q in range(n_features // 4):
        j = 4 * q
        w0, w1, w2, w3 = weights[j], weights[j + 1], weights[j + 2], weights[j + 3]
        f0, f1 = features[j, start : start + TILE], features[j + 1, start : start + TILE]
        f2, f3 = features[j + 2, start : start + TILE], features[j + 3, start : start + TILE]
        for i in range(width):
            sums[i] += w0 * f0[i] + w1 * f1[i] + w2 * f2[i] + w3 * f3[i]
    for j in range(n_features // 4 * 4, n_features):
        w0 = weights[j]
        f0 = features[j, start : start + TILE]
        for i in range(width):
            sums[i] += w0 * f0[i]


@njit(**_FLAGS)
def add_slopes(features: Floats, deltas: Floats, start: int, width: int, slopes: Floats) -> None:
    """slopes[j] += Σ_l deltas[i] · features[j, start + i] over the patterns of a tile."""
    n_features = len(slopes)
    for q in range(n_features // 4):
        j = 4 * q
        f0, f1 = features[j, start : start + TILE], features[j + 1, start : start + TILE]
        f2, f3 = features[j + 2, start : start + TILE], features[j + 3, start : start + TILE]
        s0, s1, s2, s3 = _ZERO, _ZERO, _ZERO, _ZERO
        for i in range(width):
            s0 += deltas[i] * f0[i]
            s1 += deltas[i] * f1[i]
            s2 += deltas[i] * f2[i]
            s3 += deltas[i] * f3[i]
        slopes[j] += s0
        slopes[j + 1] += s1
        slopes[j + 2] += s2
        slopes[j + 3] += s3
    for j in range(n_features // 4 * 4, n_features):
        f0 = features[j, start : start + TILE]
        s0 = _ZERO
        for i in range(width):
            s0 += deltas[i] * f0[i]
        slopes[j] += s0


@njit(**_FLAGS)
def take_step(weights: Floats, slopes: Floats, last_slopes: Floats, steps: Floats) -> None:
    """One iRprop− step down the slopes, which become the last slopes."""
    for j in range(len(weights)):
        slope = slopes[j]
        agreement = slope * last_slopes[j]
        step = steps[j] * (_GROWTH if agreement > _ZERO else (_SHRINKAGE if agreement < _ZERO else _ONE))
        step = min(max(step, _MIN_STEP), _MAX_STEP)
        slope = _ZERO if agreement < _ZERO else slope
        weights[j] -= step if slope > _ZERO else (-step if slope < _ZERO else _ZERO)
        steps[j] = step
        last_slopes[j] = slope


@njit(**_FLAGS)
def respond(sums: Floats, width: int, linear: bool, outputs: Floats) -> None:
    """Output units: the sum itself, or a sigmoid in (−0.5, 0.5)."""
    if linear:
        for i in range(width):
            outputs[i] = sums[i]
    else:
        for i in range(width):
            outputs[i] = _HALF * tanh(_HALF * sums[i])


@njit(**_FLAGS)
def choose(outputs: Floats, width: int, output: int, best: Floats, chosen: Classes) -> None:
    """Keep for each pattern the largest output so far and its index; call for one output after the other."""
    for i in range(width):
        is_better = output == 0 or outputs[i] > best[i]
        best[i] = outputs[i] if is_better else best[i]
        chosen[i] = np.int32(output) if is_better else chosen[i]


@njit(**_FLAGS)
def count_correct(
    outputs: Floats, chosen: Classes, labels: Classes, start: int, width: int, n_outputs: int
) -> np.int32:
    """How many patterns of a tile have their label chosen; the padding's label is never chosen."""
    tile_labels = labels[start : start + TILE]
    correct = np.int32(0)
    if n_outputs == 1:
        for i in range(width):
            correct += np.int32((outputs[i] > _ZERO) == (tile_labels[i] == 1)) * np.int32(tile_labels[i] >= 0)
    else:
        for i in range(width):
            correct += np.int32(chosen[i] == tile_labels[i])
    return correct


@njit(**_FLAGS)
def evaluate(
    features: Floats,
    targets: Floats,
    labels: Classes,
    weights: Floats,
    linear: bool,
    buffers: Floats,
    chosen: Classes,
) -> tuple[float, int]:
    """Sum of squared errors and count of right classes of an output layer on patterns it does not learn."""
    n_outputs, ld = targets.shape
    sums, outputs, best = buffers[0], buffers[1], buffers[2]
    loss = 0.0
    correct = 0
    for start in range(0, ld, TILE):
        width = min(TILE, ld - start)
        for o in range(n_outputs):
            weighted_sums(features, weights[o], start, width, sums)
            respond(sums, width, linear, outputs)
            choose(outputs, width, o, best, chosen)
            target = targets[o, start : start + TILE]
            squares = _ZERO
            for i in range(width):
                error = outputs[i] - target[i]
                squares += error * error
            loss += float(squares)
        correct += int(count_correct(outputs, chosen, labels, start, width, n_outputs))
    return loss, correct


@njit(**_FLAGS)
def learn(
    features: Floats,
    targets: Floats,
    labels: Classes,
    weights: Floats,
    linear: bool,
    slopes: Floats,
    buffers: Floats,
    chosen: Classes,
) -> tuple[float, int, np.float32]:
    """One pass of an output layer over its patterns: squared errors, right classes, largest error, slopes."""
    n_outputs, ld = targets.shape
    sums, outputs, best = buffers[0], buffers[1], buffers[2]
    loss = 0.0
    correct = 0
    largest = _ZERO
    slopes[:, :] = _ZERO
    for start in range(0, ld, TILE):
        width = min(TILE, ld - start)
        for o in range(n_outputs):
            weighted_sums(features, weights[o], start, width, sums)
            respond(sums, width, linear, outputs)
            choose(outputs, width, o, best, chosen)
            target = targets[o, start : start + TILE]
            squares = _ZERO
            for i in range(width):
                error = outputs[i] - target[i]
                squares += error * error
                largest = max(largest, abs(error))
                prime = _ONE if linear else np.float32(0.25) - outputs[i] * outputs[i] + _PRIME_OFFSET
                sums[i] = error * prime
            loss += float(squares)
            add_slopes(features, sums, start, width, slopes[o])
        correct += int(count_correct(outputs, chosen, labels, start, width, n_outputs))
    return loss, correct, largest


_OUTPUT_SIGNATURE = (
    "Tuple((int64, boolean, boolean))("
    "float32[:, ::1], float32[:, ::1], int32[::1], int64, "
    "float32[:, ::1], float32[:, ::1], int32[::1], int64, boolean, "
    "float32[:, ::1], float32[:, ::1], float32[:, ::1], int64[::1], float64[::1], int64[::1], float64[::1], "
    "float32[:, ::1])"
)


@njit(_OUTPUT_SIGNATURE, **_CACHED)
def train_outputs(
    features: Floats,
    targets: Floats,
    labels: Classes,
    n: int,
    val_features: Floats,
    val_targets: Floats,
    val_labels: Classes,
    n_val: int,
    linear: bool,
    weights: Floats,
    last_slopes: Floats,
    steps: Floats,
    clock: Counts,
    mark: Doubles,
    limits: Counts,
    thresholds: Doubles,
    rows: Floats,
) -> tuple[int, bool, bool]:
    """Epochs of an output layer until the phase ends or `rows` is full: (epochs, has ended, has solved).

    The epoch that ends the phase takes no step, so the weights stay those that were measured.
    """
    n_outputs, n_features = weights.shape
    slopes = np.empty((n_outputs, n_features), np.float32)
    buffers = np.empty((3, TILE), np.float32)
    chosen = np.empty(TILE, np.int32)
    for epoch in range(len(rows)):
        loss, correct, largest = learn(features, targets, labels, weights, linear, slopes, buffers, chosen)
        loss /= n * n_outputs
        rows[epoch, 0] = loss
        rows[epoch, 1] = np.nan if linear else correct / n
        rows[epoch, 2] = np.nan
        rows[epoch, 3] = np.nan
        if n_val > 0:
            val_loss, val_correct = evaluate(val_features, val_targets, val_labels, weights, linear, buffers, chosen)
            rows[epoch, 2] = val_loss / (n_val * n_outputs)
            rows[epoch, 3] = np.nan if linear else val_correct / n_val
        has_solved = largest < thresholds[1]
        if clock[0] == 0 or abs(loss - mark[0]) > thresholds[0] * mark[0]:
            mark[0] = loss
            clock[1] = 0
        else:
            clock[1] += 1
        clock[0] += 1
        if has_solved or clock[1] >= limits[1] or clock[0] >= limits[0]:
            return epoch + 1, True, has_solved
        for o in range(n_outputs):
            take_step(weights[o], slopes[o], last_slopes[o], steps[o])
    return len(rows), False, False


@njit("float64(float32[:, ::1], float32[:, ::1], int64, boolean, float32[:, ::1], float32[:, ::1])", **_CACHED)
def measure_residuals(
    features: Floats, targets: Floats, n: int, linear: bool, weights: Floats, residuals: Floats
) -> float:
    """Fill residuals with error × (σ′ + 0.1), centred over n patterns; return the sum of their squares."""
    n_outputs, ld = targets.shape
    sums = np.empty(TILE, np.float32)
    outputs = np.empty(TILE, np.float32)
    total = 0.0
    for o in range(n_outputs):
        residual_sum = 0.0
        for start in range(0, ld, TILE):
            width = min(TILE, ld - start)
            weighted_sums(features, weights[o], start, width, sums)
            respond(sums, width, linear, outputs)
            for i in range(width):
                prime = _ONE if linear else np.float32(0.25) - outputs[i] * outputs[i] + _PRIME_OFFSET
                residual = (outputs[i] - targets[o, start + i]) * prime
                residuals[o, start + i] = residual
                residual_sum += residual
        mean = np.float32(residual_sum / n)
        for p in range(n):
            residuals[o, p] -= mean
            total += residuals[o, p] * residuals[o, p]
    return total


@njit("void(float32[:, ::1], float32[::1], float32[::1])", **_CACHED)
def activate(features: Floats, weights: Floats, activations: Floats) -> None:
    """An installed unit's activation on every pattern; 0 in the padding, where its sum is 0."""
    ld = len(activations)
    sums = np.empty(TILE, np.float32)
    for start in range(0, ld, TILE):
        width = min(TILE, ld - start)
        weighted_sums(features, weights, start, width, sums)
        for i in range(width):
            activations[start + i] = tanh(sums[i])


@njit(**_FLAGS)
def correlate(
    features: Floats,
    residuals: Floats,
    weights: Floats,
    signs: Floats,
    slopes: Floats,
    covariances: Floats,
    buffers: Floats,
) -> None:
    """One pass of a candidate: its covariance with each output's residual, and the slopes of −S.

    S = Σ_o |covariance_o|, its slope taken with the given signs, those of the epoch before: so one pass does
    both (Fahlman & Lebiere 1990). The residuals are centred, so the activation's mean is not needed.
    """
    n_outputs, ld = residuals.shape
    sums, activations, deltas = buffers[0], buffers[1], buffers[2]
    slopes[:] = _ZERO
    covariances[:] = _ZERO
    for start in range(0, ld, TILE):
        width = min(TILE, ld - start)
        weighted_sums(features, weights, start, width, sums)
        for i in range(width):
            activations[i] = tanh(sums[i])
            deltas[i] = _ZERO
        for o in range(n_outputs):
            residual = residuals[o, start : start + TILE]
            sign = signs[o]
            covariance = _ZERO
            for i in range(width):
                covariance += activations[i] * residual[i]
                deltas[i] -= sign * residual[i]
            covariances[o] += covariance
        for i in range(width):
            deltas[i] *= _ONE - activations[i] * activations[i]
        add_slopes(features, deltas, start, width, slopes)


_CANDIDATE_SIGNATURE = (
    "Tuple((int64, boolean))("
    "float32[:, ::1], float32[:, ::1], float64, "
    "float32[:, ::1], float32[:, ::1], float32[:, ::1], float32[:, ::1], float32[::1], float32[::1], "
    "int64[::1], boolean[::1], int64[::1], int64[::1], float64[::1], float32[:, ::1])"
)


@njit(_CANDIDATE_SIGNATURE, **_CACHED)
def train_candidates(
    features: Floats,
    residuals: Floats,
    sum_of_squares: float,
    weights: Floats,
    last_slopes: Floats,
    steps: Floats,
    covariances: Floats,
    scores: Floats,
    marks: Floats,
    waited: Counts,
    active: NDArray[np.bool_],
    clock: Counts,
    limits: Counts,
    thresholds: Doubles,
    rows: Floats,
) -> tuple[int, bool]:
    """Epochs of a candidate pool until all have stopped or `rows` is full: (epochs, has ended).

    A candidate takes no step in the epoch that stops it, so its weights and its score belong together.
    """
    pool, n_features = weights.shape
    n_outputs = covariances.shape[1]
    slopes = np.empty(n_features, np.float32)
    signs = np.empty(n_outputs, np.float32)
    buffers = np.empty((3, TILE), np.float32)
    # Residuals that are all alike leave nothing to correlate with: every score is 0.
    inverse = np.float32(1.0 / sum_of_squares if sum_of_squares > 0.0 else 0.0)
    epochs = 0
    has_ended = True
    for c in range(pool):
        epoch = 0
        while active[c] and epoch < len(rows):
            for o in range(n_outputs):
                signs[o] = np.sign(covariances[c, o])
            correlate(features, residuals, weights[c], signs, slopes, covariances[c], buffers)
            score = _ZERO
            for o in range(n_outputs):
                covariances[c, o] *= inverse
                score += abs(covariances[c, o])
            scores[c] = score
            rows[epoch, c] = score
            if clock[0] + epoch == 0 or abs(score - marks[c]) > thresholds[0] * marks[c]:
                marks[c] = score
                waited[c] = 0
            else:
                waited[c] += 1
            epoch += 1
            if waited[c] >= limits[1] or clock[0] + epoch >= limits[0]:
                active[c] = False
            else:
                take_step(weights[c], slopes, last_slopes[c], steps[c])
        epochs = max(epochs, epoch)
        has_ended = has_ended and not active[c]
        for rest in range(epoch, len(rows)):
            rows[rest, c] = scores[c]
    clock[0] += epochs
    return epochs, has_ended
