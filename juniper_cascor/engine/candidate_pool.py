"""Which candidates a pool is made of, and which of them wins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from juniper_cascor.engine.backend import CandidateState
from juniper_cascor.engine.initial_weights import candidate_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from juniper_cascor.engine.parameters import Parameters

_MOST_START = np.float32(20)  # twice what the spirals ever ask for
_TINY = np.finfo(np.float32).tiny


def new_pool(
    parameters: Parameters,
    seed: int,
    *,
    fan_ins: Sequence[int],
    n_features: int,
    n_outputs: int,
    max_epochs: int,
) -> CandidateState:
    """A pool before its first epoch.

    Args:
        parameters: How many candidates, of which kinds.
        seed: Their first weights are a function of it and of the number of installed units.
        fan_ins: Of the installed units, in their order.
        n_features: Bias, inputs and installed units.
        n_outputs: Of the network.
        max_epochs: Of the phase.
    """
    pool = parameters.candidate_pool_size
    own_fan_ins = np.full(pool, n_features, np.int64)
    if parameters.candidate_placement == "sibling-or-descendant" and fan_ins:
        # Of each activation function as many siblings as descendants.
        kinds = len(parameters.activations)
        own_fan_ins[np.arange(pool) // kinds % 2 == 1] = fan_ins[-1]
    weights = candidate_weights(seed, len(fan_ins), pool, n_features)
    return CandidateState.start(weights, own_fan_ins, n_outputs, parameters, max_epochs)


def winner(candidates: CandidateState, descendant_factor: float) -> int:
    """The candidate to install: of the best score, where descendants' count less beside siblings'.

    Siblings of the newest layer see fewer features than descendants (SDCC: Baluja & Fahlman 1994).
    """
    is_sibling = candidates.fan_ins < candidates.weights.shape[1]
    scores = candidates.scores
    if is_sibling.any():
        scores = np.where(is_sibling, scores, scores * descendant_factor)
    return int(scores.argmax())


def output_weights_with(
    weights: NDArray[np.float32], candidates: CandidateState, installed: int
) -> NDArray[np.float32]:
    """The output layer's weights with a column for the new unit: its covariances with the residuals, negated.

    For the normalised objective over its variance, the biases taking up its mean: the least-squares step.

    Args:
        weights: [outputs, features]
        candidates: Between whose phases.
        installed: Which of them.
    """
    covariances = candidates.best_covariances[installed]
    weights = weights.copy()
    if not candidates.is_normalised:
        # Over a sum of squares that is almost nothing they are of any size, and no output layer comes back from that.
        own = -covariances * min(np.float32(1), _MOST_START / np.abs(covariances).max(initial=_TINY))
    else:
        explained = float(np.square(covariances, dtype=np.float64).sum())
        # The score is Σ cov² / (variance · sum of squares), the covariances are over the sum of squares.
        own = -covariances * np.float32(candidates.scores[installed] / explained)
        mean = candidates.best_moments[installed, 0]
        weights[:, 0] -= own * mean
    return np.concatenate([weights, own[:, np.newaxis]], axis=1)
