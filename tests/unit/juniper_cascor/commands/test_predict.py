"""`predict` asks a network about the patterns of a file."""

import csv
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_iris

from juniper_cascor import CascadeCorrelationClassifier, CascadeCorrelationRegressor
from juniper_cascor.__main__ import main

from .command_line import refusal, run

X, CODES = load_iris(return_X_y=True)
SPECIES = np.array(["setosa", "versicolor", "virginica"])[CODES]
FRAME = pd.DataFrame(X, columns=["sl", "sw", "pl", "pw"])


@pytest.fixture(scope="module")
def classifier() -> CascadeCorrelationClassifier:
    """Of flowers, by named columns."""
    return CascadeCorrelationClassifier(max_hidden_units=2, random_state=0).fit(FRAME, SPECIES)


@pytest.fixture
def net(classifier: CascadeCorrelationClassifier, tmp_path: Path) -> Path:
    """Its file."""
    path = tmp_path / "net.h5"
    classifier.save(path)
    return path


@pytest.fixture
def nameless(tmp_path: Path) -> Path:
    """The file of a network that knows no names of columns."""
    path = tmp_path / "nameless.h5"
    CascadeCorrelationClassifier(max_hidden_units=1, random_state=0).fit(X, SPECIES).save(path)
    return path


def test_classes_and_their_probabilities(
    net: Path, classifier: CascadeCorrelationClassifier, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A row for each pattern: what the estimator answers, to standard output."""
    FRAME.to_csv(tmp_path / "data.csv", index=False)
    ended = run(capsys, "predict", net, tmp_path / "data.csv")
    header, *rows = csv.reader(io.StringIO(ended.out))
    assert (ended.code, ended.err) == (0, "")
    assert header == ["class", "probability of setosa", "probability of versicolor", "probability of virginica"]
    assert [row[0] for row in rows] == classifier.predict(FRAME).tolist()
    shares = np.array([row[1:] for row in rows], float)
    np.testing.assert_allclose(shares, classifier.predict_proba(FRAME), rtol=1e-5, atol=1e-30)


def test_columns_are_taken_by_name(net: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In whatever order they stand, and others beside them, even of words, do not matter."""
    FRAME.to_csv(tmp_path / "data.csv", index=False)
    FRAME.assign(species=SPECIES)[["species", "pw", "sl", "pl", "sw"]].to_csv(tmp_path / "mixed.csv", index=False)
    plain, mixed = (run(capsys, "predict", net, tmp_path / f"{name}.csv").out for name in ("data", "mixed"))
    assert mixed == plain != ""


def test_a_column_that_is_missing(net: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is named, and with it those that are wanted."""
    FRAME.drop(columns="pl").to_csv(tmp_path / "data.csv", index=False)
    line = refusal(capsys, "predict", net, tmp_path / "data.csv", code=65)
    assert "there is no column 'pl'; next: give it the columns sl, sw, pl, pw" in line


def test_without_names_all_columns_count(nameless: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """There must be as many as the network has inputs."""
    FRAME.to_csv(tmp_path / "four.csv", index=False)
    FRAME.assign(more=1).to_csv(tmp_path / "five.csv", index=False)
    assert run(capsys, "predict", nameless, tmp_path / "four.csv").code == 0
    line = refusal(capsys, "predict", nameless, tmp_path / "five.csv", code=65)
    assert "it is [150, 5], and the network wants [patterns, 4]" in line


def test_arrays_of_an_npz(net: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """X, else the test patterns, else the one that is named."""
    np.savez(tmp_path / "x.npz", X=X[:7], X_test=X[:3], more=X[:5], allow_pickle=False)
    np.savez(tmp_path / "test.npz", X_test=X[:3], allow_pickle=False)
    rows = [
        len(run(capsys, "predict", net, tmp_path / name, *more).out.splitlines()) - 1
        for name, *more in (["x.npz"], ["x.npz", "--array", "more"], ["test.npz"])
    ]
    assert rows == [7, 5, 3]
    line = refusal(capsys, "predict", net, tmp_path / "test.npz", "--array", "X_new", code=65)
    assert "there is no array X_new; next: take one with --array of X_test" in line


def test_a_value_that_is_none(net: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Line and column are named, or row and column."""
    FRAME.astype(object).replace(FRAME.loc[3, "pl"], "wide").to_csv(tmp_path / "data.csv", index=False)
    line = refusal(capsys, "predict", net, tmp_path / "data.csv", code=65)
    assert "column 'pl': 'wide' is not a number" in line
    changed = X.copy()
    changed[2, 1] = np.inf
    np.savez(tmp_path / "data.npz", X=changed, allow_pickle=False)
    line = refusal(capsys, "predict", net, tmp_path / "data.npz", code=65)
    assert "X row 2, column 1: inf is not a finite number" in line


def test_values(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A column for each output."""
    x, y = load_diabetes(return_X_y=True)
    np.savez(tmp_path / "x.npz", X=x, allow_pickle=False)
    for targets, header in ((y, "value"), (np.column_stack([y, -y]), "value 1,value 2")):
        fitted = CascadeCorrelationRegressor(max_hidden_units=1, random_state=0).fit(x, targets)
        fitted.save(tmp_path / "net.h5")
        first, *rows = run(capsys, "predict", tmp_path / "net.h5", tmp_path / "x.npz").out.splitlines()
        assert first == header
        found = np.array([row.split(",") for row in rows], float)
        np.testing.assert_allclose(found, fitted.predict(x).reshape(len(x), -1), rtol=1e-6)


def test_into_a_file(net: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """That is not replaced unless it may be."""
    np.savez(tmp_path / "x.npz", X=X, allow_pickle=False)
    out = tmp_path / "answers.csv"
    arguments = ("predict", net, tmp_path / "x.npz")
    shown = run(capsys, *arguments).out
    assert run(capsys, *arguments, "--out", out).out == ""
    assert out.read_text() == shown
    assert "answers.csv is there already; next: --force" in refusal(capsys, *arguments, "--out", out, code=73)
    assert run(capsys, *arguments, "--out", out, "--force").code == 0


def test_answers_replace_no_input(net: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither the patterns nor the network, even with --force."""
    FRAME.to_csv(tmp_path / "data.csv", index=False)
    for out, name in ((tmp_path / "data.csv", "DATA"), (net, "NET.h5")):
        line = refusal(capsys, "predict", net, tmp_path / "data.csv", "--out", out, "--force", code=64)
        assert line.startswith(f"--out and {name} are the same file, {out}; next: name another file with --out")


def test_what_is_no_network(net: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is not there, another file, and one with a flipped bit."""
    np.savez(tmp_path / "x.npz", X=X, allow_pickle=False)
    assert "none.h5 cannot be read: No such file or directory" in refusal(
        capsys, "predict", tmp_path / "none.h5", tmp_path / "x.npz", code=66
    )
    content = bytearray(net.read_bytes())
    content[len(content) // 2] ^= 1
    for bad in (b"", b"words", bytes(content)):
        net.write_bytes(bad)
        line = refusal(capsys, "predict", net, tmp_path / "x.npz", code=65)
        assert line.startswith("net.h5 is ")
        assert line.endswith("next: python -m juniper_cascor train DATA --out NET.h5 makes one")


def test_a_reader_that_has_seen_enough(net: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `predict … | head`: nothing is said."""
    np.savez(tmp_path / "x.npz", X=X, allow_pickle=False)

    class ClosedPipe(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

        def fileno(self) -> int:
            return self.descriptor

        descriptor = 0

    with (tmp_path / "pipe").open("w") as file:
        ClosedPipe.descriptor = file.fileno()
        monkeypatch.setattr("sys.stdout", ClosedPipe())
        main(["predict", str(net), str(tmp_path / "x.npz")])
