"""The grow loop: what it reports, when it stops, what may change while it runs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from juniper_cascor.engine.errors import DataError, ParameterError
from juniper_cascor.engine.events import Progress
from juniper_cascor.engine.network import Network
from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.engine.training import Training, warm_up

from .data import FAST, demo_spirals, grown, noisy_points, one_column, one_hot

X, Y = noisy_points(90)
PATIENT = replace(FAST, output_patience=99, candidate_patience=99)  # every phase runs its full length


def progress_of(training: Training) -> list[Progress]:
    """Every chunk to the end."""
    chunks = []
    while training.finished is None:
        chunks.append(training.advance())
    return chunks


def test_epochs_are_counted_through() -> None:
    """Epochs count from 1 over both phases, without a gap."""
    training = Training.start(X, Y, FAST, seed=1)
    epochs = np.concatenate([chunk.rows.epoch for chunk in progress_of(training)])
    assert epochs.tolist() == list(range(1, training.epoch + 1))


def test_phases_alternate() -> None:
    """Output and candidate phase take turns, and each candidate phase ends with an installation."""
    chunks = progress_of(Training.start(X, Y, FAST, seed=1))
    assert [chunk.phase for chunk in chunks] == ["output", "candidate"] * 3 + ["output"]
    assert [chunk.installed is not None for chunk in chunks] == [False, True] * 3 + [False]
    assert [chunk.n_hidden_units for chunk in chunks] == [0, 0, 1, 1, 2, 2, 3]


def test_installation_tells_the_unit() -> None:
    """An installation names the unit, its score (the pool's best), its epoch and its weights, which then stand."""
    training = Training.start(X, Y, FAST, seed=1)
    chunks = progress_of(training)
    for index, chunk in enumerate(chunk for chunk in chunks if chunk.installed is not None):
        assert chunk.installed is not None
        assert chunk.candidate_scores is not None
        assert chunk.installed.index == index
        assert chunk.installed.score == chunk.candidate_scores.max() == chunk.rows.score[-1]
        assert chunk.installed.epoch == chunk.rows.epoch[-1]
        np.testing.assert_array_equal(training.network.hidden_weights[index], chunk.installed.weights)


def test_installed_weights_are_frozen() -> None:
    """Nobody who was handed an installed unit's weights can change the network by them."""
    training = grown(Training.start(X, Y, FAST, seed=1))
    with pytest.raises(ValueError, match="read-only"):
        training.network.hidden_weights[0][0] = 1


@pytest.mark.parametrize("n_classes", [2, 3])
def test_rows_tell_the_network(n_classes: int) -> None:
    """At the end of an output phase loss and accuracy are those of the network on both sets of patterns."""
    x, y = noisy_points(500, n_classes=n_classes)
    training = Training.start(x[:333], y[:333], FAST, seed=1, x_val=x[333:], y_val=y[333:])
    rows = progress_of(training)[-1].rows
    network = training.network
    for inputs, targets, loss, accuracy in (
        (x[:333], y[:333], rows.train_loss[-1], rows.train_accuracy[-1]),
        (x[333:], y[333:], rows.val_loss[-1], rows.val_accuracy[-1]),
    ):
        assert loss == pytest.approx(((network.outputs(inputs) - targets) ** 2).mean(), rel=1e-4)
        assert accuracy == pytest.approx((network.predict(inputs) == targets.argmax(axis=1)).mean())


def test_accuracy_of_one_column() -> None:
    """With a single output the accuracy is by threshold."""
    data = demo_spirals()
    training = Training.start(data.x, one_column(data.labels), FAST, seed=1)
    rows = progress_of(training)[-1].rows
    assert rows.train_accuracy[-1] == pytest.approx((training.network.predict(data.x) == data.labels).mean())


def test_candidate_rows_repeat_the_loss() -> None:
    """In the candidate phase loss and accuracy stay what the output phase left; in the output phase no score is."""
    x, y = noisy_points(120)
    output, candidate, *_ = progress_of(Training.start(x[:90], y[:90], FAST, seed=1, x_val=x[90:], y_val=y[90:]))
    for name in ("train_loss", "train_accuracy", "val_loss", "val_accuracy"):
        assert set(getattr(candidate.rows, name)) == {getattr(output.rows, name)[-1]}
    assert np.isnan(output.rows.score).all()
    assert np.isfinite(candidate.rows.score).all()


def test_validation_is_only_watched() -> None:
    """Validation patterns change neither the network nor the training rows; without them theirs are NaN."""
    alone, watched = Training.start(X, Y, FAST, seed=1), Training.start(X, Y, FAST, seed=1, x_val=X[:5], y_val=Y[:5])
    rows = progress_of(alone)[0].rows
    np.testing.assert_array_equal(rows.train_loss, progress_of(watched)[0].rows.train_loss)
    np.testing.assert_array_equal(alone.network.output_weights, watched.network.output_weights)
    assert np.isnan(rows.val_loss).all()
    assert np.isnan(rows.val_accuracy).all()


@pytest.mark.parametrize(
    ("change", "outcome", "n_hidden_units"),
    [
        (replace(FAST, max_hidden_units=0), "max_hidden_units", 0),
        (replace(FAST, max_hidden_units=2), "max_hidden_units", 2),
        (replace(FAST, max_iterations=1), "max_iterations", 1),
        (replace(FAST, max_epochs=10), "max_epochs", 0),
        (replace(FAST, max_epochs=30), "max_epochs", 0),  # in the candidate phase: nothing half trained is installed
        (replace(FAST, max_epochs=50), "max_epochs", 1),
        (replace(FAST, correlation_threshold=100.0), "no_candidate", 0),
        (replace(FAST, error_threshold=1.0), "solved", 0),
    ],
)
def test_outcomes(change: Parameters, outcome: str, n_hidden_units: int) -> None:
    """Each stop stops, and says that it did."""
    training = grown(Training.start(X, Y, change, seed=1))
    assert (training.finished, training.network.n_hidden_units) == (outcome, n_hidden_units)
    if outcome == "max_epochs":
        assert training.epoch == change.max_epochs


def test_stagnation() -> None:
    """Growth has stagnated when as many units as its patience left the loss where it was."""
    parameters = replace(FAST, max_hidden_units=50, patience=2, error_threshold=1e-6)
    chunks = progress_of(Training.start(X, Y, parameters, seed=1))
    losses = [chunk.rows.train_loss[-1] for chunk in chunks if chunk.phase == "output"]
    assert chunks[-1].finished == "stagnated"
    assert min(losses[-2:]) >= 0.99 * min(losses[:-2])


def test_residuals_that_are_all_alike_end_growth() -> None:
    """Where residuals have nothing to correlate with, growth ends instead of dividing by zero."""
    x, y = np.arange(4.0)[:, np.newaxis], np.full((4, 1), 5.0)
    bias_only = Network(
        np.zeros(1, np.float32), np.ones(1, np.float32), (), (), np.zeros((1, 2), np.float32), "regression"
    )
    parameters = replace(FAST, task="regression", output_epochs=1)
    training = Training.start(x, y, parameters, seed=1, network=bias_only)
    assert grown(training).finished == "no_candidate"


def test_same_point_in_both_classes_ends() -> None:
    """Where one point belongs to both classes nothing can be solved, and growth ends by its other stops."""
    training = grown(Training.start([[1.0], [1.0], [2.0]], [[0], [1], [1]], FAST, seed=1))
    assert training.finished in ("max_hidden_units", "no_candidate")


def test_parameters_take_effect_at_the_next_phase() -> None:
    """The running phase keeps its parameters, the next one has the new ones."""
    training = Training.start(X, Y, PATIENT, seed=1)
    training.advance(5)
    changed = replace(PATIENT, candidate_pool_size=9, output_epochs=2, candidate_epochs=6)
    training.set_parameters(changed)
    assert training.parameters == changed
    assert len(training.advance().rows) == 15
    progress = training.advance()
    assert progress.candidate_scores is not None
    assert (len(progress.candidate_scores), len(progress.rows)) == (9, 6)


def test_task_cannot_change() -> None:
    """The task is the data's: it is refused while training."""
    training = Training.start(X, Y, FAST, seed=1)
    with pytest.raises(ParameterError, match="task"):
        training.set_parameters(replace(FAST, task="regression"))


def test_finished_training_does_not_advance() -> None:
    """Advancing a finished training is the caller's mistake."""
    with pytest.raises(ValueError, match="finished"):
        grown(Training.start(X, Y, FAST, seed=1)).advance()


def test_chunk_of_no_epochs_is_refused() -> None:
    """A chunk runs one epoch or more."""
    with pytest.raises(ValueError, match="max_epochs"):
        Training.start(X, Y, FAST, seed=1).advance(0)


def test_negative_seed_is_refused() -> None:
    """Seeds are 63-bit counts."""
    with pytest.raises(ValueError, match="seed"):
        Training.start(X, Y, FAST, seed=-1)


def test_candidates_do_not_depend_on_the_pool() -> None:
    """A candidate trains the same in a pool of any size."""
    scores = []
    for pool in (3, 8):
        training = Training.start(X, Y, replace(FAST, candidate_pool_size=pool), seed=1)
        training.advance()
        progress = training.advance()
        assert progress.candidate_scores is not None
        scores.append(progress.candidate_scores[:3])
    np.testing.assert_array_equal(scores[0], scores[1])


@settings(max_examples=15, deadline=None)
@given(exponents=st.lists(st.integers(-60, 60), min_size=3, max_size=3))
def test_scale_of_inputs_does_not_matter(exponents: list[int]) -> None:
    """Inputs in any unit of measurement train the same network: they are standardised."""
    factors = np.exp2(exponents).astype(np.float32)  # powers of 2 scale without rounding
    training = grown(Training.start(X * factors, Y, FAST, seed=1))
    plain = grown(Training.start(X, Y, FAST, seed=1))
    np.testing.assert_array_equal(training.network.output_weights, plain.network.output_weights)
    np.testing.assert_array_equal(training.network.outputs(X * factors), plain.network.outputs(X))


@pytest.mark.parametrize("constant", [0.0, 7.0, -1e8, 3e38])
def test_constant_feature_does_no_harm(constant: float) -> None:
    """A feature that never changes is centred to nothing, and divides by no zero."""
    x = np.column_stack([X, np.full(len(X), constant)])
    training = grown(Training.start(x, Y, FAST, seed=1))
    assert np.isfinite(training.network.output_weights).all()
    # Its row is zero, so the weight is never moved.
    assert (training.network.output_weights[:, 4] == 0).all()


def test_extreme_inputs_stay_finite() -> None:
    """Features at both ends of float32's range train without an overflow."""
    x = X * np.array([1e37, 1e-37, 1.0], np.float32)
    training = grown(Training.start(x, Y, FAST, seed=1))
    assert np.isfinite(training.network.outputs(x)).all()


def test_growing_on_from_a_network() -> None:
    """A network can be grown on: it keeps scaling and units, and starts from what it knows."""
    first = grown(Training.start(X, Y, FAST, seed=1)).network
    training = Training.start(X[:60], Y[:60], replace(FAST, max_hidden_units=4), seed=2, network=first)
    np.testing.assert_array_equal(training.network.outputs(X), first.outputs(X))
    grown(training)
    assert training.network.n_hidden_units == 4
    for old, new in zip(first.hidden_weights, training.network.hidden_weights, strict=False):
        np.testing.assert_array_equal(old, new)
    restored = Training.restore(X[:60], Y[:60], training.parameters, training.state())
    np.testing.assert_array_equal(restored.network.outputs(X), training.network.outputs(X))


def test_growing_on_needs_the_network_s_shape() -> None:
    """A network of another shape or task is refused, and what differs is named."""
    network = grown(Training.start(X, Y, FAST, seed=1)).network
    with pytest.raises(DataError, match="x: has 2 columns"):
        Training.start(X[:, :2], Y, FAST, seed=1, network=network)
    with pytest.raises(DataError, match="y: has 1 columns"):
        Training.start(X, Y[:, :1], FAST, seed=1, network=network)
    with pytest.raises(ParameterError, match="task"):
        Training.start(X, Y, replace(FAST, task="regression"), seed=1, network=network)


def test_regression_learns_values() -> None:
    """Values of any scale are learnt, and the network answers in their own units."""
    x = np.linspace(-3, 3, 200)[:, np.newaxis]
    y = np.column_stack([1e6 + 2e5 * np.sin(2 * x[:, 0]), 1e-3 * x[:, 0] ** 2])
    parameters = Parameters(task="regression", max_hidden_units=12, error_threshold=0.1)
    training = Training.start(x, y, parameters, seed=1)
    rows = progress_of(training)[-1].rows
    relative = (training.network.predict(x) - y) / y.std(axis=0)
    assert (relative**2).mean() < 0.05
    # The loss is in units of the targets' variance.
    assert rows.train_loss[-1] == pytest.approx((relative**2).mean(), rel=1e-3)
    assert np.isnan(rows.train_accuracy).all()


def test_regression_grows_on_from_a_network() -> None:
    """Growing on from a regression's network starts from its answers, though new targets scale differently."""
    x = np.linspace(-3, 3, 60)[:, np.newaxis]
    y = 100 + np.sin(2 * x)
    parameters = replace(FAST, task="regression", error_threshold=1e-3)
    network = grown(Training.start(x, y, parameters, seed=1)).network
    training = Training.start(x, 2 * y, parameters, seed=1, network=network)
    np.testing.assert_allclose(training.network.outputs(x), network.outputs(x), rtol=1e-5)


def test_many_units_find_room() -> None:
    """Growth beyond the rows first set aside changes nothing but the room."""
    data = demo_spirals()
    parameters = replace(FAST, max_hidden_units=30, candidate_epochs=5, output_epochs=5, error_threshold=1e-6)
    training = Training.start(
        data.x, one_hot(data.labels), parameters, seed=1, x_val=data.x_val, y_val=one_hot(data.labels_val)
    )
    rows = progress_of(training)[-1].rows
    assert training.network.n_hidden_units == 30
    expected = ((training.network.outputs(data.x_val) - one_hot(data.labels_val)) ** 2).mean()
    assert rows.val_loss[-1] == pytest.approx(expected, rel=1e-3)


def test_warm_up_tells_how_long_it_took() -> None:
    """Warming up loads the compiled loops and tells the seconds."""
    assert warm_up() > 0


def test_patterns_that_hardly_count_need_not_be_solved() -> None:
    """A class that counts next to nothing does not make a network grow."""
    x, y = noisy_points(200)
    assert grown(Training.start(x, y, Parameters(class_weights=(1.0, 1e-6)), seed=1)).network.n_hidden_units == 0
    assert grown(Training.start(x, y, Parameters(class_weights=(1.0, 0.5)), seed=1)).network.n_hidden_units > 0


def test_doubles_are_not_rounded_before_they_are_scaled() -> None:
    """Inputs and values that vary little beside what they are, as times do, are learnt all the same."""
    rng = np.random.default_rng(3)
    x = rng.uniform(-1, 1, (200, 2))
    y = x[:, :1] * x[:, 1:]
    parameters = Parameters.preset("regression", max_hidden_units=12)
    near, far = Training.start(x, y, parameters, seed=1), Training.start(1e6 + 1e-3 * x, 1.7e9 + y, parameters, seed=1)
    errors = (
        np.std(grown(near).network.outputs(x) - y),
        np.std(grown(far).network.outputs(1e6 + 1e-3 * x) - (1.7e9 + y)),
    )
    assert max(errors) < 0.2 * y.std()
