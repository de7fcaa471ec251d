"""Figures of a dataset's features, gathered from its samples piece by piece; no piece is kept."""

from array import array
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from juniper_common.wire.profiles import DatasetProfile, FeatureProfile

Part = Literal["train", "held out", "unused"]
"""What samples are for: held out are those to test or validate on, unused those that no split has."""

MAX_COMPARED = 10_000_000
"""Of more samples than this, duplicates are not counted: each takes 8 bytes until the end."""

# Numbers worked on at a time: what is made of them stays in a core's cache.
_BLOCK = 1 << 17

# The constants of SplitMix64 (Steele, Lea & Flood 2014): its step, and the multipliers of its finalizer.
_STEP = 0x9E3779B97F4A7C15
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


class Profiler:
    """Takes every sample of a set once.

    Args:
        n_features: of each sample.
        max_compared: of more samples than this, duplicates are not counted.

    Samples are the same where their 64-bit hashes are. With one or two features that is exact. With more, two samples
    that differ are taken for the same with a chance of 2⁻⁶⁴: any at all of ten million, with one of 3·10⁻⁶.
    """

    def __init__(self, n_features: int, max_compared: int = MAX_COMPARED) -> None:
        self._max_compared = max_compared
        self._moments = _Moments(n_features)
        self._training, self._held_out, self._unused = array("Q"), array("Q"), array("Q")  # hashes

    def add(self, X: NDArray[np.float32], part: Part) -> None:
        """Take samples [n, features], all finite."""
        hashes = {"train": self._training, "held out": self._held_out, "unused": self._unused}[part]
        rows = max(1, _BLOCK // X.shape[1])
        for start in range(0, len(X), rows):
            block = X[start : start + rows]
            self._moments.add(block)
            if self._moments.n <= self._max_compared:
                hashes.frombytes(hash_rows(block).view(np.uint8).data)
        if self._moments.n > self._max_compared:
            self._training, self._held_out, self._unused = array("Q"), array("Q"), array("Q")

    def profile(
        self,
        class_counts: list[int],
        names: tuple[str, ...] | None = None,
        missing: list[int] | None = None,
    ) -> DatasetProfile:
        """The figures of what was taken.

        Args:
            class_counts: samples of each class; empty for a regression.
            names: of the features.
            missing: cells per feature that the source left empty.
        """
        total = max(1, sum(class_counts))
        duplicates, leaked = None, None
        if self._moments.n <= self._max_compared:
            hashes = self._training, self._held_out, self._unused
            duplicates, leaked = _count_same(*(np.frombuffer(each, np.uint64) for each in hashes))
        return DatasetProfile(
            features=self._moments.profiles(names, missing),
            class_balance={str(index): count / total for index, count in enumerate(class_counts)},
            duplicates=duplicates,
            leaked=leaked,
        )


class _Moments:
    """Least, greatest, mean and squared deviation of each feature, in float64.

    Blocks are merged as Chan, Golub & LeVeque (1979) do it: the deviations of each are from its own mean, so that no
    two large numbers are ever subtracted.
    """

    def __init__(self, n_features: int) -> None:
        self.n = 0
        self._min = np.full(n_features, np.inf)
        self._max = np.full(n_features, -np.inf)
        self._mean = np.zeros(n_features)
        self._squares = np.zeros(n_features)  # sum of the squared deviations from the mean

    def add(self, X: NDArray[np.float32]) -> None:
        # Feature after feature in memory: along a row of two numbers nothing is fast.
        columns = np.ascontiguousarray(X.T, dtype=np.float64)  # [features, n]
        np.minimum(self._min, columns.min(axis=1), out=self._min)
        np.maximum(self._max, columns.max(axis=1), out=self._max)
        mean = columns.mean(axis=1)
        columns -= mean[:, np.newaxis]
        apart = mean - self._mean
        share = len(X) / (self.n + len(X))
        self._squares += np.einsum("ij,ij->i", columns, columns) + apart * apart * (self.n * share)
        self._mean += apart * share
        self.n += len(X)

    def profiles(self, names: Sequence[str] | None, missing: Sequence[int] | None) -> tuple[FeatureProfile, ...]:
        figures = np.stack([self._min, self._max, self._mean, np.sqrt(self._squares / max(1, self.n))], axis=1)
        return tuple(
            FeatureProfile(
                name=names[j] if names else None,
                **dict(zip(("min", "max", "mean", "std"), of_feature if self.n else [None] * 4, strict=True)),
                missing=missing[j] if missing else 0,
            )
            for j, of_feature in enumerate(figures.tolist())
        )


def hash_rows(X: NDArray[np.float32]) -> NDArray[np.uint64]:
    """A 64-bit hash of each row [n, features]; −0 and 0 are the same number.

    Two numbers at a time are one of SplitMix64's words: stepped by their place, mixed, and added to the row's sum. The
    mixing is one to one, and so is the hash of a row of a single word.
    """
    n, n_features = X.shape
    words = (n_features + 1) // 2
    padded = np.zeros((n, 2 * words), np.float32)
    np.add(X, 0, out=padded[:, :n_features])  # −0 + 0 is 0
    mixed = padded.view(np.uint64)  # [n, words]
    mixed += np.arange(1, words + 1, dtype=np.uint64) * np.uint64(_STEP)
    mixed ^= mixed >> np.uint64(30)
    mixed *= _MIX_1
    mixed ^= mixed >> np.uint64(27)
    mixed *= _MIX_2
    mixed ^= mixed >> np.uint64(31)
    hashes: NDArray[np.uint64] = mixed.sum(axis=1)
    return hashes


def _count_same(
    training: NDArray[np.uint64], held_out: NDArray[np.uint64], unused: NDArray[np.uint64]
) -> tuple[int, int]:
    """How many stand before, in this order of the parts; and how many of those held out are among the training ones.

    Sorts each in place.
    """
    _, repeated = _count_known(training)
    leaked, leaked_or_repeated = _count_known(held_out, training)
    _, known_or_repeated = _count_known(unused, training, held_out)
    return repeated + leaked_or_repeated + known_or_repeated, leaked


def _count_known(hashes: NDArray[np.uint64], *before: NDArray[np.uint64]) -> tuple[int, int]:
    """How many are in one of the sorted parts before; and with those that are not, but stand before in their own part.

    Sorts them in place.
    """
    hashes.sort()
    is_known = np.zeros(len(hashes), bool)
    for part in before:
        is_known |= _is_among(part, hashes)
    known = int(np.count_nonzero(is_known))
    # Equal hashes are known together or not at all.
    return known, known + int(np.count_nonzero((hashes[1:] == hashes[:-1]) & ~is_known[1:]))


def _is_among(ordered: NDArray[np.uint64], asked: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Whether each is one of the ordered."""
    found = np.zeros(len(asked), bool)
    if len(ordered):
        for start in range(0, len(asked), _BLOCK):
            part = asked[start : start + _BLOCK]
            # clip: one past the last is compared with the last, which is less.
            found[start : start + _BLOCK] = ordered.take(np.searchsorted(ordered, part), mode="clip") == part
    return found
