"""What cannot be trained on is refused with its row and column, and what is merely odd works."""

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from juniper_cascor import CascadeCorrelationClassifier, CascadeCorrelationRegressor
from juniper_cascor.engine.errors import DataError

SMALL: dict[str, Any] = {"max_hidden_units": 2, "candidate_epochs": 20, "output_epochs": 20, "random_state": 0}
RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 3))
LABELS = np.where(np.abs(X).sum(axis=1) > 2, "far", "near")
VALUES = X[:, 0] * 2 + X[:, 1]


def classifier() -> CascadeCorrelationClassifier:
    """A fresh one."""
    return CascadeCorrelationClassifier(**SMALL)


def regressor() -> CascadeCorrelationRegressor:
    """A fresh one."""
    return CascadeCorrelationRegressor(**SMALL)


def with_value(array: Any, place: tuple[Any, ...], value: object) -> Any:
    """A copy with one value replaced."""
    changed = array.copy()
    changed[place] = value
    return changed


REFUSED: dict[str, tuple[Any, Any, Any, str]] = {
    "NaN": (classifier(), with_value(X, (4, 1), np.nan), LABELS, "X row 4, column 1: NaN is not a finite number"),
    "infinity": (
        classifier(),
        with_value(X, (0, 2), -np.inf),
        LABELS,
        "X row 0, column 2: -inf is not a finite number",
    ),
    "too large": (
        regressor(),
        with_value(X, (4, 1), 1e39),
        VALUES,
        "X row 4, column 1: 1e+39 is beyond single precision",
    ),
    "NaN among single precision": (
        classifier(),
        with_value(X.astype(np.float32), (29, 0), np.nan),
        LABELS,
        "X row 29, column 0: NaN is not a finite number",
    ),
    "dates": (classifier(), X.astype("M8[D]"), LABELS, "X: datetime64[D] is not a number"),
    "dates in lists": (classifier(), [list(row) for row in X.astype("M8[D]")], LABELS, "X: datetime64[D] is not a"),
    "spans of time": (regressor(), X.astype("m8[s]"), VALUES, "X: timedelta64[s] is not a number"),
    "dates in a data frame": (
        classifier(),
        pd.DataFrame({"a": X[:, 0], "when": X[:, 1].astype("M8[s]")}),
        LABELS,
        "X: datetime64[s] in 'when' is not a number",
    ),
    "dates with a zone in a data frame": (
        classifier(),
        pd.DataFrame({"when": pd.to_datetime(X[:, 1].astype("M8[s]")).tz_localize("UTC")}),
        LABELS,
        "X: datetime64[s, UTC] in 'when' is not a number",
    ),
    "a word among numbers": (
        classifier(),
        with_value(X.astype(object), (3, 2), "three"),
        LABELS,
        "X row 3, column 2: 'three' is not a number",
    ),
    "NaN in a data frame": (
        regressor(),
        pd.DataFrame(with_value(X, (4, 1), np.nan), columns=["a", "b", "c"]),
        VALUES,
        "X row 4, column 1: NaN in 'b' is not a finite number",
    ),
    "a missing label": (classifier(), X, with_value(LABELS.astype(object), (5,), None), "y row 5: None is no label"),
    "NaN for a label": (
        classifier(),
        X,
        with_value((VALUES > 0) * 1.0, (6,), np.nan),
        "y row 6: NaN is not a finite number",
    ),
    "NaN among objects": (classifier(), X, with_value(LABELS.astype(object), (5,), np.nan), "y row 5: nan is no label"),
    "labels of two types": (
        classifier(),
        X,
        with_value(LABELS.astype(object), (7,), 3),
        "y row 7: 3 is int, the labels before it are str",
    ),
    "one class": (classifier(), X, np.full(30, "near"), "y: holds one class only: 'near' in all 30 rows"),
    "NaN for a value": (regressor(), X, with_value(VALUES, (8,), np.nan), "y row 8: NaN is not a finite number"),
    "infinity in the second of two outputs": (
        regressor(),
        X,
        with_value(np.column_stack([VALUES, VALUES]), (9, 1), np.inf),
        "y row 9, column 1: inf is not a finite number",
    ),
    "a word for a value": (
        regressor(),
        X,
        with_value(VALUES.astype(object), (2,), "two"),
        "y row 2: 'two' is not a number",
    ),
    "no rows": (classifier(), X[:0], LABELS[:0], "0 sample(s)"),
    "no columns": (classifier(), X[:, :0], LABELS, "0 feature(s)"),
    "too few labels": (classifier(), X, LABELS[:29], "inconsistent numbers of samples: [30, 29]"),
    "values for a classifier": (classifier(), X, VALUES, "Unknown label type: continuous"),
}


@pytest.mark.parametrize(("estimator", "x", "y", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_with_its_place(estimator: Any, x: Any, y: Any, message: str) -> None:
    """The error is a ValueError that says where to look."""
    with pytest.raises(ValueError, match=re.escape(message)):
        estimator.fit(x, y)


def test_place_is_told_for_programs_too() -> None:
    """The engine's error has row and column as numbers."""
    with pytest.raises(DataError) as caught:
        classifier().fit(with_value(X, (4, 1), np.nan), LABELS)
    assert (caught.value.array, caught.value.row, caught.value.column) == ("X", 4, 1)


def test_rows_are_counted_before_any_are_held_out() -> None:
    """The row that is named is the caller's."""
    estimator = CascadeCorrelationClassifier(validation_fraction=0.5, **SMALL)
    with pytest.raises(DataError, match="X row 28, column 1"):
        estimator.fit(with_value(X, (28, 1), np.nan), LABELS)


def test_what_is_predicted_from_is_checked_too() -> None:
    """Not only what is trained on."""
    fitted = classifier().fit(X, LABELS)
    with pytest.raises(DataError, match="X row 1, column 0: NaN is not a finite number"):
        fitted.predict(with_value(X, (1, 0), np.nan))


WORKS: dict[str, tuple[Any, Any, Any]] = {
    "a constant feature": (classifier(), with_value(X, (slice(None), 1), 7.25), LABELS),
    "a constant feature for values": (regressor(), with_value(X, (slice(None), 1), 7.25), VALUES),
    "only constant features": (classifier(), np.ones((30, 2)), LABELS),
    "a constant value": (regressor(), X, np.full(30, 3.5)),
    "more outputs than patterns": (classifier(), X[:6], np.arange(6)),
    "more values than patterns": (regressor(), X[:4], RNG.normal(size=(4, 9))),
    "one row of values": (regressor(), X[:1], VALUES[:1]),
    "double precision": (classifier(), X.astype(np.float64), LABELS),
    "half precision": (classifier(), X.astype(np.float16), LABELS),
    "whole numbers": (classifier(), (X * 10).astype(np.int16), LABELS),
    "booleans": (classifier(), X > 0, LABELS),
    "columns first": (classifier(), np.asfortranarray(X), LABELS),
    "every second row and column": (classifier(), np.repeat(np.repeat(X, 2, 0), 2, 1)[::2, ::2], LABELS),
    "backwards": (regressor(), X[::-1, ::-1], VALUES[::-1]),
    "read-only": (classifier(), np.frombuffer(X.tobytes()).reshape(X.shape), LABELS),
    "lists": (classifier(), X.tolist(), LABELS.tolist()),
    "numbers as objects": (classifier(), X.astype(object), LABELS),
    "values as objects": (regressor(), X, VALUES.astype(object)),
    "strings as labels": (classifier(), X, LABELS),
}


@pytest.mark.parametrize(("estimator", "x", "y"), WORKS.values(), ids=WORKS.keys())
def test_works(estimator: Any, x: Any, y: Any) -> None:
    """It trains, and answers with finite numbers or with the labels that there are."""
    predicted = estimator.fit(x, y).predict(x)
    assert predicted.shape == np.shape(y)
    assert (
        set(predicted) <= set(y)
        if isinstance(estimator, CascadeCorrelationClassifier)
        else np.isfinite(predicted).all()
    )


LAYOUTS: dict[str, Any] = {
    "columns first": np.asfortranarray,
    "strided": lambda x: np.repeat(x, 2, 1)[:, ::2],
    "single precision": lambda x: x.astype(np.float32),
    "lists": list,
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_layout_and_precision_change_nothing(layout: Any) -> None:
    """The same numbers grow the same network, however they lie in memory."""
    plain = X.astype(np.float32).astype(np.float64)
    expected, found = (regressor().fit(x, VALUES).network_ for x in (plain, layout(plain)))
    np.testing.assert_array_equal(found.output_weights, expected.output_weights)
