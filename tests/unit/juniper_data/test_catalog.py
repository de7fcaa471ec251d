import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from io import BufferedReader
from pathlib import Path

import numpy as np
import pytest

from juniper_common.wire.datasets import CreateDatasetRequest, JsonObject, UploadQuery
from juniper_common.wire.profiles import Constraints
from juniper_data.catalog import Catalog, draw_seed, utc_now
from juniper_data.errors import (
    ConstraintError,
    DatasetDamagedError,
    DatasetNotFoundError,
    InvalidParametersError,
    KeyReusedError,
    UnknownGeneratorError,
)
from juniper_data.generators import generators
from juniper_data.generators.base import MAX_SEED
from juniper_data.generators.spiral import SPIRAL
from juniper_data.imports.importer import Importer
from juniper_data.imports.parameters import ImportParameters
from juniper_data.making import Made, generated
from juniper_data.npz import write_npz
from juniper_data.stores.memory import MemoryStore
from juniper_data.stores.protocol import Stored
from tests.unit.juniper_data.creating import create

DEMO = CreateDatasetRequest(
    generator="spiral", params={"n_spirals": 2, "n_points_per_spiral": 200, "noise": 0.15, "seed": 42}
)


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    """An empty store."""
    store = MemoryStore()
    yield store
    store.close()


def test_meta_tells_all_of_the_demo_set(catalog: Catalog) -> None:
    """The demo's dataset is described as the wire contract says."""
    request = DEMO.model_copy(update={"tags": ("a", "b"), "ttl_seconds": 60, "name": "demo", "created_by": "me"})
    meta = create(catalog, request).meta
    assert meta == catalog.meta(meta.dataset_id)
    assert (meta.n_samples, meta.n_features, meta.n_classes) == (400, 2, 2)
    assert (meta.n_train, meta.n_test, meta.n_val) == (320, 80, 0)
    assert (meta.class_distribution, meta.task_type) == ({"0": 200, "1": 200}, "classification")
    assert meta.split_distributions == {
        "train": {"0": 161, "1": 159},
        "test": {"0": 39, "1": 41},
        "val": {"0": 0, "1": 0},
    }
    assert (meta.tags, meta.dataset_name, meta.created_by) == (("a", "b"), "demo", "me")
    assert meta.expires_at == meta.created_at + timedelta(seconds=60)
    assert meta.params["n_rotations"] == 3.0


def test_artifact_holds_the_arrays_that_meta_describes(catalog: Catalog) -> None:
    """The artifact has the checksum, the shapes and the type that are promised."""
    meta = create(catalog, DEMO).meta
    with catalog.open_artifact(meta.dataset_id).file as file:
        assert hashlib.sha256(file.read()).hexdigest() == meta.checksum
        file.seek(0)
        with np.load(file, allow_pickle=False) as arrays:
            shapes = {name: arrays[name].shape for name in arrays.files}
            assert {arrays[name].dtype for name in arrays.files} == {np.dtype(np.float32)}
    assert shapes == {
        "X_train": (320, 2),
        "y_train": (320, 2),
        "X_test": (80, 2),
        "y_test": (80, 2),
        "X_full": (400, 2),
        "y_full": (400, 2),
    }


def test_same_request_finds_the_same_dataset(catalog: Catalog) -> None:
    """Asked again, by aliases and with other notes, the dataset is found and keeps its own notes."""
    first = create(catalog, DEMO)
    params = {"n_points": 200, "noise_level": 0.15}
    again = create(catalog, CreateDatasetRequest(generator="spiral", params=params, description="other"))
    assert (first.created, again.created) == (True, False)
    assert again.meta == first.meta


def test_null_seed_makes_another_dataset_each_time(catalog: Catalog) -> None:
    """Without a seed each dataset is new, and the seed it got makes it again."""
    request = CreateDatasetRequest(generator="xor", params={"seed": None})
    one, two = create(catalog, request), create(catalog, request)
    assert (one.created, two.created) == (True, True)
    assert (one.meta.params["seed"], two.meta.params["seed"]) == (1000, 1001)
    assert not create(catalog, CreateDatasetRequest(generator="xor", params={"seed": 1001})).created


def test_unpersisted_dataset_is_described_but_not_kept(catalog: Catalog) -> None:
    """With persist off the same meta comes back, and the store stays empty."""
    meta = create(catalog, DEMO.model_copy(update={"persist": False})).meta
    assert catalog.ids(10, 0) == []
    assert create(catalog, DEMO).meta.checksum == meta.checksum


def test_expired_dataset_makes_room_for_its_successor(store: MemoryStore) -> None:
    """Until it expires a dataset is found; afterwards the same request makes it anew."""
    now = utc_now()

    def clock() -> datetime:
        return now

    catalog = Catalog(store, clock=clock)
    request = CreateDatasetRequest(generator="xor", ttl_seconds=10)
    create(catalog, request)
    now += timedelta(seconds=9)
    assert not create(catalog, request).created
    now += timedelta(seconds=1)
    renewed = create(catalog, request)
    assert (renewed.created, renewed.meta.created_at) == (True, now)


@pytest.mark.parametrize(
    ("params", "locs"),
    [
        ({"noise": 3, "n_points": 1}, [["params", "n_points"], ["params", "noise"]]),
        ({"noise": "nan"}, [["params", "noise"]]),
        ({"origin": [0, float("inf")]}, [["params", "origin", 1]]),
        ({"foo": 1}, [["params", "foo"]]),
        ({"train_ratio": 0.9}, [["params"]]),
        ({"train_ratio": 0.001}, [["params", "train_ratio"]]),
    ],
)
def test_refused_params_are_named_and_change_nothing(
    catalog: Catalog, params: JsonObject, locs: list[list[str | int]]
) -> None:
    """Each wrong field is named, and nothing is stored."""
    with pytest.raises(InvalidParametersError) as refused:
        create(catalog, CreateDatasetRequest.model_construct(generator="spiral", params=params, persist=True))
    assert [problem.loc for problem in refused.value.problems] == locs
    assert catalog.ids(10, 0) == []


def test_unknown_generator_is_told_which_there_are(catalog: Catalog) -> None:
    """The error ends with the names to choose from."""
    with pytest.raises(UnknownGeneratorError, match="parity, spiral, xor"):
        create(catalog, CreateDatasetRequest(generator="spirl"))


def test_generators_come_by_name(catalog: Catalog) -> None:
    """The list is in alphabetical order and whole."""
    assert [source.name for source in catalog.sources()] == sorted(generators())


def test_preview_shows_the_first_samples_and_counts(catalog: Catalog) -> None:
    """A preview is at most as long as asked for, and an access."""
    dataset_id = create(catalog, DEMO).meta.dataset_id
    preview = catalog.preview(dataset_id, 3)
    assert (preview.n_samples, len(preview.X_sample), len(preview.y_sample[0])) == (3, 3, 2)
    assert catalog.preview(dataset_id, 1000).n_samples == 400
    assert catalog.meta(dataset_id).access_count == 2


def test_preview_can_be_spread_over_the_set(catalog: Catalog) -> None:
    """As many of each class, where the first would be of one alone."""
    unshuffled = DEMO.model_copy(update={"params": DEMO.params | {"shuffle": False}})
    dataset_id = create(catalog, unshuffled).meta.dataset_id
    first, spread = (catalog.preview(dataset_id, 10, is_spread=is_spread) for is_spread in (False, True))
    assert np.sum(first.y_sample, axis=0).tolist() == [10, 0]
    assert np.sum(spread.y_sample, axis=0).tolist() == [5, 5]


def test_a_previewed_order_is_what_would_be_made(catalog: Catalog) -> None:
    """Its figures are those of the dataset, its samples are of it, and nothing is kept."""
    order = catalog.order(DEMO)
    preview = catalog.preview_order(order, 10)
    assert catalog.ids(10, 0) == []
    meta = catalog.make(order).meta
    told = preview.model_dump(exclude={"X_sample", "y_sample"})
    assert told == meta.model_dump(include=set(told))
    samples = catalog.preview(meta.dataset_id, 10, is_spread=True)
    assert (preview.X_sample, preview.y_sample) == (samples.X_sample, samples.y_sample)


def test_preview_of_wide_samples_is_short(store: MemoryStore, catalog: Catalog) -> None:
    """Not as many as asked for, where that would be a gigabyte of text; but one at least."""
    meta = create(catalog, DEMO.model_copy(update={"persist": False})).meta
    for width, n_shown in ((19_999, 50), (1_000_000, 1)):
        artifact = io.BytesIO()
        write_npz(artifact, {"X_full": np.zeros((60, width), np.float32), "y_full": np.zeros((60, 1), np.float32)})
        checksum = hashlib.sha256(artifact.getvalue()).hexdigest()
        artifact.seek(0)
        store.put(meta.model_copy(update={"checksum": checksum}), artifact)
        assert catalog.preview(meta.dataset_id, 1000).n_samples == n_shown
        catalog.delete(meta.dataset_id)


def test_preview_of_what_is_no_npz_is_damage(store: MemoryStore, catalog: Catalog) -> None:
    """An artifact with the right checksum that is no NPZ is told as damage, not as a crash."""
    content = b"no zip"
    meta = create(catalog, DEMO.model_copy(update={"persist": False})).meta
    store.put(meta.model_copy(update={"checksum": hashlib.sha256(content).hexdigest()}), io.BytesIO(content))
    with pytest.raises(DatasetDamagedError):
        catalog.preview(meta.dataset_id, 1)


def test_deleted_dataset_is_not_found(catalog: Catalog) -> None:
    """What was deleted is gone."""
    dataset_id = create(catalog, DEMO).meta.dataset_id
    catalog.delete(dataset_id)
    with pytest.raises(DatasetNotFoundError):
        catalog.checksum(dataset_id)


def test_drawn_seeds_are_seeds() -> None:
    """What is drawn is within the bounds of the parameter."""
    assert all(0 <= draw_seed() <= MAX_SEED for _ in range(100))


UNSEEDED = CreateDatasetRequest(generator="xor", params={"seed": None})


def test_idempotency_key_makes_one_set_of_a_null_seed(catalog: Catalog) -> None:
    """The same request with the same key is the same dataset; with another key, or none, it is another."""
    first = create(catalog, UNSEEDED, "a")
    assert create(catalog, UNSEEDED, "a") == Stored(first.meta, created=False)
    others = {create(catalog, UNSEEDED, "b").meta.dataset_id, create(catalog, UNSEEDED).meta.dataset_id}
    assert len({first.meta.dataset_id, *others}) == 3


def test_idempotency_key_of_another_request_is_refused(catalog: Catalog) -> None:
    """A key stands for one request alone, its notes included."""
    create(catalog, UNSEEDED, "a")
    with pytest.raises(KeyReusedError):
        create(catalog, UNSEEDED.model_copy(update={"tags": ("x",)}), "a")


def test_found_dataset_takes_a_further_name(catalog: Catalog) -> None:
    """Data is the same whatever it is called: a new name is noted, with a version of its own."""
    create(catalog, DEMO.model_copy(update={"name": "one"}))
    create(catalog, UNSEEDED.model_copy(update={"name": "two"}))
    again = create(catalog, DEMO.model_copy(update={"name": "two"}))
    assert (again.created, again.meta.dataset_name, again.meta.dataset_version) == (False, "two", 2)
    assert [meta.dataset_id for meta in catalog.versions("one")] == [again.meta.dataset_id]


def test_constraints_hold_for_new_and_for_stored_datasets(catalog: Catalog) -> None:
    """What is not as demanded is not kept, and what was kept before is held against the demand too."""
    demanding = DEMO.model_copy(update={"constraints": Constraints(min_samples=401)})
    with pytest.raises(ConstraintError, match=r"constraints\.min_samples"):
        create(catalog, demanding)
    assert catalog.ids(10, 0) == []
    create(catalog, DEMO)
    with pytest.raises(ConstraintError):
        create(catalog, demanding)


def test_lineage_goes_both_ways(catalog: Catalog) -> None:
    """A dataset tells its ancestors, nearest first, and its children; a parent must be there."""
    root = create(catalog, DEMO).meta.dataset_id
    middle = create(catalog, UNSEEDED.model_copy(update={"parent_dataset_id": root})).meta.dataset_id
    leaf = create(catalog, UNSEEDED.model_copy(update={"parent_dataset_id": middle})).meta.dataset_id
    assert catalog.lineage(leaf).ancestors == (middle, root)
    assert catalog.lineage(root).children == (middle,)
    catalog.delete(root)
    assert catalog.lineage(leaf).ancestors == (middle, root)
    with pytest.raises(InvalidParametersError, match="parent_dataset_id"):
        create(catalog, DEMO.model_copy(update={"parent_dataset_id": root}))


class CopyingImporter(Importer):
    """Takes any file for the demo set; what it reads is another's matter."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self, file_path: str) -> BufferedReader:
        """The file."""
        return (self.folder / file_path).open("rb")

    @contextmanager
    def made(self, file: BufferedReader, sha256: str, parameters: ImportParameters) -> Iterator[Made]:
        """The demo set."""
        assert hashlib.sha256(file.read()).hexdigest() == sha256
        with generated(SPIRAL, SPIRAL.parameters(seed=parameters.seed)) as made:
            yield made


def test_imported_file_is_told_by_its_content(store: MemoryStore, tmp_path: Path) -> None:
    """The same file is the same dataset; a changed one is another, and the one before stays."""
    catalog = Catalog(store, CopyingImporter(tmp_path))
    file = tmp_path / "a.csv"
    file.write_text("one")
    request = CreateDatasetRequest(generator="csv_import", params={"file_path": "a.csv"})
    first = create(catalog, request)
    assert first.meta.params["file_sha256"] == hashlib.sha256(b"one").hexdigest()
    assert not create(catalog, request).created
    file.write_text("two")
    assert create(catalog, request).created
    assert len(catalog.ids(10, 0)) == 2


def test_upload_is_told_by_its_content(store: MemoryStore, tmp_path: Path) -> None:
    """An upload's id follows from its bytes and from how they are read; its notes are kept."""
    catalog = Catalog(store, CopyingImporter(tmp_path))
    file = tmp_path / "sent"
    file.write_bytes(b"x")
    query = UploadQuery(format="csv", name="mine", tags="a,b", feature_columns="x,y", label_column="class")
    order = catalog.upload_order(query, file, hashlib.sha256(b"x").hexdigest())
    meta = catalog.make(order).meta
    assert (meta.generator, meta.dataset_name, meta.tags) == ("upload", "mine", ("a", "b"))
    assert (meta.params["feature_columns"], meta.params["label_column"]) == (["x", "y"], "class")
    assert catalog.find_made(order) == Stored(meta, created=False)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"min_samples": 1000}', r"constraints\.min_samples: "),
        ('{"min_samples": 0}', r"constraints\.min_samples: "),
        ("[" * 1000, "constraints: is no JSON"),
        ("{", "constraints: is no JSON"),
    ],
)
def test_upload_that_is_not_as_demanded_is_refused(store: MemoryStore, tmp_path: Path, text: str, problem: str) -> None:
    """Constraints hold for files that are sent as for what is generated."""
    catalog = Catalog(store, CopyingImporter(tmp_path))
    file = tmp_path / "sent"
    file.write_bytes(b"x")
    with pytest.raises(InvalidParametersError, match=problem):
        catalog.make(catalog.upload_order(UploadQuery(constraints=text), file, hashlib.sha256(b"x").hexdigest()))
    assert catalog.ids(10, 0) == []


def test_upload_with_a_wrong_parameter_is_refused(store: MemoryStore, tmp_path: Path) -> None:
    """Shares that do not fit are refused before anything is read."""
    catalog = Catalog(store, CopyingImporter(tmp_path))
    with pytest.raises(InvalidParametersError, match="at most 1"):
        catalog.upload_order(UploadQuery(train_ratio=0.9, val_ratio=0.5), tmp_path / "sent", "0" * 64)


def test_without_an_importer_there_are_no_files(catalog: Catalog) -> None:
    """What cannot be done is not offered."""
    with pytest.raises(UnknownGeneratorError):
        create(catalog, CreateDatasetRequest(generator="csv_import", params={"file_path": "a.csv"}))
