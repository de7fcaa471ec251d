"""The mathematics inside the compiled loops: sums over tiles of patterns, activation functions, optimiser steps.

It is compiled into the loops of the kernels, whose cache notices changes of their own files only: so those hold a
digest of what is compiled into them, and a test compares.

What makes them fast, each measured: the flags below; four features a pass; tiles of patterns that stay in the
first-level cache, and begin where a cache line does; a rational tanh.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from juniper_cascor.engine.activations import ACTIVATIONS

Floats: TypeAlias = NDArray[np.float32]
Doubles: TypeAlias = NDArray[np.float64]
Counts: TypeAlias = NDArray[np.int64]
Classes: TypeAlias = NDArray[np.int32]
Truths: TypeAlias = NDArray[np.bool_]

TILE = 256  # patterns worked on at once, at most
_FEW_FEATURES = 40  # so many that a tile of them stays in the first-level cache


# Of the fast-math flags only those that let sums be reordered into vector lanes and products be fused are set: the
# order is the compiled code's and never changes, and NaN stays NaN. The check for a division by zero, which the
# error model "python" makes, keeps a loop from being vectorised. Without numba's runtime no loop can make an array,
# and none counts references: each array that was passed on within an epoch cost two atomic operations, all of them
# together more than the arithmetic of 194 patterns.
FLAGS: dict[str, Any] = {
    "error_model": "numpy",
    "fastmath": {"reassoc", "contract", "nsz"},
    "nogil": True,
    "_nrt": False,
}
_IN_ORDER = FLAGS | {"fastmath": {"contract", "nsz"}}

TANH, SIGMOID, GAUSSIAN, SIN = (ACTIVATIONS.index(name) for name in ("tanh", "sigmoid", "gaussian", "sin"))
IRPROP, QUICKPROP, ADAM = range(3)

_ZERO, _HALF, _ONE = np.float32(0), np.float32(0.5), np.float32(1)

# x·P(x²)/Q(x²), least maximal relative error on [0, 8]; 4.2e-7 off at most in float32.
_TANH_LIMIT = np.float32(8)  # beyond it tanh is ±1 in float32
_P0, _P1, _P2, _P3 = (np.float32(p) for p in (0.999999854, 0.12925665, 0.0029510258, 1.14284428e-05))
_Q1, _Q2, _Q3, _Q4 = (np.float32(q) for q in (0.462588806, 0.0238155628, 0.000238669439, 2.45921657e-07))

# Least maximal error: of 2^x on [−½, ½], of sin(x)/x and cos(x) in x² on [0, (π/2)²].
_E0, _E1, _E2, _E3, _E4, _E5, _E6 = (
    np.float32(e) for e in (1.0, 0.693147182, 0.240226462, 0.0555032864, 0.00961848907, 0.00133999309, 0.00015345811)
)
_S1, _S2, _S3, _S4 = (np.float32(s) for s in (-0.166666567, 0.0083330255, -0.000198074194, 2.60190313e-06))
_C1, _C2, _C3, _C4, _C5 = (np.float32(c) for c in (-0.5, 0.0416666381, -0.00138883619, 2.4760162e-05, -2.60514952e-07))
# π in four parts, so short that their products with a whole number below 2^13 are exact (Cody & Waite 1980).
_PI0, _PI1, _PI2, _PI3 = (
    np.float32(p) for p in (3.140625, 0.0009670257568359375, 6.2771141529083251953e-07, 1.2154201256553420762e-10)
)
_INVERSE_PI = np.float32(1 / np.pi)
_HALF_PI = np.float32(np.pi / 2)
_LOG2_E = np.float32(np.log2(np.e))

# iRprop−: Igel & Hüsken 2003.
_GROWTH, _SHRINKAGE = np.float32(1.2), np.float32(0.5)
_MIN_STEP, _MAX_STEP = np.float32(1e-6), np.float32(50.0)
# Adam: Kingma & Ba 2015.
_BETA1, _BETA2, _EPSILON = np.float32(0.9), np.float32(0.999), np.float32(1e-8)


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
def tanh(x: np.float32) -> np.float32:
    """Hyperbolic tangent of a float32, within 4.2e-7."""
    x = min(max(x, -_TANH_LIMIT), _TANH_LIMIT)
    u = x * x
    return x * (_P0 + u * (_P1 + u * (_P2 + u * _P3))) / (_ONE + u * (_Q1 + u * (_Q2 + u * (_Q3 + u * _Q4))))


@njit(forceinline=True, **FLAGS)
def gaussian(x: np.float32) -> np.float32:
    """exp(−x²/2) of a float32; 0 where it is below 1e-37."""
    x = min(max(x, np.float32(-13)), np.float32(13))
    t = -_HALF * _LOG2_E * x * x
    whole = np.floor(t + _HALF)
    f = t - whole
    mantissa = _E0 + f * (_E1 + f * (_E2 + f * (_E3 + f * (_E4 + f * (_E5 + f * _E6)))))
    power = np.int32((np.int32(whole) + np.int32(127)) << np.int32(23)).view(np.float32)
    return np.float32(mantissa * power)


@njit(**_IN_ORDER)
def _reduced(x: np.float32, half_turns: np.float32) -> np.float32:
    """X less so many half turns; the differences must be taken one after another."""
    return ((x - half_turns * _PI0) - half_turns * _PI1) - half_turns * _PI2 - half_turns * _PI3


@njit(forceinline=True, **FLAGS)
def activate(sums: Floats, width: int, activation: int, activations: Floats, slopes: Floats) -> None:
    """Activations and their slopes for the summed inputs of one unit; see `activations.activate`."""
    if activation == TANH:
        for i in range(width):
            v = tanh(sums[i])
            activations[i] = v
            slopes[i] = _ONE - v * v
    elif activation == SIGMOID:
        for i in range(width):
            v = _HALF * tanh(_HALF * sums[i])
            activations[i] = v
            slopes[i] = np.float32(0.25) - v * v
    elif activation == GAUSSIAN:
        for i in range(width):
            v = gaussian(sums[i])
            activations[i] = v
            slopes[i] = -sums[i] * v
    else:
        for i in range(width):
            x = sums[i]
            half_turns = np.floor(x * _INVERSE_PI + _HALF)
            r = min(max(_reduced(x, half_turns), -_HALF_PI), _HALF_PI)
            sign = _ONE - np.float32(2) * (half_turns - np.float32(2) * np.floor(half_turns * _HALF))
            u = r * r
            activations[i] = sign * r * (_ONE + u * (_S1 + u * (_S2 + u * (_S3 + u * _S4))))
            slopes[i] = sign * (_ONE + u * (_C1 + u * (_C2 + u * (_C3 + u * (_C4 + u * _C5)))))


@njit(forceinline=True, **FLAGS)
def take_step(
    weights: Floats,
    slopes: Floats,
    memory: Floats,
    steps: Floats,
    optimizer: int,
    rate: np.float32,
    mu: np.float32,
    time: int,
) -> None:
    """One step of an optimiser down the slopes; `memory` and `steps` are what it keeps (see `backend`)."""
    if optimizer == IRPROP:
        irprop(weights, slopes, memory, steps)
    elif optimizer == QUICKPROP:
        quickprop(weights, slopes, memory, steps, rate, mu)
    else:
        adam(weights, slopes, memory, steps, rate, time)


@njit(forceinline=True, **FLAGS)
def irprop(weights: Floats, slopes: Floats, last_slopes: Floats, steps: Floats) -> None:
    """iRprop− (Igel & Hüsken 2003): a step for each weight, longer while its slope keeps its sign."""
    for j in range(len(weights)):
        slope = slopes[j]
        agreement = slope * last_slopes[j]
        step = steps[j] * (_GROWTH if agreement > _ZERO else (_SHRINKAGE if agreement < _ZERO else _ONE))
        step = min(max(step, _MIN_STEP), _MAX_STEP)
        slope = _ZERO if agreement < _ZERO else slope
        weights[j] -= step if slope > _ZERO else (-step if slope < _ZERO else _ZERO)
        steps[j] = step
        last_slopes[j] = slope


@njit(forceinline=True, **FLAGS)
def quickprop(
    weights: Floats, slopes: Floats, last_slopes: Floats, moves: Floats, rate: np.float32, mu: np.float32
) -> None:
    """Quickprop (Fahlman 1988): jumps to the minimum of the parabola through the last two slopes, μ-fold at most."""
    shrinkage = mu / (_ONE + mu)
    for j in range(len(weights)):
        slope, last, move = slopes[j], last_slopes[j], moves[j]
        # Seen in the direction of the last move: that was along −sign.
        sign = _ONE if move < _ZERO else -_ONE
        ahead, before = sign * slope, sign * last
        jump = mu * move if ahead >= shrinkage * before else move * slope / (last - slope)
        gradient = -rate * slope if ahead > _ZERO else _ZERO
        next_move = -rate * slope if move == _ZERO else jump + gradient
        next_move = min(max(next_move, -_MAX_STEP), _MAX_STEP)
        weights[j] += next_move
        moves[j] = next_move
        last_slopes[j] = slope


@njit(forceinline=True, **FLAGS)
def adam(weights: Floats, slopes: Floats, means: Floats, squares: Floats, rate: np.float32, time: int) -> None:
    """Adam (Kingma & Ba 2015), its time counted from 1."""
    mean_bias = _ONE - _BETA1 ** np.float32(time)
    square_bias = _ONE - _BETA2 ** np.float32(time)
    for j in range(len(weights)):
        slope = slopes[j]
        means[j] = _BETA1 * means[j] + (_ONE - _BETA1) * slope
        squares[j] = _BETA2 * squares[j] + (_ONE - _BETA2) * slope * slope
        weights[j] -= rate * (means[j] / mean_bias) / (np.sqrt(squares[j] / square_bias) + _EPSILON)
