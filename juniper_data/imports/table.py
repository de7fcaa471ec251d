"""A table's columns become features and a target, its rows samples."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from juniper_common.wire.errors import FieldProblem
from juniper_data.errors import UnreadableFileError
from juniper_data.imports.labels import MAX_CLASSES, ClassCodes, Target, label_text, number
from juniper_data.imports.parameters import ImportParameters
from juniper_data.imports.refusals import listed, refused, shown
from juniper_data.imports.rows_file import Numbers, RowsFile, Scratch

MAX_COLUMNS = 20_000
"""Each has figures of its own in the meta, which is in memory as a whole."""
MAX_NAME = 200

_HUGE = 1e300
_SURELY_FITS = 3e38


@dataclass(frozen=True, slots=True)
class Samples:
    """What a file holds.

    Args:
        rows: the features of each sample, then its target: the numbers of y, or one code (see Target).
        missing: empty cells per feature, of rows that were dropped; None: no cell can be empty.
        split_sizes: samples to train, test and validate on, where the file says so itself; in this order in `rows`.
        sample_shape: of a sample's features, where they are no row of numbers.
        texts: further arrays of the artifact, a text for each sample.
    """

    rows: RowsFile
    target: Target
    feature_names: tuple[str, ...] | None = None
    missing: list[int] | None = None
    split_sizes: tuple[int, int, int] | None = None
    sample_shape: tuple[int, ...] | None = None
    texts: Mapping[str, NDArray[np.str_]] = field(default_factory=dict)


class Table:
    """Gathers the rows of a file whose columns have names.

    Args:
        names: of all columns, in the file's order.
        parameters: which of them to take, and how.
        scratch: takes the rows.

    Raises:
        UnreadableFileError: a column that is asked for is not there, or stands twice.
    """

    def __init__(self, names: Sequence[str], parameters: ImportParameters, scratch: Scratch) -> None:
        self.features = _features(names, parameters)
        self.label = parameters.label_column
        self.is_classification = parameters.one_hot_labels
        self.takes_empty = parameters.missing_values == "drop"
        self.n_seen = 0
        self.codes = ClassCodes()
        self._is_used = np.zeros(MAX_CLASSES, bool)  # by code
        dtype = np.float64 if parameters.normalize_features else np.float32
        self.rows = RowsFile(scratch, len(self.features) + 1, dtype)
        self._missing = np.zeros(len(self.features), np.int64)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns to read, in the order of the rows: the features, then the label."""
        return (*self.features, self.label)

    def empty_rows(self, n: int) -> Numbers:
        """Room for rows [n, features + 1]."""
        return np.empty((n, self.rows.width), self.rows.dtype)

    def add(self, rows: Numbers) -> None:
        """Take rows whose cells are all numbers but for the empty ones, which are NaN."""
        empty = np.isnan(rows)
        if empty.any():
            self._missing += empty[:, :-1].sum(axis=0)
            rows = rows[~empty.any(axis=1)]
        if self.is_classification:
            self._is_used[rows[:, -1].astype(np.intp)] = True
        self.rows.append(rows)
        self.n_seen += len(empty)

    def number(self, value: object, name: str, place: str) -> float:
        """A cell as a number, NaN where it is empty and may be.

        Raises:
            UnreadableFileError: names the cell.
        """
        match value:
            case None:
                return self._empty(name, place)
            case bool() | int() | float():
                # Between bounds: a whole number may be larger than any float.
                result: float | None = float(min(max(value, -_HUGE), _HUGE)) if value == value else None
            case str():
                result = number(value)
            case _:
                result = None
        if result is None:
            raise refused(f"{place}, column {shown(name)}: {shown(value)} is no number")
        if not abs(result) < _SURELY_FITS and not _fits(result):
            raise refused(f"{place}, column {shown(name)}: {shown(value)} is too large for a 32-bit number")
        return result

    def target(self, value: object, place: str) -> float:
        """The label's code, or the number to predict; NaN where it is empty and may be.

        Raises:
            UnreadableFileError: names the cell.
        """
        if not self.is_classification:
            return self.number(value, self.label, place)
        if value is None:
            return self._empty(self.label, place)
        text = label_text(value)
        if text is None:
            raise refused(f"{place}, column {shown(self.label)}: {shown(value)} is no label")
        return self.codes.code(text)

    def samples(self) -> Samples:
        """All of them.

        Raises:
            UnreadableFileError: there is none.
        """
        if self.rows.n == 0:
            what = "has no rows" if self.n_seen == 0 else "has an empty cell in each of its rows"
            raise refused(what)
        target = self.codes.target(self._is_used) if self.is_classification else Target(0, 1)
        return Samples(self.rows, target, self.features, self._missing.tolist())

    def _empty(self, name: str, place: str) -> float:
        if not self.takes_empty:
            message = f"{place}, column {shown(name)}: the cell is empty; missing_values='drop' drops such rows"
            raise refused(message)
        return np.nan


def _fits(value: float) -> bool:
    """Not compared with float32's largest number: what is rounded down to that fits too."""
    with np.errstate(over="ignore"):
        return bool(np.isfinite(np.float32(value)))


def _features(names: Sequence[str], parameters: ImportParameters) -> tuple[str, ...]:
    if len(names) > MAX_COLUMNS:
        raise refused(f"has more than {MAX_COLUMNS} columns")
    known = set(names)
    if len(known) < len(names):
        raise refused(
            f"has two columns of the same name: {listed(name for name, n in Counter(names).items() if n > 1)}"
        )
    label = parameters.label_column
    if label not in known:
        raise refused(f"there is no column {shown(label)}; there are: {listed(names)}", "label_column")
    if parameters.feature_columns is not None:
        _check_choice(parameters.feature_columns, known, names, label)
        return parameters.feature_columns
    features = tuple(name for name in names if name != label)
    if not features:
        raise refused(f"has no column but {shown(label)}")
    for name in features:
        if not 0 < len(name) <= MAX_NAME:
            message = f"column {names.index(name) + 1} has no name of 1 to {MAX_NAME} characters: {shown(name)}"
            raise refused(f"{message}; choose feature_columns")
    return features


def _check_choice(chosen: Sequence[str], known: set[str], names: Sequence[str], label: str) -> None:
    problems = []
    seen: set[str] = set()
    for index, name in enumerate(chosen):
        if name not in known:
            message = f"there is no column {shown(name)}; there are: {listed(names)}"
        elif name == label:
            message = f"{shown(name)} is the label; it cannot be a feature too"
        elif name in seen:
            message = f"{shown(name)} is chosen twice"
        else:
            seen.add(name)
            continue
        problems.append(FieldProblem(loc=["params", "feature_columns", index], msg=message))
    if problems:
        raise UnreadableFileError(tuple(problems))
    if not chosen:
        raise refused("must name at least one column", "feature_columns")
