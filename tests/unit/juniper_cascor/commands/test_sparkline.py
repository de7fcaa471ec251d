"""A curve in one line."""

import numpy as np

from juniper_cascor.commands.sparkline import WIDTH, sparkline


def test_from_the_lowest_to_the_highest() -> None:
    """Eight heights between the extremes."""
    assert sparkline(range(8)) == "▁▂▃▄▅▆▇█"


def test_a_long_curve_is_as_wide_as_a_terminal() -> None:
    """Many values share a bar."""
    line = sparkline(np.linspace(1, 0, 1000))
    assert (len(line), line[0], line[-1]) == (WIDTH, "█", "▁")


def test_powers_of_ten_are_steps() -> None:
    """Where the curve is shown by its logarithm; nothing at all is the lowest."""
    assert sparkline([1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1], logarithmic=True) == "▁▂▃▄▅▆▇█"
    assert sparkline([1, 0], logarithmic=True) == "█▁"


def test_a_flat_curve() -> None:
    """It has no height."""
    assert sparkline([0.5] * 3) == "▁▁▁"
