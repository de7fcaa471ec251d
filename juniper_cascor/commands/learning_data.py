"""What `train` learns from: patterns, targets and the task, out of a CSV or an NPZ file."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from juniper_cascor import input_checks
from juniper_cascor.commands import csv_table, files, npz_file
from juniper_cascor.commands.csv_table import CsvTable
from juniper_cascor.commands.errors import CommandError, Exit, bad_data
from juniper_cascor.engine.errors import DataError
from juniper_cascor.engine.parameters import Task

MOST_CLASSES = 20
"""Of whole numbers as targets, more different ones than this are taken for values."""

Pair = tuple[NDArray[Any], NDArray[Any]]  # inputs [n, features], and labels [n] or values [n] or [n, outputs]


@dataclass(frozen=True)
class LearningData:
    """Patterns to train on, and those to hold against or to test with where the file has them."""

    task: Task
    train: Pair
    validation: Pair | None = None
    test: Pair | None = None
    feature_names: Sequence[str] | None = None
    names: dict[str, str] = field(default_factory=dict)  # what the file calls X, y, X_val, y_val


def read(path: Path, targets: Sequence[str], ignored: Sequence[str], task: Task | None) -> LearningData:
    """The data of a file; by its ending it is CSV or NPZ.

    Args:
        path: of the file.
        targets: columns of a CSV to learn; none: the last one that is not left out.
        ignored: columns of a CSV to leave out.
        task: or None, to guess it: see `guessed_task`.

    Raises:
        CommandError: naming the line and column, or the array, row and column.
    """
    if path.suffix.lower() == ".npz":
        if targets or ignored:
            raise CommandError(
                "the arrays of an NPZ have no column names", next_step="leave out --target, --ignore", code=Exit.USAGE
            )
        return _of_npz(path, task)
    return _of_csv(path, targets, ignored, task)


def checksum(path: Path) -> str:
    """The file's sha256."""
    return hashlib.sha256(files.read_bytes(path)).hexdigest()


def guessed_task(targets: NDArray[Any]) -> Task:
    """Classification for one column of words, or of at most MOST_CLASSES different whole numbers; else regression."""
    if targets.ndim > 1:
        return "regression"
    if targets.dtype.kind == "U":
        return "classification"
    if not np.array_equal(targets, np.round(targets)):
        return "regression"
    return "classification" if len(np.unique(targets)) <= MOST_CLASSES else "regression"


def _of_csv(path: Path, targets: Sequence[str], ignored: Sequence[str], task: Task | None) -> LearningData:
    table = CsvTable.read(path)
    table.check_columns([*targets, *ignored])
    if both := [name for name in targets if name in ignored]:
        raise CommandError(
            f"column {both[0]!r} cannot be learnt and left out", next_step="name it once", code=Exit.USAGE
        )
    kept = [name for name in table.columns if name not in ignored]
    targets = targets or kept[-1:]
    features = [name for name in kept if name not in targets]
    if not features:
        raise CommandError(f"{path}: no column is left to learn from", next_step="ignore fewer", code=Exit.USAGE)
    X = table.numbers(features, advice="correct that cell, or leave the column out with --ignore {name}")
    several = len(targets) > 1
    if task == "classification" and several:
        raise CommandError("classes are one column", next_step="name one --target", code=Exit.USAGE)
    words = None if several or task == "regression" else table.words(targets[0])
    chosen = task or (guessed_task(csv_table.as_values(words)) if words else "regression")
    y = csv_table.as_labels(words) if words and chosen == "classification" else table.numbers(targets)
    y = y[:, 0] if y.ndim > 1 and not several else y
    called = f"column{'s' if several else ''} {', '.join(map(repr, targets))}"
    return LearningData(chosen, (X, y), feature_names=features, names={"y": called})


def _of_npz(path: Path, task: Task | None) -> LearningData:
    arrays = npz_file.arrays(path)
    train = "_train" if "X_train" in arrays else ""
    suffixes = {"train": train, "val": "_val", "test": "_test"}
    present = [part for part, x in suffixes.items() if part == "train" or np.size(arrays.get(f"X{x}", ()))]
    pairs = {part: _pair(path, arrays, suffixes[part]) for part in present}
    classes = _as_text_where_large({part: _classes(y) for part, (_, y) in pairs.items()})
    chosen = task or guessed_task(pairs["train"][1] if classes["train"].dtype.kind == "U" else classes["train"])
    if chosen == "classification":
        pairs = {part: (X, classes[part]) for part, (X, _) in pairs.items()}
    else:
        pairs = {part: (X, npz_file.values(path, y, f"y{suffixes[part]}")) for part, (X, y) in pairs.items()}
    for part in present[1:]:
        _check_like(path, pairs["train"], pairs[part], (train, suffixes[part]))
        if chosen == "classification":
            _check_known(path, pairs["train"][1], pairs[part][1], f"y{suffixes[part]}")
    names = {"X": f"X{train}", "y": f"y{train}", "X_val": "X_val", "y_val": "y_val"}
    return LearningData(chosen, pairs["train"], pairs.get("val"), pairs.get("test"), names=names)


def _pair(path: Path, arrays: dict[str, NDArray[Any]], suffix: str) -> Pair:
    for name in (f"X{suffix}", f"y{suffix}"):
        if name not in arrays:
            raise bad_data(
                path, f"there is no array {name}", f"it has {', '.join(arrays) or 'none'}; save that one too"
            )
    X = npz_file.inputs(path, arrays[f"X{suffix}"], f"X{suffix}")
    return X, npz_file.targets(path, arrays[f"y{suffix}"], f"y{suffix}", len(X))


def _check_like(path: Path, train: Pair, other: Pair, suffixes: tuple[str, str]) -> None:
    """Refuse patterns of other columns than those trained on, now and not after the training."""
    for letter, of_train, of_other in zip("Xy", train, other, strict=True):
        learnt, given = (f"{letter}{suffix}" for suffix in suffixes)
        if of_other.shape[1:] != of_train.shape[1:]:
            problem = f"{given} is {list(of_other.shape)}, and {learnt} {list(of_train.shape)}"
            raise bad_data(path, problem, "give it the same columns")


def _check_known(path: Path, train: NDArray[Any], labels: NDArray[Any], name: str) -> None:
    if (labels.dtype.kind == "U") != (train.dtype.kind == "U"):
        problem = f"{name} is of {labels.dtype}, and the labels trained on of {train.dtype}"
        raise bad_data(path, problem, "write both the same way")
    try:
        input_checks.codes_of(labels, np.unique(train), name)
    except DataError as error:
        raise bad_data(path, str(error), "leave its pattern out, or train on such, too") from error


def _classes(y: NDArray[Any]) -> NDArray[Any]:
    """One-hot rows, as the data service writes them, as the number of the class; else y as it is."""
    is_number = y.dtype.kind != "U"
    is_one_hot = is_number and y.ndim == 2 and bool(np.isin(y, (0, 1)).all()) and bool((y.sum(axis=1) == 1).all())
    labels = y.argmax(axis=1) if is_one_hot else y
    is_whole = labels.dtype.kind == "f" and np.array_equal(labels, np.round(labels)) and np.all(np.abs(labels) < 2**63)
    return labels.astype(np.int64) if is_whole else labels


def _as_text_where_large(labels: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """As they are, or all as text where one is a whole number beyond int64: a network's file holds no such."""
    is_large = any(y.dtype.kind == "u" and y.max(initial=0) >= 2**63 for y in labels.values())
    return {part: y.astype(str) for part, y in labels.items()} if is_large else labels
