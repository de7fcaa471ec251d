import numpy as np
import pytest
from pydantic import ValidationError

from juniper_data.generators.parity import ParityParameters, generate_parity


@pytest.mark.parametrize("n_bits", [2, 5, 12])
def test_every_pattern_is_there_once_with_its_parity(n_bits: int) -> None:
    """Row k is the number k in −1 and +1, and class 1 where it has an odd number of ones."""
    points = generate_parity(ParityParameters(n_bits=n_bits), np.random.default_rng(0))
    assert (points.X.shape, points.n_classes) == ((2**n_bits, n_bits), 2)
    for k, (row, label) in enumerate(zip(points.X.tolist(), points.labels.tolist(), strict=True)):
        assert row == [1 if digit == "1" else -1 for digit in reversed(f"{k:0{n_bits}b}")]
        assert label == k.bit_count() % 2


def test_all_patterns_are_trained_on_by_default() -> None:
    """The benchmark is to learn every pattern of eight bits."""
    p = ParityParameters()
    assert (p.n_bits, p.train_ratio, p.test_ratio) == (8, 1.0, 0.0)


@pytest.mark.parametrize("n_bits", [1, 13])
def test_out_of_bounds_is_refused(n_bits: int) -> None:
    """One bit has no parity worth learning, and thirteen have too many patterns."""
    with pytest.raises(ValidationError, match="n_bits"):
        ParityParameters(n_bits=n_bits)
