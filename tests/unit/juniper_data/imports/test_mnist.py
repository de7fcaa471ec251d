import gzip
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from juniper_data.imports.collection import MAX_FILE_BYTES
from juniper_data.imports.mnist import IDX_FILES, MNIST
from tests.unit.juniper_data.imports.collecting import Change, Collecting
from tests.unit.juniper_data.imports.collection_files import (
    N_TEST,
    N_TRAIN,
    images,
    mnist_parquet,
    mnist_split,
    png,
    write_idx,
)


@pytest.fixture
def mnist(tmp_path: Path) -> Collecting:
    """MNIST from the import folder, which is empty."""
    return Collecting(MNIST, tmp_path)


def write_parquet(folder: Path) -> None:
    """Both splits, the one to train on in two files."""
    folder.mkdir(parents=True, exist_ok=True)
    pixels, labels = images(N_TRAIN, N_TRAIN)
    for part, chosen in enumerate((slice(0, 25), slice(25, None))):
        content = mnist_parquet([png(each) for each in pixels[chosen]], labels[chosen].tolist())
        (folder / f"train-0000{part}-of-00002.parquet").write_bytes(content)
    (folder / "test-00000-of-00001.parquet").write_bytes(mnist_split(N_TEST))


@pytest.mark.parametrize("form", ["plain", "packed", "parquet"])
def test_images_of_any_form_are_the_same_dataset(mnist: Collecting, form: str) -> None:
    """IDX, gzipped or not, and Parquet: the set's own splits, pixels from 0 to 1, classes one-hot."""
    if form == "parquet":
        write_parquet(mnist.folder / "mnist")
    else:
        write_idx(mnist.folder / "mnist", packed=form == "packed")
    facts, arrays = mnist.make(shuffle=False)
    for split, n in (("train", N_TRAIN), ("test", N_TEST)):
        pixels, labels = images(n, n)
        expected = pixels.reshape(n, 784).astype(np.float32) / np.float32(255)
        np.testing.assert_array_equal(arrays[f"X_{split}"], expected)
        np.testing.assert_array_equal(arrays[f"y_{split}"], np.eye(10, dtype=np.float32)[labels])
    assert (facts.n_train, facts.n_test, facts.n_features, facts.n_classes) == (N_TRAIN, N_TEST, 784, 10)
    assert facts.class_distribution == {str(digit): 8 for digit in range(10)}


def test_numbers_are_as_they_are_asked_for(mnist: Collecting) -> None:
    """Images of 28 rows, pixels as in the file, labels as numbers to predict."""
    write_idx(mnist.folder / "mnist")
    facts, arrays = mnist.make(shuffle=False, flatten=False, normalize=False, one_hot_labels=False)
    pixels, labels = images(N_TRAIN, N_TRAIN)
    np.testing.assert_array_equal(arrays["X_train"], pixels)
    np.testing.assert_array_equal(arrays["y_train"], labels[:, None])
    assert (facts.task_type, facts.n_features, facts.n_classes) == ("regression", 784, 0)


def test_fashion_mnist_lies_in_its_own_folder(mnist: Collecting) -> None:
    """Its classes have names."""
    write_idx(mnist.folder / "fashion_mnist")
    facts, _ = mnist.make(dataset="fashion_mnist")
    assert facts.class_names is not None
    assert (facts.class_names[0], facts.class_names[9]) == ("T-shirt/top", "Ankle boot")
    assert "mnist" in mnist.refusal()[1]


def test_samples_stay_in_their_split(mnist: Collecting) -> None:
    """Shuffled by the seed, within each split; those to validate on are of those to train on."""
    write_idx(mnist.folder / "mnist")
    facts, arrays = mnist.make(normalize=False, val_ratio=0.25, seed=3)
    assert (facts.n_train, facts.n_test, facts.n_val) == (45, N_TEST, 15)
    used = np.concatenate([arrays["X_train"], arrays["X_val"]])
    order = used[:, 0].astype(int)
    assert sorted(order) == list(range(N_TRAIN))
    assert order.tolist() != list(range(N_TRAIN))
    np.testing.assert_array_equal(used, images(N_TRAIN, N_TRAIN)[0].reshape(-1, 784)[order])
    np.testing.assert_array_equal(mnist.make(normalize=False, val_ratio=0.25, seed=3)[1]["X_full"], arrays["X_full"])


@pytest.mark.parametrize(("n", "n_train"), [(40, 30), (10, 8), (79, 59)])
def test_some_samples_are_drawn_of_each_class_by_its_share(mnist: Collecting, n: int, n_train: int) -> None:
    """No class and no split has one more than its share, rounded up, nor is any image taken twice."""
    write_idx(mnist.folder / "mnist")
    facts, arrays = mnist.make(n_samples=n, normalize=False)
    assert (facts.n_samples, abs(facts.n_train - n_train) <= 2) == (n, True)
    for split, per_class in (("train", 6 * n / 80), ("test", 2 * n / 80)):
        counts = arrays[f"y_{split}"].sum(axis=0)
        assert counts.min() >= np.floor(per_class)
        assert counts.max() <= np.ceil(per_class)
        assert len(np.unique(arrays[f"X_{split}"], axis=0)) == counts.sum()


def test_more_samples_than_there_are_are_refused(mnist: Collecting) -> None:
    """The parameter is named, and how many there are."""
    write_idx(mnist.folder / "mnist")
    assert mnist.refusal(n_samples=81) == (["params", "n_samples"], "must be at most 80, which is all there are")


def test_what_is_missing_is_told(mnist: Collecting) -> None:
    """Which files go where, or what to install; nothing once the files are there."""
    hint = mnist.importer.lacks(MNIST)
    assert hint is not None
    for word in (*IDX_FILES, str(mnist.folder / "mnist"), "fashion_mnist", "juniper-ctl install --extra hub"):
        assert word in hint
    loc, message = mnist.refusal()
    assert (loc, str(mnist.folder / "mnist") in message) == (["params", "dataset"], True)
    write_idx(mnist.folder / "fashion_mnist")
    assert mnist.importer.lacks(MNIST) is None
    (mnist.folder / "fashion_mnist" / IDX_FILES[3]).unlink()
    assert mnist.importer.lacks(MNIST) is not None


def header(magic: int, *shape: int) -> bytes:
    """The beginning of an IDX file."""
    return b"".join(number.to_bytes(4) for number in (magic, *shape))


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (IDX_FILES[0], lambda content: content[:-1], "does not hold the 60 items"),
        (IDX_FILES[0], lambda content: content[:10], "ends within its header"),
        (IDX_FILES[0], lambda content: header(2049) + content[4:], "begins with 0x00000801"),
        (IDX_FILES[0], lambda _: header(2051, 2**32 - 1, 28, 28), "says that it holds 4294967295 items"),
        (IDX_FILES[0], lambda content: header(2051, 60, 29, 28) + content[16:], "holds images of 29×28 pixels"),
        (IDX_FILES[0], lambda _: b"", "is empty"),
        (IDX_FILES[0], lambda _: b" " * (MAX_FILE_BYTES + 1), "is larger than 64 MiB"),
        (IDX_FILES[1], lambda content: header(2049, 59) + content[8:-1], "there are 60 images and 59 labels"),
        (IDX_FILES[3], lambda content: content[:-1] + b"\x0a", "10 is no label from 0 to 9"),
    ],
)
def test_hostile_idx_is_refused(mnist: Collecting, name: str, change: Change, message: str) -> None:
    """With the file and what is wrong with it."""
    folder = mnist.folder / "mnist"
    write_idx(folder)
    (folder / name).write_bytes(change((folder / name).read_bytes()))
    loc, said = mnist.refusal()
    assert loc == ["file"]
    assert name[:5].rstrip("-") in said
    assert message in said


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda _: gzip.compress(bytes(80 << 20), 1), "holds more than"),
        (lambda content: content[:-12], "ends too early"),
        (lambda content: content + content, "goes on after its end"),
        (lambda content: content[:40] + b"\xff" * 40 + content[80:], "is no gzip that can be read"),
    ],
)
def test_hostile_gzip_is_refused(mnist: Collecting, change: Change, message: str) -> None:
    """A bomb is not unpacked further than a set can be large."""
    folder = mnist.folder / "mnist"
    write_idx(folder, packed=True)
    path = folder / f"{IDX_FILES[0]}.gz"
    path.write_bytes(change(path.read_bytes()))
    loc, said = mnist.refusal()
    assert (loc, said.startswith(path.name), message in said) == (["file"], True, True), said


GREY = png(images(1)[0][0])


@pytest.mark.parametrize(
    ("pngs", "labels", "message"),
    [
        ([png(np.zeros((10_000, 10_000), np.uint8))], [1], "row 1: is a PNG of 10000×10000 pixels"),
        ([GREY, png(np.zeros((28, 28, 3), np.uint8))], [1, 1], "row 2: is a PNG of 28×28 pixels; 28×28 grey"),
        ([GREY[:60]], [1], "row 1: is no PNG that can be read"),
        ([GREY[:20] + b"\xff" * 8 + GREY[28:]], [1], "row 1: is a PNG of"),
        ([GREY + bytes(5000)], [1], "row 1: is a PNG of"),
        ([b"GIF89a"], [1], "row 1: is no PNG"),
        ([None], [1], "row 1: is no PNG"),
        ([GREY], [10], "10 is no label from 0 to 9"),
        ([GREY], [None], "nan is no label from 0 to 9"),
        ([], [], "there is no image in its files"),
    ],
)
def test_hostile_pngs_are_refused(
    mnist: Collecting, pngs: list[bytes | None], labels: list[int | None], message: str
) -> None:
    """With their file and row."""
    folder = mnist.folder / "mnist"
    write_parquet(folder)
    for path in folder.glob("train*"):
        path.unlink()
    (folder / "train.parquet").write_bytes(mnist_parquet(pngs, labels))
    loc, said = mnist.refusal()
    assert (loc, said.startswith("train"), message in said) == (["file"], True, True), said


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pa.table({"pixels": [1]}), "needs a column image with bytes in it, and label; there are: pixels"),
        (pa.table({"image": [GREY], "label": [1]}), "needs a column image with bytes in it"),
        (pa.table({"image": [{"bytes": "text"}], "label": [1]}), "needs a column image with bytes in it"),
        (pa.table({"image": [{"bytes": GREY}], "label": ["1"]}), "column label holds string"),
        (pa.table({"image": [{"bytes": b""}] * 70_001, "label": [1] * 70_001}), "holds 70001 images; "),
        (None, "is no Parquet that can be read"),
    ],
)
def test_parquet_of_something_else_is_refused(mnist: Collecting, table: pa.Table | None, message: str) -> None:
    """The file is named, and its columns."""
    write_parquet(mnist.folder / "mnist")
    path = mnist.folder / "mnist" / "test-00000-of-00001.parquet"
    if table is None:
        path.write_bytes(path.read_bytes()[:-20])
    else:
        parquet.write_table(table, path)
    loc, said = mnist.refusal()
    assert (loc, said.startswith(path.name), message in said) == (["file"], True, True), said


def test_whole_set_is_read_in_bounded_memory(mnist: Collecting) -> None:
    """70,000 images become a dataset, in the memory that a reader of files has."""
    folder = mnist.folder / "mnist"
    folder.mkdir()
    for split, n in (("train", 60_000), ("t10k", 10_000)):
        pixels = np.zeros((n, 28, 28), np.uint8)
        pixels[:, 0, :3] = np.arange(n)[:, None] // [1, 256, 65536] % 256
        for what, number, array in (("images", 3, pixels), ("labels", 1, (np.arange(n) % 10).astype(np.uint8))):
            shape = header(0x0800 + number, *array.shape)
            (folder / f"{split}-{what}-idx{number}-ubyte").write_bytes(shape + array.tobytes())
    asked = MNIST.parameters()
    with mnist.importer.made_of(mnist.importer.find(MNIST, asked), asked) as made:
        facts = made.facts
    assert (facts.n_train, facts.n_test, facts.class_distribution["0"]) == (60_000, 10_000, 7_000)
