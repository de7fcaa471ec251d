"""Candidate phases of a known size, to be clocked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from juniper_cascor.engine.parameters import Parameters


@dataclass(frozen=True, slots=True)
class Work:
    """One candidate phase: random patterns without hidden units, each candidate trained for all epochs."""

    n_patterns: int
    n_inputs: int
    pool: int
    n_epochs: int
    n_outputs: int = 1
    activation: str = "tanh"

    @property
    def size(self) -> str:
        """Of the patterns."""
        outputs = "" if self.n_outputs == 1 else f", {self.n_outputs} outputs"
        return f"{self.n_patterns} × {self.n_inputs}{outputs}"

    @property
    def name(self) -> str:
        """Sizes."""
        return f"{self.size}, pool {self.pool}"

    @property
    def flops(self) -> float:
        """Of the matrix products of an epoch of all candidates: sums forward, slopes back."""
        return 4.0 * self.n_patterns * (1 + self.n_inputs) * self.pool

    def arrays(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Inputs, and targets that nothing predicts: no training solves them."""
        rng = np.random.default_rng(0)
        x = rng.standard_normal((self.n_patterns, self.n_inputs), np.float32)
        labels = rng.integers(0, max(2, self.n_outputs), self.n_patterns)
        labels[:2] = 0, 1
        one_hot = np.eye(max(2, self.n_outputs), dtype=np.float32)[labels]
        return x, one_hot if self.n_outputs > 1 else one_hot[:, 1:]

    def parameters(self, **changes: object) -> Parameters:
        """One unit, of whose candidates none stops on its patience."""
        values: dict[str, object] = {
            "activation_function_name": self.activation,
            "candidate_pool_size": self.pool,
            "candidate_epochs": self.n_epochs,
            "candidate_patience": self.n_epochs,
            "correlation_threshold": 0.0,
            "error_threshold": 1e-6,  # which no sigmoid reaches: growth never ends by being solved
            "output_epochs": 1,
            "max_hidden_units": 1,
        }
        return Parameters(**values | changes)  # type: ignore[arg-type]
