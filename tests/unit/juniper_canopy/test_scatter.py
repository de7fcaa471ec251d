import numpy as np
import pytest

from juniper_canopy.api.scatter import Axes, Scatter, principal_components, scatter
from juniper_common.errors import BadRequestError
from juniper_common.wire.datasets import TaskType

X = [[1.0, 10.0, 100.0], [2.0, 20.0, 200.0], [3.0, 30.0, 350.0]]
CLASSES = [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]


def laid(
    axes: Axes,
    X: list[list[float]] = X,
    y: list[list[float]] = CLASSES,
    task_type: TaskType = "classification",
    names: tuple[str, ...] | None = None,
) -> Scatter:
    """A plane of a few samples."""
    return scatter(X, y, axes, total=1000, task_type=task_type, feature_names=names)


def test_two_features_make_a_plane() -> None:
    """With the class of each sample, and how many of how many there are."""
    plane = laid(Axes(x=2, y=0))
    assert (plane.x, plane.y, plane.classes) == ([100, 200, 350], [1, 2, 3], [0, 1, 1])
    assert (plane.titles, plane.feature_names) == (("x3", "x1"), ["x1", "x2", "x3"])
    assert (plane.shown, plane.total, plane.values) == (3, 1000, None)


def test_features_have_their_names() -> None:
    """Where there are any."""
    assert laid(Axes(), names=("length", "width", "height")).titles == ("length", "width")


def test_numbers_to_predict_are_values() -> None:
    """They are no classes, though the target has one column."""
    plane = laid(Axes(), y=[[0.5], [-1.0], [7.0]], task_type="regression")
    assert (plane.values, plane.classes) == ([0.5, -1, 7], None)


def test_a_single_feature_is_drawn_against_the_target() -> None:
    """There is no other."""
    plane = laid(Axes(), X=[[1.0], [2.0], [3.0]], y=[[5.0], [6.0], [7.0]], task_type="regression")
    assert (plane.titles, plane.y) == (("x1", "target"), [5, 6, 7])


@pytest.mark.parametrize("axes", [Axes(x=3), Axes(y=3)])
def test_a_feature_that_is_not_there_is_refused(axes: Axes) -> None:
    """By its number."""
    with pytest.raises(BadRequestError, match="no feature 3"):
        laid(axes)


def test_one_feature_has_no_plane_of_components() -> None:
    """It is said so."""
    with pytest.raises(BadRequestError, match="one feature"):
        laid(Axes(axes="principal"), X=[[1.0], [2.0], [3.0]])


def test_components_are_those_of_the_covariance() -> None:
    """The plane and the shares are what the eigenvectors of the covariance matrix give (Jolliffe 2002)."""
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(200, 4)) @ rng.normal(size=(4, 4)) + 5
    plane, shares = principal_components(samples)
    values, vectors = np.linalg.eigh(np.cov(samples.T))
    expected = (samples - samples.mean(axis=0)) @ vectors[:, [-1, -2]]
    assert np.allclose(np.abs(plane), np.abs(expected))
    assert np.allclose(shares, values[[-1, -2]] / values.sum())


def test_the_titles_tell_the_explained_variance() -> None:
    """Of samples on a line the first component explains everything."""
    plane = laid(Axes(axes="principal"), X=[[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]])
    assert plane.titles == (
        "Principal component 1 (100.0 % of the variance)",
        "Principal component 2 (0.0 % of the variance)",
    )


def test_a_set_always_looks_the_same() -> None:
    """Neither the order of the samples nor the decomposition's own signs mirror it."""
    rng = np.random.default_rng(1)
    samples = rng.normal(size=(50, 3)) * [5, 2, 1]
    plane, _ = principal_components(samples)
    backwards, _ = principal_components(samples[::-1])
    assert np.allclose(plane, backwards[::-1])


@pytest.mark.parametrize("samples", [np.ones((1, 3)), np.ones((5, 3)), np.full((4, 2), 3e38) * [[1], [-1], [1], [-1]]])
def test_samples_without_extent_or_measure_have_a_plane(samples: np.ndarray) -> None:
    """One sample, equal ones, and numbers as large as a float32 can be."""
    plane, shares = principal_components(samples)
    assert np.isfinite(plane).all()
    assert all(0 <= share <= 1 for share in shares)
