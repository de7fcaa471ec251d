"""The compiled loops' own functions."""

from __future__ import annotations

import numpy as np

from juniper_cascor.engine import numba_kernels


def test_tanh_is_accurate() -> None:
    """The rational tanh is within 4.2e-7 of the true one, never beyond ±1, and odd."""
    x = np.concatenate([np.linspace(-10, 10, 4001), [-1e30, 1e30, 0.0, 1e-30]]).astype(np.float32)
    y = np.array([numba_kernels.tanh(value) for value in x])
    assert np.abs(y - np.tanh(x.astype(np.float64))).max() < 4.5e-7
    assert np.abs(y).max() <= 1
    np.testing.assert_array_equal(y[:4001], -y[4000::-1])
