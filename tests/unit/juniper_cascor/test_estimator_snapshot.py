"""What `save` keeps, `load` brings back, and so does anybody else's file of a network."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import NotFittedError

from juniper_cascor import CascadeCorrelationClassifier, CascadeCorrelationRegressor, snapshots
from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.snapshots import SnapshotError

from .snapshot_data import CARD, SNAPSHOT

SMALL: dict[str, Any] = {"max_hidden_units": 3, "candidate_epochs": 40, "output_epochs": 40, "random_state": 3}
X, CODES = load_iris(return_X_y=True)
FRAME = pd.DataFrame(X, columns=["sl", "sw", "pl", "pw"])
NAMES = np.array(["setosa", "versicolor", "virginica"])[CODES]
VALUES_X, VALUES_Y = load_diabetes(return_X_y=True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where to save."""
    return tmp_path / "net.h5"


def fitted_attributes(estimator: Any) -> dict[str, Any]:
    """Everything that scikit-learn's naming says was learnt, but arrays in dictionaries and networks."""
    kept = {name: value for name, value in vars(estimator).items() if name.endswith("_")}
    kept["network_"] = kept["network_"].arrays()
    return kept


def test_a_classifier_comes_back_whole(path: Path) -> None:
    """Answers, labels, column names, curves, parameters and all."""
    fitted = CascadeCorrelationClassifier(preset="compact", validation_fraction=0.2, **SMALL).fit(FRAME, NAMES)
    fitted.save(path)
    loaded = CascadeCorrelationClassifier.load(path)
    np.testing.assert_equal(fitted_attributes(loaded), fitted_attributes(fitted))
    np.testing.assert_array_equal(loaded.predict_proba(FRAME), fitted.predict_proba(FRAME))
    np.testing.assert_array_equal(loaded.predict(FRAME), fitted.predict(FRAME))


def test_a_regressor_comes_back_whole(path: Path) -> None:
    """And answers in the shape that it learnt."""
    fitted = CascadeCorrelationRegressor(**SMALL).fit(VALUES_X, VALUES_Y)
    fitted.save(path)
    loaded = CascadeCorrelationRegressor.load(path)
    np.testing.assert_equal(fitted_attributes(loaded), fitted_attributes(fitted))
    np.testing.assert_array_equal(loaded.predict(VALUES_X), fitted.predict(VALUES_X))


def test_a_loaded_one_can_be_fitted_again_to_the_same(path: Path) -> None:
    """Its parameters are those that it was trained with, so a clone of it repeats the training."""
    weights = {"setosa": 1.0, "versicolor": 2.0, "virginica": 3.0}
    fitted = CascadeCorrelationClassifier(preset="quality", class_weight=weights, **SMALL).fit(X, NAMES)
    fitted.save(path)
    loaded = CascadeCorrelationClassifier.load(path)
    assert loaded.get_params()["class_weight"] == weights
    again = clone(loaded).fit(X, NAMES)
    np.testing.assert_array_equal(again.network_.output_weights, fitted.network_.output_weights)


@pytest.mark.parametrize(
    "given", [{"validation_fraction": 0.25}, {"validation_patience": 2, "validation_fraction": 0.3, "n_jobs": 1}, {}]
)
def test_parameters_come_back_as_given(given: dict[str, Any], path: Path) -> None:
    """What was held out is held out again, so a clone repeats the training."""
    fitted = CascadeCorrelationClassifier(preset="compact", **SMALL, **given).fit(X, NAMES)
    fitted.save(path)
    loaded = CascadeCorrelationClassifier.load(path)
    assert loaded.get_params() == fitted.get_params()
    again = clone(loaded).fit(X, NAMES)
    np.testing.assert_equal(again.network_.arrays(), fitted.network_.arrays())


def test_parameters_set_after_the_training_do_not_count(path: Path) -> None:
    """A file tells of the training that made its network."""
    fitted = CascadeCorrelationClassifier(**SMALL, validation_fraction=0.2).fit(X, NAMES)
    fitted.set_params(max_hidden_units=-1, preset=object()).save(path)
    again = clone(CascadeCorrelationClassifier.load(path)).fit(X, NAMES)
    np.testing.assert_equal(again.network_.arrays(), fitted.network_.arrays())


def test_what_no_preset_would_say_comes_back_too(path: Path) -> None:
    """A value that is None where the regression preset has a number."""
    parameters = Parameters(task="regression", validation_patience=None, max_hidden_units=1)
    card = CARD.model_copy(update={"task": "regression", "labels": None, "parameters": parameters.as_dict()})
    snapshots.write(path, replace(SNAPSHOT, card=card, network=replace(SNAPSHOT.network, task="regression")))
    again = clone(CascadeCorrelationRegressor.load(path)).fit(VALUES_X[:40], VALUES_Y[:40])
    assert again.parameters_ == parameters


@pytest.mark.parametrize("labels", [NAMES, CODES, CODES == 1, CODES * 0.5], ids=["str", "int", "bool", "float"])
def test_labels_keep_their_type(labels: Any, path: Path) -> None:
    """Strings, whole numbers, truths and fractions."""
    fitted = CascadeCorrelationClassifier(**SMALL)
    if labels.dtype.kind == "f":
        labels = labels.round().astype(float)
    fitted.fit(X, labels).save(path)
    predicted = CascadeCorrelationClassifier.load(path).predict(X)
    assert predicted.dtype.kind == labels.dtype.kind
    np.testing.assert_array_equal(predicted, fitted.predict(X))


@pytest.mark.parametrize("labels", [np.array([7, 2**63 + 5, 2**63 + 6], np.uint64), np.array([-3, 0, 3], np.int8)])
def test_whole_numbers_of_every_size_come_back(labels: Any, path: Path) -> None:
    """The largest are not rounded."""
    fitted = CascadeCorrelationClassifier(**SMALL).fit(X, labels[CODES])
    fitted.save(path)
    # As lists: numpy would compare them in double precision.
    assert CascadeCorrelationClassifier.load(path).predict(X).tolist() == fitted.predict(X).tolist()


@pytest.mark.parametrize(
    ("labels", "error", "problem"),
    [
        (np.array(["2020", "2021", "2022"], "M8[ns]"), TypeError, r"type datetime64\[ns\] cannot be kept"),
        (np.array(["2020", "2021", "2022"], "M8[D]"), TypeError, r"type datetime64\[D\] cannot be kept"),
        (np.array([1, 2, 3], "m8[s]"), TypeError, r"type timedelta64\[s\] cannot be kept"),
        (np.array([0, 1, 2], np.longdouble), TypeError, "type .*float.* cannot be kept"),
        (np.array(["a", "b\ud800", "c"]), ValueError, r"'b\\ud800' cannot be kept in a file: it is no Unicode text"),
        (
            np.array(["a", "a\0", "c"], object),
            ValueError,
            r"'a\\x00' cannot be kept in a file: it would come back as 'a'",
        ),
    ],
)
def test_labels_that_would_not_come_back_are_not_saved(
    labels: Any, error: type[Exception], problem: str, path: Path
) -> None:
    """The error says which, and there is no file."""
    fitted = CascadeCorrelationClassifier(**SMALL).fit(X, CODES)
    fitted.classes_ = labels  # as fit has them, of whatever type it takes
    with pytest.raises(error, match=problem):
        fitted.save(path)
    assert not path.exists()


def test_names_of_columns_that_are_no_text_are_not_saved(path: Path) -> None:
    """As labels."""
    # As objects: strings of pandas' own type are text already.
    columns = pd.Index(["\ud800", *FRAME.columns[1:]], dtype=object)
    fitted = CascadeCorrelationClassifier(**SMALL).fit(FRAME.set_axis(columns, axis="columns"), CODES)
    with pytest.raises(ValueError, match=r"'\\ud800' cannot be kept in a file"):
        fitted.save(path)
    assert not path.exists()


@pytest.mark.parametrize("y", [VALUES_Y, VALUES_Y[:, None], np.c_[VALUES_Y, -VALUES_Y]])
def test_values_are_predicted_in_the_shape_that_was_learnt(y: Any, path: Path) -> None:
    """A column stays a column."""
    CascadeCorrelationRegressor(**SMALL).fit(VALUES_X, y).save(path)
    assert CascadeCorrelationRegressor.load(path).predict(VALUES_X).shape == y.shape


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"labels": [1, 2**70]}, "labels cannot be read"),
        ({"labels": [-1, 2**63]}, "labels cannot be read"),
        ({"parameters": {"class_weights": [1, 2, 3]}}, "labels cannot be read"),
        ({"estimator": {"quantum": True}}, r"what this version does not know: .*quantum"),
        ({"estimator": {"random_state": 3}}, r"what this version does not know: .*random_state"),
    ],
)
def test_a_card_that_makes_no_estimator_is_refused(changes: dict[str, Any], problem: str, path: Path) -> None:
    """A good network beside it changes nothing."""
    card = CARD.model_copy(update={"parameters": {}, **changes})
    snapshots.write(path, replace(SNAPSHOT, card=card))
    with pytest.raises(SnapshotError, match=problem):
        CascadeCorrelationClassifier.load(path)


def test_a_file_of_the_training_service_can_be_loaded(path: Path) -> None:
    """It knows classes by number alone, and has an output for each of two."""
    parameters = Parameters(max_hidden_units=2).as_dict()
    card = CARD.model_copy(update={"labels": None, "feature_names": None, "parameters": parameters})
    snapshots.write(path, replace(SNAPSHOT, card=card))
    loaded = CascadeCorrelationClassifier.load(path)
    x = np.array([[0.5, 1.5], [2, 3], [-4, 1]])
    outputs = SNAPSHOT.network.outputs(x)
    assert loaded.classes_.tolist() == [0, 1]
    assert loaded.predict(x).tolist() == outputs.argmax(axis=1).tolist()
    assert ((loaded.decision_function(x) > 0) == (loaded.predict(x) == 1)).all()
    assert loaded.get_params()["max_hidden_units"] == 2


def test_the_other_estimator_s_file_is_refused(path: Path) -> None:
    """The error says which estimator it is for."""
    CascadeCorrelationRegressor(**SMALL).fit(VALUES_X, VALUES_Y).save(path)
    with pytest.raises(SnapshotError, match="network for regression, and CascadeCorrelationClassifier is for classi"):
        CascadeCorrelationClassifier.load(path)


def test_parameters_of_another_version_are_refused(path: Path) -> None:
    """What cannot be known is not guessed."""
    card = CARD.model_copy(update={"parameters": {"quantum": True}})
    snapshots.write(path, replace(SNAPSHOT, card=card))
    with pytest.raises(SnapshotError, match=r"what this version does not know: .*quantum"):
        CascadeCorrelationClassifier.load(path)


def test_nothing_to_save_before_fit(path: Path) -> None:
    """scikit-learn's error, and no file."""
    with pytest.raises(NotFittedError):
        CascadeCorrelationClassifier().save(path)
    assert not path.exists()
