from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from juniper_data.imports import rows_file, shuffling
from juniper_data.imports.rows_file import Numbers, RowsFile, Scratch
from juniper_data.imports.shuffling import shuffle


def shuffled(folder: Path, n: int, width: int, seed: int) -> Numbers:
    """Rows of successive numbers, shuffled on disk."""
    with Scratch(folder) as scratch:
        rows = RowsFile(scratch, width, np.float32)
        rows.append(np.arange(n * width, dtype=np.float32).reshape(n, width))
        shuffle(rows, seed, scratch)
        return np.concatenate(list(rows.pieces(0, n)))


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces and buckets of a few rows: what holds for these holds for the large ones."""
    monkeypatch.setattr(rows_file, "PIECE_BYTES", 90)
    monkeypatch.setattr(shuffling, "_BUCKET_BYTES", 200)


@settings(deadline=None, max_examples=50)
@given(n=st.integers(1, 300), width=st.integers(1, 5), seed=st.integers(0, 2**53 - 1))
def test_order_is_that_of_a_set_in_memory(
    tmp_path_factory: pytest.TempPathFactory, n: int, width: int, seed: int
) -> None:
    """However many buckets there are, rows stand as NumPy's permutation has them."""
    expected = np.arange(n * width, dtype=np.float32).reshape(n, width)[np.random.default_rng(seed).permutation(n)]
    assert (shuffled(tmp_path_factory.getbasetemp(), n, width, seed) == expected).all()


def test_too_many_rows_for_a_permutation_are_dealt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound every row is still there once, and the seed still decides the order."""
    monkeypatch.setattr(shuffling, "MAX_PERMUTED", 10)
    first, again, other = (shuffled(tmp_path, 500, 1, seed)[:, 0].tolist() for seed in (1, 1, 2))
    assert sorted(first) == list(range(500))
    assert first == again != other != list(range(500))


def test_dealing_favours_no_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over many seeds the first row comes to each fifth of the places as often."""
    monkeypatch.setattr(shuffling, "MAX_PERMUTED", 10)
    places = [shuffled(tmp_path, 100, 1, seed)[:, 0].tolist().index(0) // 20 for seed in range(500)]
    # Each fifth: 100 ± 9 (one standard deviation).
    assert all(60 < count < 140 for count in np.bincount(places, minlength=5))
