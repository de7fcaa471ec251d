"""The activation functions of hidden units, in plain NumPy: what each name means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar, cast, get_args

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Activation: TypeAlias = Literal["tanh", "sigmoid", "gaussian", "sin"]

ACTIVATIONS: tuple[Activation, ...] = get_args(Activation)
"""A function's place here is its code, in compiled loops and in files: new ones go to the end."""

Real = TypeVar("Real", np.float32, np.float64)


def activate(activation: Activation, sums: NDArray[Real]) -> NDArray[Real]:
    """A unit's activation for its summed input, element by element; all lie in [−1, 1].

    The sigmoid is the symmetric one, 1/(1 + exp(−x)) − ½, and the gaussian exp(−x²/2), both as in
    Fahlman & Lebiere 1990.
    """
    half = np.float32(0.5)
    if activation == "tanh":
        return cast("NDArray[Real]", np.tanh(sums))
    if activation == "sigmoid":
        return cast("NDArray[Real]", np.tanh(sums * half) * half)
    if activation == "gaussian":
        bounded = np.clip(sums, -20, 20)  # whose square does not overflow; beyond it all is 0
        return cast("NDArray[Real]", np.exp(-half * bounded * bounded))
    return cast("NDArray[Real]", np.sin(sums))
