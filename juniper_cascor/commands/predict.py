"""`predict`: ask a network that was kept about the patterns of a file."""

import argparse
import csv
import io
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from juniper_cascor.commands import files
from juniper_cascor.commands.errors import CommandError, Exit, bad_data

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from juniper_cascor.snapshots import Snapshot


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What it can be told."""
    parser.add_argument("network", type=Path, metavar="NET.h5", help="what train, save or the training service wrote")
    parser.add_argument("data", type=Path, metavar="DATA", help="a CSV with a header, or an NPZ")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="OUT.csv",
        help="where the answers go (default: standard output), a row for each pattern",
    )
    parser.add_argument("--array", metavar="NAME", help="of an NPZ (default: X, or else X_test)")
    parser.add_argument("--force", action="store_true", help="replace a file that is there")


def run(options: argparse.Namespace) -> int:
    """Write the classes with their probabilities, or the values. Raises CommandError."""
    files.check_different({"--out": options.out, "DATA": options.data, "NET.h5": options.network})
    if options.out is not None:
        files.check_writable(options.out, force=options.force)
    snapshot = read_network(options.network)
    X = _inputs(options, snapshot)
    text = _table(options, snapshot, X)
    if options.out is None:
        sys.stdout.write(text)
    else:
        files.write_bytes(options.out, text.encode())
    return Exit.OK


def read_network(path: Path) -> "Snapshot":
    """A file's network and what belongs to it. Raises CommandError."""
    from juniper_cascor import snapshots
    from juniper_cascor.snapshots import SnapshotError

    content = files.read_bytes(path)
    try:
        return snapshots.parsed(content, path.name)
    except SnapshotError as error:
        step = "python -m juniper_cascor train DATA --out NET.h5 makes one"
        raise CommandError(str(error), next_step=step, code=Exit.BAD_DATA) from error


def _inputs(options: argparse.Namespace, snapshot: "Snapshot") -> "NDArray[Any]":
    """The patterns, in the order of the network's inputs."""
    names, n_inputs = snapshot.card.feature_names, snapshot.network.n_inputs
    if options.data.suffix.lower() == ".npz":
        X, called = _npz_inputs(options)
    else:
        from juniper_cascor.commands.csv_table import CsvTable

        table = CsvTable.read(options.data)
        if names is None:
            X, called = table.numbers(table.columns), "it"
        else:
            if missing := [name for name in names if name not in table.columns]:
                raise bad_data(
                    options.data, f"there is no column {missing[0]!r}", f"give it the columns {', '.join(names)}"
                )
            # By name, in whatever order they stand there; others, as the target, are not looked at.
            X, called = table.numbers(names), "it"
    if X.ndim != 2 or X.shape[1] != n_inputs:
        shape = f"[patterns, {n_inputs}]"
        raise bad_data(options.data, f"{called} is {list(X.shape)}, and the network wants {shape}", "give it as many")
    return X


def _npz_inputs(options: argparse.Namespace) -> "tuple[NDArray[Any], str]":
    from juniper_cascor.commands import npz_file

    arrays = npz_file.arrays(options.data)
    for name in [options.array] if options.array else ["X", "X_test"]:
        if name in arrays:
            return npz_file.inputs(options.data, arrays[name], name), name
    wanted = options.array or "X or X_test"
    raise bad_data(options.data, f"there is no array {wanted}", f"take one with --array of {', '.join(arrays)}")


def _table(options: argparse.Namespace, snapshot: "Snapshot", X: "NDArray[Any]") -> str:
    from juniper_cascor.engine.errors import DataError
    from juniper_cascor.estimator import CascadeCorrelationClassifier, CascadeCorrelationRegressor
    from juniper_cascor.estimator_snapshot import estimator_of

    # The columns are in order, and have no names any more.
    plain = replace(snapshot, card=snapshot.card.model_copy(update={"feature_names": None}))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    try:
        if snapshot.card.task == "classification":
            classifier = estimator_of(CascadeCorrelationClassifier, plain)
            writer.writerow(["class", *(f"probability of {label}" for label in classifier.classes_)])
            for label, shares in zip(classifier.predict(X), classifier.predict_proba(X), strict=True):
                writer.writerow([label, *(f"{share:.6g}" for share in shares)])
        else:
            values = estimator_of(CascadeCorrelationRegressor, plain).predict(X).reshape(len(X), -1)
            writer.writerow(["value"] if values.shape[1] == 1 else [f"value {i + 1}" for i in range(values.shape[1])])
            writer.writerows([f"{value:.9g}" for value in row] for row in values)
    except DataError as error:
        raise bad_data(options.data, str(error), "correct that value") from error
    return text.getvalue()
