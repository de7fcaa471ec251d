"""What the batched back end computes between its matrix products. Importing this module loads numba."""

from __future__ import annotations

import numpy as np
from numba import njit

from juniper_cascor.engine.candidate_kernels import climb, conclude_candidate_epoch, keep_best, score_of, take_moments
from juniper_cascor.engine.numba_math import FLAGS, Classes, Counts, Doubles, Floats, Truths, activate
from juniper_cascor.engine.output_kernels import conclude_output_epoch, descend, learn

COMPILED_IN = "104200a89e88f7b1"  # the digest of numba_math.py, output_kernels.py and candidate_kernels.py
_ZERO = np.float32(0)


@njit(cache=True, **FLAGS)
def learn_block(
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
    """One pass of an output layer over a block of patterns."""
    loss, correct, largest = learn(
        features, targets, labels, importances, first, end, weights, linear, with_slopes, slopes, buffers, chosen
    )
    return loss, correct, largest


@njit(cache=True, **FLAGS)
def conclude_layer(
    loss: float,
    largest: np.float32,
    slopes: Floats,
    n: int,
    weights: Floats,
    memory: Floats,
    steps: Floats,
    clock: Counts,
    mark: Doubles,
    limits: Counts,
    rule: Counts,
    settings: Doubles,
) -> tuple[bool, bool]:
    """Count an epoch of the output layer and take its step: whether the phase has ended, and whether it has solved."""
    has_ended, has_solved = conclude_output_epoch(loss, largest, clock, mark, limits, settings)
    if not has_ended:
        descend(weights, slopes, memory, steps, n, clock, rule, settings)
    return has_ended, has_solved


@njit(cache=True, **FLAGS)
def respond_pool(
    sums: Floats,
    aims: Floats,
    activations: Counts,
    pulls: Floats,
    means: Floats,
    n: int,
    primes: Floats,
    responses: Floats,
    totals: Doubles,
    squares: Doubles,
) -> None:
    """Activations of candidates on a tile, and in `aims` the slopes of −S by their summed inputs.

    `sums`, `aims` and `responses` are [candidates, patterns of the tile]; the first n patterns are no padding. Before,
    `aims` holds the residuals times the candidates' coefficients. Totals and squares of the activations are added up.
    """
    n_candidates, width = sums.shape
    for c in range(n_candidates):
        own, aim = responses[c], aims[c]
        activate(sums[c], width, activations[c], own, primes)
        pull, mean = pulls[c], means[c]
        for i in range(width):
            aim[i] = (pull * (own[i] - mean) - aim[i]) * primes[i]
        total, square = _ZERO, _ZERO
        for i in range(min(width, n)):
            total += own[i]
            square += own[i] * own[i]
        totals[c] += float(total)
        squares[c] += float(square)


@njit(cache=True, **FLAGS)
def conclude_pool(
    chosen: Counts,
    pass_slopes: Floats,
    pass_covariances: Floats,
    totals: Doubles,
    squares: Doubles,
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
    clock: Counts,
    limits: Counts,
    rule: Counts,
    settings: Doubles,
) -> None:
    """Score the passes of the chosen candidates, and take the steps of those that go on."""
    normalised = rule[1] == 1
    for k in range(len(chosen)):
        c = chosen[k]
        own_covariances, own_moments = covariances[c], moments[c]
        for o in range(len(own_covariances)):
            own_covariances[o] = pass_covariances[k, o]
        take_moments(totals[k], squares[k], n, own_moments)
        score = score_of(own_covariances, own_moments, normalised, sum_of_squares)
        fan_in = fan_ins[c]
        keep_best(
            c,
            score,
            weights[c, :fan_in],
            own_covariances,
            own_moments,
            scores,
            best_weights[c, :fan_in],
            best_covariances[c],
            best_moments[c],
        )
        if conclude_candidate_epoch(c, clock[0], score, marks, waited, active, limits, settings):
            climb(
                weights[c, :fan_in],
                pass_slopes[k, :fan_in],
                memory[c, :fan_in],
                steps[c, :fan_in],
                clock[0],
                sum_of_squares,
                rule,
                settings,
            )


_M, _V, _D, _C = "float32[:, ::1]", "float32[::1]", "float64[::1]", "int64[::1]"
_A = "float32[:, :]"  # part of a buffer


def _respond_pool(part: str) -> str:
    """Its signature for a part of its buffers, or for the whole of them."""
    return f"void({part}, {_M}, {_C}, {_V}, {_V}, int64, {_V}, {part}, {_D}, {_D})"


KERNELS = (
    (
        learn_block,
        f"Tuple((float64, int64, float32))({_M}, {_M}, int32[::1], {_V}, int64, int64, {_M}, boolean, boolean, {_M}, "
        f"{_M}, int32[::1])",
    ),
    (respond_pool, _respond_pool(_A), _respond_pool(_M)),
    (
        conclude_layer,
        f"Tuple((boolean, boolean))(float64, float32, {_M}, int64, {_M}, {_M}, {_M}, {_C}, {_D}, {_C}, {_C}, {_D})",
    ),
    (
        conclude_pool,
        f"void({_C}, {_M}, {_M}, {_D}, {_D}, int64, float64, {_M}, {_M}, {_M}, {_M}, {_M}, {_V}, {_M}, {_M}, {_M}, "
        f"{_V}, {_C}, "
        f"boolean[::1], {_C}, {_C}, {_C}, {_C}, {_D})",
    ),
)
"""Each with its signature."""
