"""`train`: grow a network on a file, keep it in another."""

import argparse
import logging
import os
import signal
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from juniper_cascor.commands import files, settings_given
from juniper_cascor.commands.errors import CommandError, Exit, first_line
from juniper_cascor.engine.parameters import Preset, parameter_fields
from juniper_cascor.settings import CascorSettings

if TYPE_CHECKING:
    from juniper_cascor.commands.learning_data import LearningData
    from juniper_cascor.estimator_base import CascadeCorrelation

_PRESETS: tuple[Preset, ...] = ("default", "quality", "compact", "regression")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What it can be told."""
    known = {name: settings_given.bounds(field) for name, field in parameter_fields().items() if name != "task"}
    fields = "\n".join(f"  {name}: {bounds}" for name, bounds in known.items())
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = f"parameters for --set, and their bounds:\n{fields}"
    parser.add_argument(
        "data", type=Path, metavar="DATA", help="a CSV with a header, or an NPZ with X_train and y_train or X and y"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="NET.h5", help="where the network is kept")
    parser.add_argument("--target", type=_names, default=(), metavar="NAME[,NAME]", help="of a CSV (default: the last)")
    parser.add_argument("--ignore", type=_names, default=(), metavar="NAME[,NAME]", help="columns to leave out")
    parser.add_argument(
        "--task",
        choices=("classification", "regression"),
        help="default: classification for words and for few whole numbers, else regression; it is said",
    )
    parser.add_argument("--preset", choices=_PRESETS, help="default: default, or regression for that task")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a parameter of the engine")
    parser.add_argument("--seed", type=_seed, default=0, help="with the data it fixes the result (default: 0)")
    parser.add_argument(
        "--validation", type=float, metavar="FRACTION", help="hold out this share, and keep what is best on it"
    )
    parser.add_argument("--threads", type=_threads, metavar="N", help="default: one for each processor")
    parser.add_argument("--plot", type=Path, metavar="CURVE.png", help="draw the learning curves")
    parser.add_argument("--force", action="store_true", help="replace files that are there")
    parser.add_argument("--quiet", action="store_true", help="say nothing but errors")


def run(options: argparse.Namespace) -> int:
    """Train. Ctrl-C ends it early, and what was grown is kept. Raises CommandError."""
    files.check_different({"--plot": options.plot, "--out": options.out, "DATA": options.data})
    for path in (options.out, options.plot):
        if path is not None:
            files.check_writable(path, force=options.force)
    if options.plot is not None and options.plot.suffix.lower() != ".png":
        png = options.plot.with_suffix(".png")
        raise CommandError(f"{options.plot} is not called .png", next_step=f"--plot {png}", code=Exit.USAGE)
    given = settings_given.parse(options.set)
    # Only now: what was asked for makes sense so far, and these take their time to load.
    from juniper_cascor.commands import learning_data, summary

    data = learning_data.read(options.data, options.target, options.ignore, options.task)
    checksum = learning_data.checksum(options.data)  # now: who knows what the file is after a long training
    if options.validation is not None and data.validation is not None:
        raise CommandError(
            f"{options.data} holds X_val, which is held against", next_step="leave out --validation", code=Exit.USAGE
        )
    if not options.quiet:
        print(summary.of_data(data, is_guessed=options.task is None))
    estimator = _estimator(options, data, given)
    began = time.perf_counter()
    with _compiling_shown(is_quiet=options.quiet):
        _fit(options.data, estimator, data)
    seconds = time.perf_counter() - began
    # What took so long to grow is written, whatever key is pressed now.
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        _write(options, estimator, data, checksum)
    finally:
        signal.signal(signal.SIGINT, handler)
    if not options.quiet:
        print(summary.of_training(estimator, data, seconds))
        print(f"{options.out} written; next: python -m juniper_cascor predict {options.out} DATA")
    return Exit.INTERRUPTED if estimator.outcome_ == "interrupted" else Exit.OK


def _estimator(options: argparse.Namespace, data: "LearningData", given: dict[str, Any]) -> "CascadeCorrelation":
    import numpy as np

    from juniper_cascor.estimator import CascadeCorrelationClassifier, CascadeCorrelationRegressor

    own = {
        "preset": options.preset or ("default" if data.task == "classification" else "regression"),
        "validation_fraction": options.validation,
        "random_state": options.seed,
        "n_jobs": options.threads,
        "verbose": int(not options.quiet and sys.stderr.isatty()),
    }
    weights = given.pop("class_weights", None)
    if data.task == "regression":
        if weights is not None:
            raise CommandError("values have no class weights", next_step="leave them out", code=Exit.USAGE)
        return CascadeCorrelationRegressor(**own, **given)
    if isinstance(weights, tuple):
        classes = np.unique(data.train[1]).tolist()
        if len(classes) != len(weights):
            known = f"{len(classes)} classes, but {len(weights)} weights"
            step = f"give them for {', '.join(map(str, classes))}"
            raise CommandError(f"there are {known}", next_step=step, code=Exit.USAGE)
        weights = dict(zip(classes, weights, strict=True))
    return CascadeCorrelationClassifier(**own, **given, class_weight=weights)


def _fit(path: Path, estimator: Any, data: "LearningData") -> None:
    from sklearn.exceptions import ConvergenceWarning

    from juniper_cascor.engine.errors import DataError, ParameterError

    X_val, y_val = data.validation or (None, None)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the summary says that it was interrupted
            estimator.fit(*data.train, X_val=X_val, y_val=y_val)
    except ParameterError as error:
        step = "train --help names the bounds of each parameter"
        raise CommandError(str(error), next_step=step, code=Exit.USAGE) from error
    except DataError as error:
        called = data.names.get(error.array, error.array)
        problem = called + str(error).removeprefix(error.array)
        raise CommandError(f"{path}: {problem}", next_step="correct the data", code=Exit.BAD_DATA) from error
    except ValueError as error:  # scikit-learn's
        step = "correct the data, or name another --target or --task"
        raise CommandError(f"{path}: {first_line(error)}", next_step=step, code=Exit.BAD_DATA) from error


def _write(options: argparse.Namespace, estimator: Any, data: "LearningData", checksum: str) -> None:
    from juniper_cascor import snapshots
    from juniper_cascor.commands import learning_plot, summary
    from juniper_cascor.curves import Curves
    from juniper_cascor.estimator_snapshot import snapshot_of

    snapshot = snapshot_of(estimator)
    more = {"dataset_checksum": checksum, "feature_names": data.feature_names}
    card = snapshot.card.model_copy(update=more)
    try:
        snapshots.write(options.out, replace(snapshot, card=card))
    except OSError as error:
        raise files.cannot_write(options.out, error) from error
    if options.plot is not None:
        title = f"{options.data.name}: {summary.outcome(estimator.outcome_)}, {summary.of_units(card.hidden_units)}"
        files.write_bytes(options.plot, learning_plot.png(Curves.of(snapshot.metrics), title))


@contextmanager
def _compiling_shown(*, is_quiet: bool) -> Iterator[None]:
    """Find compiled loops where the service has them, and show what the engine says when it must compile them."""
    os.environ.setdefault("NUMBA_CACHE_DIR", str(CascorSettings.load().cache_dir / "numba"))
    log = logging.getLogger("juniper_cascor.engine")
    handler = logging.StreamHandler(sys.stderr)
    before = log.level
    log.setLevel(logging.WARNING if is_quiet else logging.INFO)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before)


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**63:
        raise argparse.ArgumentTypeError(f"must be a whole number from 0 to 2^63 - 1, not {text!r}")
    return int(text)


def _threads(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number, 1 or more, not {text!r}")
    return int(text)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
