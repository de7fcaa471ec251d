"""The loops of the CPU back ends: passes over the patterns, and the epochs of a phase.

What makes them fast, each measured: the flags of `numba_math`; four features a pass; tiles of patterns that stay in
the first-level cache, and begin where a cache line does; a rational tanh. Importing this module loads numba.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from juniper_cascor.engine import numba_loading
from juniper_cascor.engine.numba_math import FLAGS, Floats, activate, take_step, tanh

COMPILED_IN = "398eba8e48479e40"  # the digest of numba_math.py
TILE = 256  # patterns worked on at once, at most
_FEW_FEATURES = 40  # so many that a tile of them stays in the first-level cache

Doubles: TypeAlias = NDArray[np.float64]
Counts: TypeAlias = NDArray[np.int64]
Classes: TypeAlias = NDArray[np.int32]
Truths: TypeAlias = NDArray[np.bool_]

# Keeps a saturated output unit learning: Fahlman 1988.
_PRIME_OFFSET = np.float32(0.1)
_ZERO, _HALF, _ONE = np.float32(0), np.float32(0.5), np.float32(1)
# An activation that varies less than this share of its square sum is constant but for rounding.
_LEAST_VARIANCE = 1e-6


@njit(forceinline=True, **FLAGS)
def tile_for(n_features: int) -> int:
    """Patterns to work on at once: half as many where there are so many features that the cache would not hold them."""
    return TILE if n_features <= _FEW_FEATURES else TILE // 2


@njit(forceinline=True, **FLAGS)
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


@njit(forceinline=True, **FLAGS)
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
        largest = max(largest, abs(error))
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


@njit(cache=True, **FLAGS)
def install(features: Floats, n: int, weights: Floats, activation: int, activations: Floats, buffers: Floats) -> None:
    """An installed unit's activation on each of n patterns; 0 in the padding."""
    ld = len(activations)
    sums, slopes = buffers[0], buffers[1]
    for start in range(0, ld, TILE):
        width = min(TILE, ld - start)
        weighted_sums(features, weights, start, width, sums)
        activate(sums, width, activation, activations[start : start + TILE], slopes)
    activations[n:] = _ZERO


@njit(forceinline=True, **FLAGS)
def aim(
    covariances: Floats, moments: Floats, normalised: bool, sum_of_squares: float, coefficients: Floats
) -> tuple[np.float32, np.float32]:
    """What the objective's slope is made of, by the epoch before: coefficients of the residuals, pull and mean.

    ∂S/∂V_n ∝ Σ_o coefficient_o · E_no − pull · (V_n − mean). For the covariance the coefficients are signs; for the
    normalised objective they are the slopes of Σ_o cov_o² / Σ(V − mean)².
    """
    if not normalised:
        for o in range(len(covariances)):
            coefficients[o] = np.sign(covariances[o])
        return _ZERO, _ZERO
    variance = moments[1]
    if variance <= _ZERO:
        coefficients[:] = _ZERO
        return _ZERO, _ZERO
    pull = _ZERO
    for o in range(len(covariances)):
        coefficients[o] = covariances[o] / variance
        pull += coefficients[o] * coefficients[o]
    return pull * np.float32(sum_of_squares), moments[0]


@njit(forceinline=True, **FLAGS)
def correlate(
    features: Floats,
    residuals: Floats,
    n: int,
    weights: Floats,
    activation: int,
    normalised: bool,
    coefficients: Floats,
    pull: np.float32,
    mean: np.float32,
    slopes: Floats,
    covariances: Floats,
    moments: Floats,
    buffers: Floats,
) -> None:
    """One pass of a candidate: its covariance with each output's residual, its moments, and the slopes of −S.

    The slopes are taken with what `aim` made of the epoch before, so one pass does both (Fahlman & Lebiere 1990).
    The residuals are centred, so the covariances need no mean of the activations.
    """
    n_outputs, ld = residuals.shape
    sums, activations, primes = buffers[0], buffers[1], buffers[2]
    slopes[:] = _ZERO
    covariances[:] = _ZERO
    total, squares = 0.0, 0.0
    tile = tile_for(len(weights))
    for start in range(0, ld, tile):
        width = min(tile, ld - start)
        weighted_sums(features, weights, start, width, sums)
        activate(sums, width, activation, activations, primes)
        if normalised:
            tile_total, tile_squares = _ZERO, _ZERO
            for i in range(min(width, n - start)):
                tile_total += activations[i]
                tile_squares += activations[i] * activations[i]
            total += float(tile_total)
            squares += float(tile_squares)
        for o in range(n_outputs):
            residual = residuals[o, start : start + TILE]
            coefficient = coefficients[o]
            covariance = _ZERO
            if o == 0:
                for i in range(width):
                    covariance += activations[i] * residual[i]
                    sums[i] = (pull * (activations[i] - mean) - coefficient * residual[i]) * primes[i]
            else:
                for i in range(width):
                    covariance += activations[i] * residual[i]
                    sums[i] -= coefficient * residual[i] * primes[i]
            covariances[o] += covariance
        add_slopes(features, sums, start, width, slopes)
    take_moments(total, squares, n, moments)


@njit(forceinline=True, **FLAGS)
def take_moments(total: float, squares: float, n: int, moments: Floats) -> None:
    """Mean of n activations, and the sum of their squared distances from it; 0 where that is rounding alone."""
    variance = squares - total * total / n
    moments[0] = np.float32(total / n)
    moments[1] = np.float32(variance) if variance > _LEAST_VARIANCE * squares else _ZERO


@njit(forceinline=True, **FLAGS)
def score_of(covariances: Floats, moments: Floats, normalised: bool, sum_of_squares: float) -> np.float32:
    """A candidate's correlation score; its covariances become shares of the sum of squared residuals."""
    # Residuals that are all alike leave nothing to correlate with: every score is 0.
    inverse = np.float32(1.0 / sum_of_squares if sum_of_squares > 0.0 else 0.0)
    score, explained = _ZERO, _ZERO
    for o in range(len(covariances)):
        covariances[o] *= inverse
        score += abs(covariances[o])
        explained += covariances[o] * covariances[o]
    if not normalised:
        return score
    return np.float32(explained * sum_of_squares / moments[1]) if moments[1] > _ZERO else _ZERO


@njit(forceinline=True, **FLAGS)
def conclude_candidate_epoch(
    c: int,
    epoch: int,
    score: np.float32,
    marks: Floats,
    waited: Counts,
    active: Truths,
    limits: Counts,
    settings: Doubles,
) -> bool:
    """Take note of a candidate's score in an epoch of the phase, counted from 0: whether it goes on."""
    if epoch == 0 or abs(score - marks[c]) > settings[0] * marks[c]:
        marks[c] = score
        waited[c] = 0
    else:
        waited[c] += 1
    goes_on = bool(waited[c] < limits[1] and epoch + 1 < limits[0])
    active[c] = goes_on
    return goes_on


@njit(forceinline=True, **FLAGS)
def keep_best(
    c: int,
    score: np.float32,
    weights: Floats,
    covariances: Floats,
    moments: Floats,
    scores: Floats,
    best_weights: Floats,
    best_covariances: Floats,
    best_moments: Floats,
) -> None:
    """Keep what a candidate was in its best epoch: its last one need not be that."""
    if score > scores[c]:
        scores[c] = score
        for j in range(len(weights)):
            best_weights[j] = weights[j]
        for o in range(len(covariances)):
            best_covariances[o] = covariances[o]
        best_moments[0], best_moments[1] = moments[0], moments[1]


@njit(forceinline=True, **FLAGS)
def climb(
    weights: Floats,
    slopes: Floats,
    memory: Floats,
    steps: Floats,
    epoch: int,
    sum_of_squares: float,
    rule: Counts,
    settings: Doubles,
) -> None:
    """One step of a candidate, by the slopes of its covariances or of its share of the squared residuals."""
    scale = np.float32(2) if rule[1] == 1 else np.float32(1.0 / sum_of_squares if sum_of_squares > 0.0 else 0.0)
    for j in range(len(weights)):
        slopes[j] *= scale
    # The first epoch knows no signs and so no slopes: time starts with the second.
    take_step(weights, slopes, memory, steps, rule[0], np.float32(settings[1]), np.float32(settings[2]), max(epoch, 1))


@njit(cache=True, **FLAGS)
def train_candidates(
    features: Floats,
    residuals: Floats,
    n: int,
    sum_of_squares: float,
    weights: Floats,
    memory: Floats,
    steps: Floats,
    covariances: Floats,
    moments: Floats,
    scores: Floats,
    best_weights: Floats,
    best_covariances: Floats,
    best_moments: Floats,
    marks: Floats,
    waited: Counts,
    active: Truths,
    fan_ins: Counts,
    activations: Counts,
    clock: Counts,
    limits: Counts,
    rule: Counts,
    settings: Doubles,
    slopes_of_all: Floats,
    coefficients: Floats,
    buffers: Floats,
    rows: Floats,
) -> int:
    """Epochs of candidates until all have stopped or their rows are full: how many. The clock stays as it is.

    `rows`, [candidates, epochs], takes the best scores so far.
    """
    normalised = rule[1] == 1
    epochs = 0
    for c in range(len(weights)):
        epoch = 0
        fan_in = fan_ins[c]
        own_weights, slopes = weights[c, :fan_in], slopes_of_all[:fan_in]
        own_memory, own_steps = memory[c, :fan_in], steps[c, :fan_in]
        own_covariances, own_moments = covariances[c], moments[c]
        own_best_weights, own_best_covariances = best_weights[c, :fan_in], best_covariances[c]
        own_best_moments = best_moments[c]
        while active[c] and epoch < rows.shape[1]:
            pull, mean = aim(own_covariances, own_moments, normalised, sum_of_squares, coefficients)
            correlate(
                features,
                residuals,
                n,
                own_weights,
                activations[c],
                normalised,
                coefficients,
                pull,
                mean,
                slopes,
                own_covariances,
                own_moments,
                buffers,
            )
            score = score_of(own_covariances, own_moments, normalised, sum_of_squares)
            keep_best(
                c,
                score,
                own_weights,
                own_covariances,
                own_moments,
                scores,
                own_best_weights,
                own_best_covariances,
                own_best_moments,
            )
            now = clock[0] + epoch
            if conclude_candidate_epoch(c, now, score, marks, waited, active, limits, settings):
                climb(own_weights, slopes, own_memory, own_steps, now, sum_of_squares, rule, settings)
            rows[c, epoch] = scores[c]
            epoch += 1
        epochs = max(epochs, epoch)
        rows[c, epoch:] = scores[c]
    return epochs


_M, _V, _D, _C = "float32[:, ::1]", "float32[::1]", "float64[::1]", "int64[::1]"
_PATTERNS = f"{_M}, {_M}, int32[::1], {_V}, int64"

# The quickest to compile first, so that a cold cache is soon said.
KERNELS = (
    (install, f"void({_M}, int64, {_V}, int64, {_V}, {_M})"),
    (measure_residuals, f"float64({_M}, {_M}, {_V}, int64, boolean, {_M}, {_M}, {_M})"),
    (
        train_outputs,
        f"Tuple((int64, boolean, boolean))({_PATTERNS}, {_PATTERNS}, boolean, {_M}, {_M}, {_M}, {_C}, {_D}, {_C}, "
        f"{_C}, {_D}, {_M}, {_M}, int32[::1], {_M})",
    ),
    (
        train_candidates,
        f"int64({_M}, {_M}, int64, float64, {_M}, {_M}, {_M}, {_M}, {_M}, {_V}, {_M}, {_M}, {_M}, {_V}, {_C}, "
        f"boolean[::1], {_C}, {_C}, {_C}, {_C}, {_C}, {_D}, {_V}, {_V}, {_M}, {_M})",
    ),
)


def load() -> None:
    """Make every loop ready."""
    numba_loading.load(KERNELS)
