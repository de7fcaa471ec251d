"""A learning curve in one line of a terminal."""

import numpy as np
from numpy.typing import ArrayLike

_BARS = "▁▂▃▄▅▆▇█"
WIDTH = 60


def sparkline(values: ArrayLike, *, logarithmic: bool = False) -> str:
    """At most WIDTH bars, each the mean of as many values; the lowest and the highest bar are the extremes.

    Values that are not finite have no bar.
    """
    curve = np.asarray(values, np.float64)
    curve = curve[np.isfinite(curve)]
    if not len(curve):
        return ""
    if logarithmic:
        curve = np.log10(np.maximum(curve, np.finfo(np.float32).tiny))
    means = np.array([part.mean() for part in np.array_split(curve, min(WIDTH, len(curve)))])
    low, high = means.min(), means.max()
    heights = (means - low) / (high - low) if high > low else np.zeros(len(means))
    return "".join(_BARS[round(height * (len(_BARS) - 1))] for height in heights)
