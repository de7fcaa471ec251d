import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from pyarrow import parquet

from juniper_data.arrays import arrange
from juniper_data.generators.base import LabelledPoints
from juniper_data.imports import rows_file, writing
from juniper_data.imports.parameters import UploadParameters
from juniper_data.npz import write_npz
from tests.unit.juniper_data.imports.conftest import ReadContent, Refusal

RATIOS: dict[str, Any] = {"train_ratio": 0.5, "test_ratio": 0.3, "val_ratio": 0.1}


def table(n: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Features and classes, the same each time."""
    rng = np.random.default_rng(3)
    return rng.normal(size=(n, 3)), np.arange(n) % 4


def as_csv(X: NDArray[np.float64], labels: NDArray[np.int64]) -> bytes:
    """The table as a CSV, with all digits."""
    lines = [",".join([*map(repr, row), f"c{label}"]) for row, label in zip(X.tolist(), labels.tolist(), strict=True)]
    return "\n".join(["a,b,c,label", *lines]).encode()


def as_json(X: NDArray[np.float64], labels: NDArray[np.int64]) -> bytes:
    """The table as records."""
    rows = zip(X.tolist(), labels.tolist(), strict=True)
    return json.dumps([{"a": a, "b": b, "c": c, "label": f"c{label}"} for (a, b, c), label in rows]).encode()


def as_parquet(X: NDArray[np.float64], labels: NDArray[np.int64]) -> bytes:
    """The table as Parquet, in several row groups."""
    file = io.BytesIO()
    columns = dict(zip("abc", X.T, strict=True)) | {"label": [f"c{label}" for label in labels.tolist()]}
    parquet.write_table(pa.table(columns), file, row_group_size=70)
    return file.getvalue()


def as_npz(X: NDArray[np.float64], labels: NDArray[np.int64]) -> bytes:
    """The table as arrays."""
    file = io.BytesIO()
    np.savez(file, X=X, y=labels)
    return file.getvalue()


@pytest.mark.parametrize("shuffled", [True, False])
def test_all_formats_make_what_is_made_in_memory(
    read_content: ReadContent, monkeypatch: pytest.MonkeyPatch, shuffled: bool
) -> None:
    """The same rows give the same bytes as CSV, JSON, Parquet, NPZ and as a generator's points."""
    monkeypatch.setattr(rows_file, "PIECE_BYTES", 1000)
    X, labels = table(300)
    parameters = UploadParameters(seed=7, shuffle=shuffled, **RATIOS)
    arrays = arrange(LabelledPoints(X=X, labels=labels, n_classes=4), parameters, np.random.default_rng(7))
    expected = io.BytesIO()
    write_npz(expected, arrays.by_name())
    for write in (as_csv, as_json, as_parquet, as_npz):
        result = read_content(write(X, labels), seed=7, shuffle=shuffled, **RATIOS)
        assert result.artifact == expected.getvalue(), write.__name__
        assert (result.facts.n_train, result.facts.n_test, result.facts.n_val) == (150, 90, 30)
        assert result.facts.class_distribution == {str(j): 75 for j in range(4)}


def test_facts_describe_the_artifact(read_content: ReadContent) -> None:
    """Checksum, size and profile are the artifact's own."""
    result = read_content("x,label\n1,a\n1,b\n4,a\n1,a\n", train_ratio=0.5, test_ratio=0.5)
    assert result.facts.size_bytes == len(result.artifact)
    profile = result.facts.profile
    assert (profile.duplicates, profile.leaked, profile.class_balance) == (2, 1, {"0": 0.75, "1": 0.25})
    assert (profile.features[0].name, profile.features[0].min, profile.features[0].max) == ("x", 1, 4)


def test_what_no_split_has_is_not_leaked(read_content: ReadContent) -> None:
    """A row that is left out of all splits is a duplicate of one to train on, but tests nothing."""
    content = "x,label\n1,a\n1,b\n4,a\n1,a\n"
    profile = read_content(content, train_ratio=0.5, test_ratio=0.25, shuffle=False).facts.profile
    assert (profile.duplicates, profile.leaked) == (2, 0)


def test_features_are_normalized_by_the_training_samples(read_content: ReadContent) -> None:
    """Mean 0 and deviation 1 over what is trained on; the test samples are moved by the same."""
    content = "x,label\n" + "".join(f"{1_700_000_000 + j},a\n" for j in (0, 2, 4, 6, 100))
    result = read_content(content, normalize_features=True)
    train = result.arrays["X_train"][:, 0].astype(np.float64)
    assert (train.mean(), train.std()) == pytest.approx((0, 1), abs=1e-7)
    assert result.arrays["X_test"][0, 0] == pytest.approx((100 - 3) / np.std([0, 2, 4, 6]))


def test_constant_feature_is_normalized_to_zero(read_content: ReadContent) -> None:
    """A feature with one value stays at 0, whatever its mean's last digit is."""
    content = "x,label\n" + "0.1,a\n" * 10
    assert not read_content(content, normalize_features=True).arrays["X_full"].any()


def test_test_sample_that_explodes_is_refused(refusal: Refusal) -> None:
    """Where training samples lie close together, one far away may be too large once it is scaled."""
    loc, said = refusal("x,label\n1e-30,a\n2e-30,a\n3e-30,a\n1e-30,a\n1e38,a\n", normalize_features=True)
    assert (loc, said) == (
        ["params", "normalize_features"],
        "sample 4, feature 0 is too large for a 32-bit number once normalized",
    )


def test_dataset_has_a_bound(refusal: Refusal, monkeypatch: pytest.MonkeyPatch) -> None:
    """One-hot targets may make far more of a file than it is; both sizes are told."""
    monkeypatch.setattr(writing, "MAX_ARTIFACT_BYTES", 100)
    assert refusal("x,label\n" + "1,a\n" * 20)[1] == "makes a dataset of 320 bytes; 100 can be"


def test_data_has_a_bound(refusal: Refusal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that makes too much of itself is refused as soon as that is seen."""
    monkeypatch.setattr(rows_file, "MAX_DATA_BYTES", 100)
    assert refusal("x,label\n" + "1,a\n" * 20)[1].startswith("holds more than")


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        (b"PAR1", "a.csv", "no Parquet"),
        (b"PK\x03\x04", "a.csv", "no NPZ"),
        (b"\xef\xbb\xbf \n[", "a.csv", "no JSON"),
        (b"x,label\n", "a.parquet", "no Parquet"),
        (b"x,label\n", "a.npz", "no NPZ"),
        (b"x,label\n", "a.JSONL", "no JSON"),
        (b"x,label\n", "a.csv", "has no rows"),
        (b"PKW,label\n", "", "has no rows"),
    ],
)
def test_format_is_told_by_first_bytes_then_by_name(refusal: Refusal, content: bytes, name: str, told: str) -> None:
    """What a file begins with says more than what it is called; a CSV is what is left."""
    assert told in refusal(content, name)[1]


def test_nothing_is_left_in_the_folder(read_content: ReadContent, tmp_path: Path) -> None:
    """The files in between have no name that could stay."""
    read_content(as_csv(*table(10)))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
