"""Which samples to show of a set that is too large to be shown whole."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


def classes_of(y: FloatArray) -> NDArray[np.uint16]:
    """The class of each target [samples, classes]; of values to predict, which are one column, all are one class."""
    classes: NDArray[np.uint16] = y.argmax(axis=1).astype(np.uint16)
    return classes


def spread(classes: NDArray[np.uint16], n: int) -> NDArray[np.int64]:
    """The places of at most `n` samples, ascending: as many of each class as it has or as fit, evenly over the set."""
    places = [np.flatnonzero(classes == index) for index in np.unique(classes)]
    picked = []
    # The smallest class first: what it leaves, the larger ones share.
    for behind, of_class in enumerate(sorted(places, key=len), start=-len(places)):
        share = min(len(of_class), n // -behind)
        picked.append(of_class[np.arange(share) * len(of_class) // max(1, share)])
        n -= share
    return np.sort(np.concatenate(picked)) if picked else np.zeros(0, np.int64)
