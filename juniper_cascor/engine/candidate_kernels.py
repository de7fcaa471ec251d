"""The loops of a candidate pool: correlations with residual errors, the epochs of its phase, an installed unit's row.

Importing this module loads numba.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from juniper_cascor.engine.numba_math import (
    FLAGS,
    TILE,
    Counts,
    Doubles,
    Floats,
    Truths,
    activate,
    add_slopes,
    take_step,
    tile_for,
    weighted_sums,
)

COMPILED_IN = "3da140c30c3a83d2"  # the digest of numba_math.py

_ZERO, _ONE = np.float32(0), np.float32(1)
# An activation that varies less than this share of its square sum is constant but for rounding.
_LEAST_VARIANCE = 1e-6


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


_M, _V, _D, _C = "float32[:, ::1]", "float32[::1]", "float64[::1]", "int64[::1]"
_FROZEN = "Array(float32, 1, 'C', readonly=True)"  # takes weights that may be written to as well
KERNELS = (
    (install, f"void({_M}, int64, {_FROZEN}, int64, {_V}, {_M})"),
    (
        train_candidates,
        f"int64({_M}, {_M}, int64, float64, {_M}, {_M}, {_M}, {_M}, {_M}, {_V}, {_M}, {_M}, {_M}, {_V}, {_C}, "
        f"boolean[::1], {_C}, {_C}, {_C}, {_C}, {_C}, {_D}, {_V}, {_V}, {_M}, {_M})",
    ),
)
"""Each with its signature."""
