"""The estimators are scikit-learn's in every way that it checks, and the engine's in what they compute."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_iris, make_moons
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import parametrize_with_checks

from juniper_cascor import CascadeCorrelationClassifier, CascadeCorrelationRegressor
from juniper_cascor.engine import backends
from juniper_cascor.engine.cuda import device
from juniper_cascor.engine.errors import DataError, DeviceError, ParameterError
from juniper_cascor.engine.parameters import Parameters, parameter_fields
from juniper_cascor.engine.training import Training

from .engine.cuda.shim_device import ShimDevice
from .engine.data import grown

KINDS = [CascadeCorrelationClassifier, CascadeCorrelationRegressor]
SMALL: dict[str, Any] = {"max_hidden_units": 4, "candidate_epochs": 40, "output_epochs": 40}
X, Y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]
VALUES_X, VALUES_Y = load_diabetes(return_X_y=True)


@parametrize_with_checks(  # type: ignore[untyped-decorator]
    [CascadeCorrelationClassifier(), CascadeCorrelationRegressor()]
)
def test_scikit_learn_s_own_checks(estimator: Any, check: Callable[[Any], None]) -> None:
    """None is expected to fail."""
    check(estimator)


@pytest.mark.parametrize("kind", KINDS)
def test_every_engine_parameter_is_a_keyword(kind: type[Any]) -> None:
    """Under the engine's name, None by default: a preset's value. Class weights have scikit-learn's name."""
    own = {"preset", "validation_fraction", "random_state", "n_jobs", "verbose"}
    defaults = {name: item.default for name, item in inspect.signature(kind).parameters.items()}
    engines = set(parameter_fields()) - {"task", "class_weights"}
    weights = {"class_weight"} if kind is CascadeCorrelationClassifier else set()
    assert set(defaults) == engines | own | weights
    assert {defaults[name] for name in engines | weights} == {None}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_given_reaches_the_engine(kind: type[Any]) -> None:
    """A parameter that is given replaces the preset's; numpy's numbers count as Python's."""
    estimator = kind(preset="compact", max_hidden_units=np.int64(1), output_ridge=np.float64(0.5), output_epochs=3)
    estimator.fit(VALUES_X, VALUES_Y > 100)
    task = "classification" if kind is CascadeCorrelationClassifier else "regression"
    expected = Parameters.preset("compact", task=task, max_hidden_units=1, output_ridge=0.5, output_epochs=3)
    assert estimator.parameters_ == expected


def test_docstring_tells_of_each_engine_parameter() -> None:
    """What it does, and its bounds."""
    doc = CascadeCorrelationClassifier.__doc__ or ""
    assert "max_hidden_units: Growth ends with so many installed units. (whole, 0 to 10000)" in doc


def test_a_number_as_random_state_is_the_engine_s_seed() -> None:
    """The estimator grows the network that the engine grows for the same data, parameters and seed."""
    targets = np.eye(3, dtype=np.float32)[Y]
    parameters = Parameters(**SMALL)
    network = grown(Training.start(X, targets, parameters, seed=5)).network
    fitted = CascadeCorrelationClassifier(random_state=5, **SMALL).fit(X, Y)
    np.testing.assert_array_equal(fitted.network_.output_weights, network.output_weights)
    assert fitted.seed_ == 5


def test_without_random_state_each_fit_is_another() -> None:
    """The seed is drawn, and kept, so that the fit can be repeated."""
    estimator = CascadeCorrelationClassifier(max_hidden_units=1, candidate_epochs=5, output_epochs=5)
    first, second = (estimator.fit(X, Y).seed_ for _ in range(2))
    assert first != second


@pytest.mark.parametrize("count", [0, 1.5, True, "two"])
def test_no_number_of_threads(count: Any) -> None:
    """Only fit looks at it, and calls it as its caller does."""
    with pytest.raises(ParameterError, match="n_jobs: must be None or a whole number that is not 0"):
        CascadeCorrelationClassifier(n_jobs=count).fit(X, Y)


@pytest.mark.parametrize("preset", [[], 3, "best"])
def test_a_preset_that_is_none(preset: Any) -> None:
    """Of whatever type."""
    with pytest.raises(ParameterError, match="preset: must be one of default, quality, compact, regression, not"):
        CascadeCorrelationClassifier(preset=preset).fit(X, Y)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (3, "must be None, 'balanced' or a number for each label, not 3"),
        ([1, 2], "must be None, 'balanced' or a number for each label, not"),
        ("balance", "must be None, 'balanced' or a number for each label, not 'balance'"),
        ({0: 1, 1: 1, 2: 1, 7: 3}, "7 is no label of y"),
        ({7: 3}, "7 is no label of y"),
        ({0: "much"}, "must have a number for each label: "),
    ],
)
def test_class_weights_that_are_none(weights: Any, message: str) -> None:
    """They are refused by their own name, and so is a label that no pattern has."""
    with pytest.raises(ParameterError, match=f"class_weight: {message}"):
        CascadeCorrelationClassifier(class_weight=weights).fit(X, Y)


def test_threads_change_nothing() -> None:
    """n_jobs is how fast, not what; negative ones count down from the number of processors, to one at least."""
    expected = CascadeCorrelationClassifier(random_state=0, **SMALL).fit(X, Y).network_
    for n_jobs in (1, 3, -1, -1000):
        found = CascadeCorrelationClassifier(random_state=0, n_jobs=n_jobs, **SMALL).fit(X, Y).network_
        np.testing.assert_array_equal(found.output_weights, expected.output_weights)


class LostDevice(ShimDevice):
    """A GPU that has fallen off the bus."""

    def launch(self, *_: Any, **__: Any) -> None:
        """It does not answer."""
        raise DeviceError("CUDA_ERROR_DEVICE_UNAVAILABLE")


def test_a_lost_gpu_is_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody asked for the GPU, so without it the CPU trains, and a warning says why."""
    monkeypatch.setattr(device, "CudaDevice", LostDevice)
    monkeypatch.setattr(backends, "usable_on_gpu", lambda: frozenset({"cupy"}))
    x, y = make_moons(300, noise=0.1, random_state=0)
    estimator = CascadeCorrelationClassifier(candidate_pool_size=40, max_epochs=30, random_state=0)
    with pytest.warns(RuntimeWarning, match="CUDA_ERROR_DEVICE_UNAVAILABLE; so it is trained anew with numba-serial"):
        estimator.fit(x, y)
    assert (estimator.backend_, estimator.n_iter_) == ("numba-serial", 30)


@pytest.mark.parametrize(
    "labels",
    [NAMES, NAMES.astype(object), NAMES.tolist(), Y * 10 - 3, Y.astype(np.uint8), (Y > 0), Y.astype(float)],
    ids=["strings", "objects", "list", "numbers", "bytes", "booleans", "floats"],
)
def test_labels_of_any_type(labels: Any) -> None:
    """What is predicted are the labels that were given, of the same type."""
    fitted = CascadeCorrelationClassifier(random_state=0, **SMALL).fit(X, labels)
    np.testing.assert_array_equal(fitted.classes_, np.unique(labels))
    predicted = fitted.predict(X)
    assert predicted.dtype == np.asarray(labels).dtype
    assert np.mean(predicted == np.asarray(labels)) > 0.95
    assert fitted.score(X, labels) == np.mean(predicted == np.asarray(labels))


def test_two_classes_share_one_output() -> None:
    """Its sign is the decision, and the shares of both classes add up to 1."""
    x, y = make_moons(60, noise=0.1, random_state=0)
    fitted = CascadeCorrelationClassifier(random_state=0, **SMALL).fit(x, np.array(["no", "yes"])[y])
    shares = fitted.predict_proba(x)
    assert (fitted.n_outputs_, fitted.network_.n_outputs, shares.shape) == (1, 1, (60, 2))
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-6)
    assert ((fitted.decision_function(x) > 0) == (fitted.predict(x) == "yes")).all()
    assert ((shares[:, 1] > 0.5) == (fitted.predict(x) == "yes")).all()


def test_shares_of_several_classes() -> None:
    """Outputs over their sum, so that the largest is the predicted class."""
    fitted = CascadeCorrelationClassifier(random_state=0, **SMALL).fit(X, NAMES)
    shares, outputs = fitted.predict_proba(X), fitted.network_.outputs(X)
    np.testing.assert_allclose(shares, outputs / outputs.sum(axis=1, keepdims=True), rtol=1e-5)
    assert (fitted.classes_[shares.argmax(axis=1)] == fitted.predict(X)).all()
    np.testing.assert_allclose(fitted.decision_function(X), outputs - 0.5, atol=1e-6)


def test_class_weights_by_label() -> None:
    """Each weight goes to its own class, however the labels sort; one that is left out is 1."""
    fit = CascadeCorrelationClassifier(class_weight={"virginica": 3, "setosa": 2}, **SMALL).fit(X, NAMES)
    assert fit.parameters_.class_weights == (2.0, 1.0, 3.0)
    balanced = CascadeCorrelationClassifier(class_weight="balanced", **SMALL).fit(X, NAMES)
    assert balanced.parameters_.class_weights == "balanced"


def test_curves_have_an_epoch_of_the_output_phases_each() -> None:
    """Losses fall from the first to the last; installed_at says where each unit came."""
    fitted = CascadeCorrelationClassifier(random_state=0, **SMALL).fit(X, Y)
    assert 0 < len(fitted.loss_curve_) == len(fitted.accuracy_curve_) < fitted.n_iter_
    assert fitted.loss_curve_[-1] < fitted.loss_curve_[0]
    assert len(fitted.installed_at_) == fitted.n_hidden_units_ == fitted.network_.n_hidden_units > 0
    assert (fitted.validation_loss_curve_, fitted.validation_scores_) == (None, None)
    assert fitted.accuracy_curve_[-1] == pytest.approx(fitted.score(X, Y))


def test_a_share_is_held_out_and_ends_growth() -> None:
    """The network that was best on it is the result, and with it the score of some epoch."""
    x, y = make_moons(200, noise=0.4, random_state=0)
    fitted = CascadeCorrelationClassifier(validation_fraction=0.25, random_state=0, n_jobs=1).fit(x, y)
    assert fitted.outcome_ == "early_stopped"
    assert fitted.parameters_.validation_patience == 5
    assert fitted.n_hidden_units_ < len(fitted.installed_at_)
    scores = fitted.validation_scores_
    assert scores is not None
    assert len(scores) == len(fitted.loss_curve_)
    assert {round(score * 50, 3) % 1 for score in scores} == {0.0}  # 50 patterns were held out


def test_the_held_out_share_has_as_much_of_each_class() -> None:
    """A rare class is in both parts."""
    x = np.arange(40.0)[:, np.newaxis]
    y = np.repeat(["often", "rare"], [36, 4])
    fitted = CascadeCorrelationClassifier(validation_fraction=0.5, max_hidden_units=0, random_state=0).fit(x, y)
    curve, scores = fitted.accuracy_curve_, fitted.validation_scores_ or []
    assert max(curve) == max(scores) == 1


def test_patterns_may_be_held_out_by_hand() -> None:
    """Their labels are those of y."""
    fit = CascadeCorrelationClassifier(random_state=0, validation_patience=2, **SMALL)
    fit.fit(X[::2], NAMES[::2], X_val=X[1::2], y_val=NAMES[1::2])
    assert fit.validation_scores_ is not None
    assert fit.parameters_.validation_patience == 2
    with pytest.raises(DataError, match="y_val row 1: 'lily' is no class of the patterns trained on"):
        fit.fit(X, NAMES, X_val=X[:2], y_val=["setosa", "lily"])
    with pytest.raises(DataError, match="y_val: is missing"):
        fit.fit(X, NAMES, X_val=X[:2])


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, 5, "a third"])
def test_a_share_that_is_none(fraction: Any) -> None:
    """Something is held out and something is left."""
    with pytest.raises(ParameterError, match="validation_fraction: must be None or between 0 and 1"):
        CascadeCorrelationClassifier(validation_fraction=fraction).fit(X, Y)


def test_a_parameter_out_of_bounds_is_named_when_fitting() -> None:
    """And it is a ValueError, as scikit-learn wants."""
    with pytest.raises(ValueError, match="candidate_pool_size: must be between 1 and 16384, not 0"):
        CascadeCorrelationRegressor(candidate_pool_size=0).fit(VALUES_X, VALUES_Y)


def test_values_of_one_column_and_of_several() -> None:
    """What is predicted has the shape of what was given."""
    several = np.column_stack([VALUES_Y, -VALUES_Y])
    for y in (VALUES_Y, VALUES_Y[:, np.newaxis], several):
        fitted = CascadeCorrelationRegressor(random_state=0, **SMALL).fit(VALUES_X, y)
        predicted = fitted.predict(VALUES_X)
        assert predicted.shape == y.shape
        assert fitted.score(VALUES_X, y) > 0.4
        assert fitted.loss_curve_[-1] == pytest.approx(1 - fitted.score(VALUES_X, y), rel=1e-3)


def test_regression_has_the_regression_preset() -> None:
    """Any other preset trains values too."""
    default = CascadeCorrelationRegressor(**SMALL).fit(VALUES_X, VALUES_Y)
    assert default.parameters_.candidate_objective == "normalised"
    quality = CascadeCorrelationRegressor(preset="quality", **SMALL).fit(VALUES_X, VALUES_Y)
    assert (quality.parameters_.task, quality.parameters_.candidate_objective) == ("regression", "covariance")


def test_column_names_are_learnt_and_named_in_errors() -> None:
    """A data frame's columns have names, and a wrong value's column is told by it."""
    frame = pd.DataFrame(X, columns=["sl", "sw", "pl", "pw"])
    fitted = CascadeCorrelationClassifier(random_state=0, **SMALL).fit(frame, NAMES)
    assert fitted.feature_names_in_.tolist() == ["sl", "sw", "pl", "pw"]
    frame.loc[7, "pl"] = np.nan
    with pytest.raises(DataError, match="X row 7, column 2: NaN in 'pl' is not a finite number"):
        fitted.predict(frame)


def test_a_search_finds_its_way() -> None:
    """GridSearchCV clones, sets numpy's numbers and scores."""
    search = GridSearchCV(
        CascadeCorrelationClassifier(random_state=0, **SMALL),
        {"max_hidden_units": np.arange(2), "preset": ["default", "compact"]},
        cv=2,
    )
    assert search.fit(X, NAMES).best_score_ > 0.9


def test_a_progress_bar_where_it_is_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    """Verbose shows units, epoch, loss and accuracy on standard error; by default nothing is shown."""
    CascadeCorrelationClassifier(random_state=0, **SMALL).fit(X, Y)
    assert capsys.readouterr() == ("", "")
    CascadeCorrelationClassifier(random_state=0, verbose=1, **SMALL).fit(X, Y)
    assert "of at most 4 units" in capsys.readouterr().err
