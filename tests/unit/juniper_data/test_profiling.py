import weakref
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from juniper_common.wire.profiles import DatasetProfile
from juniper_data.profiling import MAX_COMPARED, Profiler, hash_rows

# Few different numbers, so that samples repeat; zeros of both signs among them.
REPEATING = st.sampled_from([0.0, -0.0, 1.0, -1.5, 3e38])
SAMPLES = arrays.arrays(np.float32, st.tuples(st.integers(0, 60), st.integers(1, 7)), elements=REPEATING)


def _profile(
    pieces: Sequence[np.ndarray], n_train: int, counts: Sequence[int] = (1,), unused: np.ndarray | None = None
) -> DatasetProfile:
    """The profile of pieces, of which so many are to train on, and of what no split has."""
    profiler = Profiler(pieces[0].shape[1])
    for i, piece in enumerate(pieces):
        profiler.add(piece, "train" if i < n_train else "held out")
    if unused is not None:
        profiler.add(unused, "unused")
    return profiler.profile(list(counts))


@given(X=SAMPLES, share=st.floats(0, 1), cut=st.floats(0, 1), used=st.floats(0, 1))
def test_same_samples_are_counted_as_sets_would(X: np.ndarray, share: float, cut: float, used: float) -> None:
    """Duplicates and leaked samples are what comparing every row finds, in whichever pieces they come."""
    n_train = int(len(X) * share)
    n_used = n_train + int((len(X) - n_train) * used)
    train, others = X[:n_train], X[n_train:n_used]
    half = int(n_train * cut)
    profile = _profile([train[:half], train[half:], others], 2, unused=X[n_used:])
    rows = [tuple(row) for row in X.tolist()]  # in Python too, 0.0 == -0.0, and their hashes are the same
    assert profile.duplicates == len(rows) - len(set(rows))
    assert profile.leaked == sum(row in set(rows[:n_train]) for row in rows[n_train:n_used])


@given(
    X=arrays.arrays(
        np.float32,
        st.tuples(st.integers(1, 40), st.integers(1, 4)),
        elements=st.floats(-1e6, 1e6, width=32),
    ),
    cut=st.floats(0, 1),
)
def test_figures_are_those_of_the_whole_set(X: np.ndarray, cut: float) -> None:
    """Merged from pieces, least, greatest, mean and deviation are what NumPy says of all samples together."""
    half = int(len(X) * cut)
    profile = _profile([X[:half], X[half:]], 1)
    whole = X.astype(np.float64)
    scale = max(1.0, np.abs(whole).max())
    for j, feature in enumerate(profile.features):
        assert (feature.min, feature.max) == (whole[:, j].min(), whole[:, j].max())
        assert feature.mean == pytest.approx(whole[:, j].mean(), abs=1e-12 * scale)
        assert feature.std == pytest.approx(whole[:, j].std(), abs=1e-9 * scale)


def test_deviation_is_exact_far_from_zero() -> None:
    """A small deviation around a large mean is not lost in squares: 10⁷ ± 1 in many pieces."""
    piece = np.tile(np.array([[1e7 - 1], [1e7 + 1]], np.float32), (50_000, 1))
    (feature,) = _profile([piece] * 20, 20).features
    assert feature.mean == 1e7
    assert feature.std == pytest.approx(1, rel=1e-12)


def test_wide_samples_are_told_apart_by_every_feature() -> None:
    """Of samples that differ in one number each, wherever it stands, none is taken for another."""
    X = np.zeros((785, 784), np.float32)
    np.fill_diagonal(X, 1)
    assert _profile([X], 1).duplicates == 0
    assert _profile([X, X[:3]], 1).leaked == 3


def test_numbers_that_swap_places_are_another_sample() -> None:
    """A hash depends on where in the row a number stands, in its pair and among pairs."""
    rows = np.array([[1, 2, 3, 4, 5], [2, 1, 3, 4, 5], [3, 4, 1, 2, 5], [5, 2, 3, 4, 1]], np.float32)
    assert len(set(hash_rows(rows).tolist())) == 4


def test_hashes_of_binary_patterns_do_not_collide() -> None:
    """Patterns of few different numbers, which differ in few bits, have as many hashes as there are patterns."""
    bits = (np.arange(2**17)[:, np.newaxis] >> np.arange(17)) & 1
    assert len(np.unique(hash_rows(bits.astype(np.float32)))) == 2**17


def test_many_samples_can_be_leaked() -> None:
    """Each of a large number that stands among those to train on is counted, once."""
    X = np.arange(300_000, dtype=np.float32)[:, np.newaxis]
    profile = _profile([X, X, X + 0.5], 1)
    assert (profile.duplicates, profile.leaked) == (300_000, 300_000)


def test_no_piece_is_kept() -> None:
    """A set larger than memory can be profiled: what was taken is let go."""
    profiler = Profiler(2)
    piece = np.ones((1000, 2), np.float32)
    profiler.add(piece, "train")
    is_there = weakref.ref(piece)
    del piece
    assert is_there() is None


def test_duplicates_are_not_counted_in_too_many_samples() -> None:
    """Up to the limit they are counted; past it they are null, and the other figures stay."""
    piece = np.broadcast_to(np.float32(2), (MAX_COMPARED // 10, 1))
    profiler = Profiler(1)
    for _ in range(10):
        profiler.add(piece, "train")
    assert profiler.profile([1]).duplicates == MAX_COMPARED - 1
    profiler.add(piece[:1], "held out")
    profile = profiler.profile([1])
    assert (profile.duplicates, profile.leaked, profile.features[0].mean) == (None, None, 2)


def test_class_balance_is_each_share() -> None:
    """Classes without samples have a share of 0; a regression has no classes."""
    X = np.ones((4, 1), np.float32)
    assert _profile([X], 1, [3, 0, 1]).class_balance == {"0": 0.75, "1": 0.0, "2": 0.25}
    assert _profile([X], 1, []).class_balance == {}


def test_names_and_missing_cells_stand_at_their_features() -> None:
    """What the source knows of its columns is told of each feature."""
    profiler = Profiler(2)
    profiler.add(np.ones((1, 2), np.float32), "train")
    features = profiler.profile([1], ("a", "b"), [0, 7]).features
    assert [(feature.name, feature.missing) for feature in features] == [("a", 0), ("b", 7)]


def test_nothing_has_no_figures() -> None:
    """Without a sample the figures are null."""
    profile = Profiler(1).profile([0, 0])
    (feature,) = profile.features
    assert (feature.min, feature.max, feature.mean, feature.std) == (None, None, None, None)
    assert (profile.class_balance, profile.duplicates, profile.leaked) == ({"0": 0.0, "1": 0.0}, 0, 0)
