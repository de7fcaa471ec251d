"""From rows on disk to an artifact: normalize, write, profile, piece by piece.

The artifact has the bytes that `npz.write_npz` gives to the same arrays.
"""

import hashlib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedRandom

import numpy as np
from numpy.typing import NDArray

from juniper_data.arrays import FloatArray
from juniper_data.imports.labels import Target
from juniper_data.imports.refusals import refused
from juniper_data.imports.rows_file import MAX_DATA_BYTES, PIECE_BYTES, Numbers, RowsFile
from juniper_data.imports.table import Samples
from juniper_data.making import Facts, distribution
from juniper_data.npz import write_array, write_texts
from juniper_data.profiling import Part, Profiler

MAX_ARTIFACT_BYTES = 2 * MAX_DATA_BYTES + (64 << 20)

MAX_COMPARED = 1_000_000
"""The profiler's, less than it is elsewhere: a child has little memory."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Shifts and scales features to mean 0 and deviation 1 over the samples to train on."""

    shift: NDArray[np.float64]
    divisor: NDArray[np.float64]

    def __call__(self, X: Numbers, first: int) -> FloatArray:
        """Features [n, features] that begin with row `first`.

        Raises:
            UnreadableFileError: they are then too large.
        """
        with np.errstate(over="ignore"):
            scaled = ((X - self.shift) / self.divisor).astype(np.float32)
        if not np.isfinite(scaled).all():
            row, column = np.argwhere(~np.isfinite(scaled))[0].tolist()
            message = f"sample {first + row}, feature {column} is too large for a 32-bit number once normalized"
            raise refused(message, "normalize_features")
        return scaled


def scale_of(rows: RowsFile, n_features: int, n_train: int) -> Scale:
    """What normalizes the features; one that is constant is only shifted."""
    low = np.full(n_features, np.inf)
    high = -low
    total = np.zeros(n_features)
    for piece in rows.pieces(0, n_train):
        X = piece[:, :n_features]
        np.minimum(low, X.min(axis=0), out=low)
        np.maximum(high, X.max(axis=0), out=high)
        total += X.sum(axis=0, dtype=np.float64)
    is_constant = low == high
    # A mean of equal numbers may be a hair beside them.
    mean = np.where(is_constant, low, total / n_train)
    squares = np.zeros(n_features)
    for piece in rows.pieces(0, n_train):
        squares += ((piece[:, :n_features] - mean) ** 2).sum(axis=0)
    deviation = np.sqrt(squares / n_train)
    return Scale(mean, np.where(is_constant | (deviation == 0), 1.0, deviation))


def write_artifact(file: BufferedRandom, samples: Samples, ends: list[int], *, normalize: bool) -> Facts:
    """Write the splits, which end at `ends` (train, test, validation), and all samples together.

    Raises:
        UnreadableFileError: it would be too large, or a feature is once it is normalized.
    """
    rows, target = samples.rows, samples.target
    n_train, n_before_val, n_split = ends
    n_features = rows.width - (target.width if target.classes is None else 1)
    shape = samples.sample_shape or (n_features,)
    if (size := (rows.n + n_split) * (n_features + target.width) * 4) > MAX_ARTIFACT_BYTES:
        raise refused(f"makes a dataset of {size} bytes; {MAX_ARTIFACT_BYTES} can be")
    scale = scale_of(rows, n_features, n_train) if normalize else None
    profiler = Profiler(n_features, MAX_COMPARED)

    def features(start: int, stop: int) -> Iterator[FloatArray]:
        first = start
        for piece in rows.pieces(start, stop):
            X = piece[:, :n_features]
            yield scale(X, first) if scale else X.astype(np.float32)
            first += len(piece)

    def profiled_features() -> Iterator[FloatArray]:
        parts: list[tuple[Part, int, int]] = [
            ("train", 0, n_train),
            ("held out", n_train, n_split),
            ("unused", n_split, rows.n),
        ]
        for part, start, stop in parts:
            for piece in features(start, stop):
                profiler.add(piece, part)
                yield piece

    full, train, test, val = (np.zeros(target.n_classes, np.int64) for _ in range(4))

    def targets(start: int, stop: int, counts: NDArray[np.int64]) -> Iterator[FloatArray]:
        for piece in rows.pieces(start, stop):
            for hot in _targets(piece[:, n_features:], target):
                if target.n_classes:
                    counts += np.count_nonzero(hot, axis=0)
                yield hot

    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for split, start, stop, counts in (("train", 0, n_train, train), ("test", n_train, n_before_val, test)):
            write_array(archive, f"X_{split}", (stop - start, *shape), features(start, stop))
            write_array(archive, f"y_{split}", (stop - start, target.width), targets(start, stop, counts))
        write_array(archive, "X_full", (rows.n, *shape), profiled_features())
        write_array(archive, "y_full", (rows.n, target.width), targets(0, rows.n, full))
        if n_split > n_before_val:
            write_array(archive, "X_val", (n_split - n_before_val, *shape), features(n_before_val, n_split))
            write_array(archive, "y_val", (n_split - n_before_val, target.width), targets(n_before_val, n_split, val))
        for name, texts in samples.texts.items():
            write_texts(archive, name, texts)
    size_bytes = file.tell()
    file.seek(0)
    return Facts(
        n_samples=rows.n,
        n_features=n_features,
        n_classes=target.n_classes,
        n_train=n_train,
        n_test=n_before_val - n_train,
        n_val=n_split - n_before_val,
        class_distribution=distribution(full),
        split_distributions={"train": distribution(train), "test": distribution(test), "val": distribution(val)},
        checksum=hashlib.file_digest(file, "sha256").hexdigest(),
        size_bytes=size_bytes,
        task_type="classification" if target.n_classes else "regression",
        feature_names=samples.feature_names,
        class_names=target.class_names,
        profile=profiler.profile(full.tolist(), samples.feature_names, samples.missing),
    )


def _targets(numbers: Numbers, target: Target) -> Iterator[FloatArray]:
    if target.classes is None:
        yield numbers.astype(np.float32)
        return
    # One-hot rows may be a thousand times as long as what they are made of.
    n = max(1, PIECE_BYTES // (4 * target.width))
    for first in range(0, len(numbers), n):
        classes = target.classes[numbers[first : first + n, 0].astype(np.int64)]
        hot = np.zeros((len(classes), target.width), np.float32)
        hot[np.arange(len(classes)), classes] = 1
        yield hot
