"""`train` grows a network on a file and says how that went."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_diabetes, load_iris

from juniper_cascor import CascadeCorrelationClassifier, CascadeCorrelationRegressor, snapshots

from .command_line import refusal, run

SMALL = ("--set", "max_hidden_units=3", "--set", "candidate_epochs=40", "--set", "output_epochs=40")
X, CODES = load_iris(return_X_y=True)
SPECIES = np.array(["setosa", "versicolor", "virginica"])[CODES]
NAMES = ["sl", "sw", "pl", "pw"]


@pytest.fixture
def iris(tmp_path: Path) -> Path:
    """Flowers: four measures and the species."""
    rows = [",".join([*map(str, x), name]) for x, name in zip(X, SPECIES, strict=True)]
    path = tmp_path / "iris.csv"
    path.write_text("\n".join([",".join([*NAMES, "species"]), *rows]))
    return path


@pytest.fixture
def diabetes(tmp_path: Path) -> Path:
    """Values to predict, in the first column, and a column of words."""
    x, y = load_diabetes(return_X_y=True)
    rows = [",".join(map(str, [value, "who", *row])) for row, value in zip(x, y, strict=True)]
    path = tmp_path / "diabetes.csv"
    path.write_text("\n".join([",".join(["progression", "name", *map(str, "abcdefghij")]), *rows]))
    return path


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    """An NPZ as the data service writes it: one-hot, split."""
    order = np.random.default_rng(0).permutation(len(X))
    y = np.eye(3, dtype=np.float32)[CODES]
    arrays: dict[str, NDArray[np.float32]] = {}
    for name, rows in (("train", order[:90]), ("val", order[90:120]), ("test", order[120:])):
        arrays |= {f"X_{name}": X[rows].astype(np.float32), f"y_{name}": y[rows]}
    path = tmp_path / "parts.npz"
    np.savez(path, allow_pickle=False, **arrays)
    return path


def test_a_csv_of_classes(iris: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says what it takes the data for, how growth ended and how well, and what to type next."""
    net = tmp_path / "net.h5"
    ended = run(capsys, "train", iris, "--out", net, *SMALL)
    assert (ended.code, ended.err) == (0, "")
    first, *_ = ended.out.splitlines()
    assert first == "150 patterns of 4 features; column 'species': 3 classes, as it seems (--task says otherwise)"
    assert "hidden unit" in ended.out
    assert "training accuracy 0.9" in ended.out
    assert ended.out.splitlines()[-1].endswith(f"next: python -m juniper_cascor predict {net} DATA")


def test_it_is_the_estimator_s_network(iris: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same data, parameters and seed give the same file as from Python, names included."""
    net = tmp_path / "net.h5"
    run(capsys, "train", iris, "--out", net, "--seed", 5, "--preset", "compact", "--set", "max_hidden_units=2")
    expected = CascadeCorrelationClassifier(preset="compact", max_hidden_units=2, random_state=5).fit(X, SPECIES)
    loaded = CascadeCorrelationClassifier.load(net)
    np.testing.assert_equal(loaded.network_.arrays(), expected.network_.arrays())
    assert loaded.feature_names_in_.tolist() == NAMES
    assert loaded.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert len(snapshots.read(net).card.dataset_checksum or "") == 64


def test_a_csv_of_values(diabetes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The target is named, a column of words is left out, and the regression preset is taken."""
    net = tmp_path / "net.h5"
    ended = run(capsys, "train", diabetes, "--out", net, "--target", "progression", "--ignore", "name", *SMALL)
    assert "442 patterns of 10 features; column 'progression': values, as it seems" in ended.out
    loaded = CascadeCorrelationRegressor.load(net)
    assert loaded.feature_names_in_.tolist() == list("abcdefghij")
    assert loaded.parameters_.candidate_objective == "normalised"


def test_several_targets(diabetes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are values, an output each."""
    net = tmp_path / "net.h5"
    arguments = ("--target", "progression,a", "--ignore", "name")
    ended = run(capsys, "train", diabetes, "--out", net, *arguments, *SMALL)
    assert "442 patterns of 9 features; columns 'progression', 'a': 2 values a pattern" in ended.out
    assert snapshots.read(net).network.n_outputs == 2


def test_an_npz_of_the_data_service(parts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its validation patterns are held against, its test patterns tell how well it does in the end."""
    net = tmp_path / "net.h5"
    ended = run(capsys, "train", parts, "--out", net, *SMALL)
    assert ended.code == 0
    assert "90 patterns of 4 features; y_train: 3 classes" in ended.out
    assert "held-out accuracy 0.9" in ended.out or "held-out accuracy 1.0" in ended.out
    assert ended.out.splitlines()[-2].startswith(("test accuracy 0.9", "test accuracy 1.0"))
    assert snapshots.read(net).card.labels == [0, 1, 2]


def test_held_out_by_share(iris: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--validation holds out, and says how well the network does on that."""
    ended = run(capsys, "train", iris, "--out", tmp_path / "net.h5", "--validation", 0.2, *SMALL)
    assert "held-out loss" in ended.out
    assert ended.code == 0


def test_class_weights_follow_the_labels(iris: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One for each class in their order, or balanced."""
    for given, expected in (("1,2,3", [1.0, 2.0, 3.0]), ("balanced", "balanced")):
        net = tmp_path / f"{given}.h5"
        run(capsys, "train", iris, "--out", net, "--set", f"class_weights={given}", *SMALL)
        assert snapshots.read(net).card.parameters["class_weights"] == expected


def test_curves_are_drawn(iris: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As a PNG."""
    picture = tmp_path / "curve.png"
    run(capsys, "train", iris, "--out", tmp_path / "net.h5", "--plot", picture, *SMALL)
    assert picture.read_bytes().startswith(b"\x89PNG\r\n")


def test_quiet_says_nothing(iris: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """But it does its work."""
    net = tmp_path / "net.h5"
    ended = run(capsys, "train", iris, "--out", net, "--quiet", *SMALL)
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert net.exists()


def test_a_network_that_is_there_is_not_lost(iris: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is refused before the work, unless --force says that it may go."""
    net = tmp_path / "net.h5"
    net.write_text("dear")
    line = refusal(capsys, "train", iris, "--out", net, code=73)
    assert line == f"{net} is there already; next: --force replaces it, or name another file"
    assert net.read_text() == "dear"
    assert run(capsys, "train", iris, "--out", net, "--force", *SMALL).code == 0
    assert snapshots.read(net).card.outcome is not None


UNUSABLE: list[tuple[tuple[str, ...], int, str]] = [
    (("--out", "nowhere/net.h5"), 73, "there is no folder nowhere; next: mkdir -p nowhere"),
    (("--out", "."), 73, ". is a folder"),
    (("--out", "x" * 300), 73, "cannot be written: File name too long"),
    (("--out", "/proc/net.h5"), 73, "/proc/net.h5 cannot be written: "),
    (("--out", "x" * 245), 73, "cannot be written: File name too long"),  # beside it there is a longer one for a while
    (("--plot", "curve.jpg"), 64, "curve.jpg is not called .png; next: --plot curve.png"),
    (("--target", "speces"), 64, "there is no column 'speces'; next: take one of sl, sw, pl, pw, species"),
    (("--ignore", "sl,sw,pl,pw"), 64, "no column is left to learn from"),
    (("--target", "sl,species", "--task", "classification"), 64, "classes are one column"),
    (("--set", "max_hiden_units=3"), 64, "there is no parameter max_hiden_units; next: --set max_hidden_units=3"),
    (("--set", "max_hidden_units"), 64, "--set max_hidden_units: it has no value"),
    (("--set", "max_hidden_units=three"), 64, "max_hidden_units: must be a whole number, not 'three'"),
    (("--set", "max_hidden_units=-1"), 64, "max_hidden_units: must be between 0 and 10000, not -1"),
    (("--set", "class_weights=1,2"), 64, "there are 3 classes, but 2 weights"),
    (("--set", "optimizer_type=sgd"), 64, "optimizer_type: must be one of irprop-, quickprop, adam, not 'sgd'"),
    (
        ("--task", "regression", "--set", "class_weights=balanced", "--target", "pw", "--ignore", "species"),
        64,
        "values",
    ),
    (("--task", "regression"), 65, "line 2, column 'species': 'setosa' is not a number; next: correct that cell"),
    (
        ("--target", "sl"),
        65,
        "'setosa' is not a number; next: correct that cell, or leave the column out with --ignore spec",
    ),
    (("--target", "sl", "--ignore", "sl"), 64, "column 'sl' cannot be learnt and left out"),
    (("--target", "sl", "--task", "classification", "--ignore", "species"), 65, "Unknown label type"),
    (("--validation", "1.5"), 64, "validation_fraction: must be None or between 0 and 1, not 1.5"),
    (("--threads", "0"), 64, "argument --threads: must be a whole number, 1 or more, not '0'"),
    (("--threads", "1.5"), 64, "argument --threads: must be a whole number, 1 or more, not '1.5'"),
    (("--seed", "-1"), 64, "argument --seed: must be a whole number from 0 to 2^63 - 1, not '-1'"),
    (("--seed", "many"), 64, "argument --seed: must be a whole number from 0 to 2^63 - 1, not 'many'"),
    (("--preset", "best"), 64, "argument --preset: invalid choice: 'best'"),
]


@pytest.mark.parametrize(("arguments", "code", "message"), UNUSABLE, ids=[" ".join(case[0])[:60] for case in UNUSABLE])
def test_what_makes_no_sense_is_one_line(
    arguments: tuple[str, ...], code: int, message: str, iris: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """That names what to type or to correct; nothing is written."""
    given = arguments if "--out" in arguments else (*arguments, "--out", str(iris.with_name("net.h5")))
    # --quiet: what is said of the data is said before the engine looks at the parameters.
    line = refusal(capsys, "train", iris, *given, "--quiet", code=code)
    assert message in line
    assert sorted(path.name for path in iris.parent.iterdir()) == ["iris.csv"]


def test_its_files_are_different_ones(iris: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By whatever name: the picture must not replace the network, nor the network the data, even with --force."""
    folder, before = iris.parent, iris.read_bytes()
    (folder / "link.csv").symlink_to(iris)
    for given, named in (
        (("--out", folder / "net.png", "--plot", folder / "." / "net.png"), "--plot and --out"),
        (("--out", iris), "--out and DATA"),
        (("--out", folder / "link.csv"), "--out and DATA"),
        (("--out", folder / "net.h5", "--plot", iris), "--plot and DATA"),
    ):
        line = refusal(capsys, "train", iris, *given, "--force", code=64)
        assert line.startswith(f"{named} are the same file, ")
    assert iris.read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == ["iris.csv", "link.csv"]


def test_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is named."""
    line = refusal(capsys, "train", tmp_path / "none.csv", "--out", tmp_path / "net.h5", code=66)
    assert "none.csv cannot be read: No such file or directory; next: ls -l " in line


def test_held_out_twice(parts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that brings validation patterns has no share held out."""
    line = refusal(capsys, "train", parts, "--out", tmp_path / "net.h5", "--validation", 0.5, code=64)
    assert "holds X_val, which is held against; next: leave out --validation" in line


def test_json_of_the_file_has_the_curve(iris: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was measured while training stands in the file."""
    net = tmp_path / "net.h5"
    run(capsys, "train", iris, "--out", net, *SMALL)
    told = json.loads(run(capsys, "inspect", net, "--json").out)
    fitted = CascadeCorrelationClassifier.load(net)
    assert told["curves"]["train_loss"] == pytest.approx(fitted.loss_curve_)
    assert set(told["curves"]["val_loss"]) == {None}


@pytest.mark.parametrize(
    ("first", "labels"),
    [
        (2**53, [2**53, 2**53 + 1, 2**53 + 2]),
        (-(2**63), [-(2**63), -(2**63) + 1, -(2**63) + 2]),
        (10**20, [str(10**20), str(10**20 + 1), str(10**20 + 2)]),
    ],
)
def test_long_numbers_as_labels(
    first: int, labels: list[int] | list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each is a class of its own, though they are the same in double precision; text beyond 64 bits."""
    data, net = tmp_path / "data.csv", tmp_path / "net.h5"
    data.write_text("a,id\n" + "".join(f"{i},{first + i % 3}\n" for i in range(30)))
    assert run(capsys, "train", data, "--out", net, "--task", "classification", *SMALL).code == 0
    assert snapshots.read(net).card.labels == labels


def test_long_numbers_of_an_npz(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Labels beyond int64 are kept as text, and those of the test patterns are known by it."""
    y = np.array([5, 2**63 + 1, 2**63 + 2] * 50, np.uint64)
    np.savez(tmp_path / "data.npz", X_train=X, y_train=y, X_test=X[:1], y_test=y[:1], allow_pickle=False)
    net = tmp_path / "net.h5"
    assert run(capsys, "train", tmp_path / "data.npz", "--out", net, *SMALL).code == 0
    assert snapshots.read(net).card.labels == ["5", str(2**63 + 1), str(2**63 + 2)]


def test_many_long_numbers_are_values(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """That int64 does not hold them makes no classes of them."""
    (tmp_path / "data.csv").write_text("a,size\n" + "".join(f"{i},{i + 1}{'0' * 20}\n" for i in range(30)))
    ended = run(capsys, "train", tmp_path / "data.csv", "--out", tmp_path / "net.h5", *SMALL)
    assert "column 'size': values, as it seems" in ended.out
