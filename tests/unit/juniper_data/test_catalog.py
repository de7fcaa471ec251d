import hashlib
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from juniper_common.wire.datasets import CreateDatasetRequest, JsonObject
from juniper_data.catalog import Catalog, draw_seed, utc_now
from juniper_data.errors import (
    DatasetDamagedError,
    DatasetNotFoundError,
    InvalidParametersError,
    StoreError,
    UnknownGeneratorError,
)
from juniper_data.generators import GENERATORS
from juniper_data.generators.base import MAX_SEED
from juniper_data.stores.file_system import FileSystemStore

DEMO = CreateDatasetRequest(
    generator="spiral", params={"n_spirals": 2, "n_points_per_spiral": 200, "noise": 0.15, "seed": 42}
)


def test_meta_tells_all_of_the_demo_set(catalog: Catalog) -> None:
    """The demo's dataset is described as the wire contract says."""
    request = DEMO.model_copy(update={"tags": ("a", "b"), "ttl_seconds": 60, "name": "demo", "created_by": "me"})
    meta = catalog.create(request).meta
    assert meta == catalog.meta(meta.dataset_id)
    assert (meta.n_samples, meta.n_features, meta.n_classes) == (400, 2, 2)
    assert (meta.n_train, meta.n_test, meta.n_val) == (320, 80, 0)
    assert (meta.class_distribution, meta.task_type) == ({"0": 200, "1": 200}, "classification")
    assert (meta.tags, meta.dataset_name, meta.created_by) == (("a", "b"), "demo", "me")
    assert meta.expires_at == meta.created_at + timedelta(seconds=60)
    assert meta.params["n_rotations"] == 3.0


def test_artifact_holds_the_arrays_that_meta_describes(catalog: Catalog) -> None:
    """The artifact has the checksum, the shapes and the type that are promised."""
    meta = catalog.create(DEMO).meta
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
    first = catalog.create(DEMO)
    params = {"n_points": 200, "noise_level": 0.15}
    again = catalog.create(CreateDatasetRequest(generator="spiral", params=params, description="other"))
    assert (first.created, again.created) == (True, False)
    assert again.meta == first.meta


def test_null_seed_makes_another_dataset_each_time(catalog: Catalog) -> None:
    """Without a seed each dataset is new, and the seed it got makes it again."""
    request = CreateDatasetRequest(generator="xor", params={"seed": None})
    one, two = catalog.create(request), catalog.create(request)
    assert (one.created, two.created) == (True, True)
    assert (one.meta.params["seed"], two.meta.params["seed"]) == (1000, 1001)
    assert not catalog.create(CreateDatasetRequest(generator="xor", params={"seed": 1001})).created


def test_unpersisted_dataset_is_described_but_not_kept(catalog: Catalog) -> None:
    """With persist off the same meta comes back, and the store stays empty."""
    meta = catalog.create(DEMO.model_copy(update={"persist": False})).meta
    assert catalog.ids(10, 0) == []
    assert catalog.create(DEMO).meta.checksum == meta.checksum


def test_expired_dataset_makes_room_for_its_successor(store: FileSystemStore) -> None:
    """Until it expires a dataset is found; afterwards the same request makes it anew."""
    now = utc_now()

    def clock() -> datetime:
        return now

    catalog = Catalog(store, clock=clock)
    request = CreateDatasetRequest(generator="xor", ttl_seconds=10)
    catalog.create(request)
    now += timedelta(seconds=9)
    assert not catalog.create(request).created
    now += timedelta(seconds=1)
    renewed = catalog.create(request)
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
        catalog.create(CreateDatasetRequest.model_construct(generator="spiral", params=params, persist=True))
    assert [problem.loc for problem in refused.value.problems] == locs
    assert catalog.ids(10, 0) == []


def test_unknown_generator_is_told_which_there_are(catalog: Catalog) -> None:
    """The error ends with the names to choose from."""
    with pytest.raises(UnknownGeneratorError, match="cmu_spirals, spiral, xor"):
        catalog.create(CreateDatasetRequest(generator="spirl"))


def test_generators_come_by_name(catalog: Catalog) -> None:
    """The list is in alphabetical order and whole."""
    assert [generator.name for generator in catalog.generators()] == sorted(GENERATORS)


def test_preview_shows_the_first_samples_and_counts(catalog: Catalog) -> None:
    """A preview is at most as long as asked for, and an access."""
    dataset_id = catalog.create(DEMO).meta.dataset_id
    preview = catalog.preview(dataset_id, 3)
    assert (preview.n_samples, len(preview.X_sample), len(preview.y_sample[0])) == (3, 3, 2)
    assert catalog.preview(dataset_id, 1000).n_samples == 400
    assert catalog.meta(dataset_id).access_count == 2


def test_preview_of_what_is_no_npz_is_damage(catalog: Catalog, tmp_path: Path) -> None:
    """An artifact with the right checksum that is no NPZ is told as damage, not as a crash."""
    meta = catalog.create(DEMO).meta
    folder = tmp_path / "state" / "datasets" / meta.dataset_id
    (folder / "artifact.npz").write_bytes(b"no zip")
    checksum = hashlib.sha256(b"no zip").hexdigest()
    (folder / "meta.json").write_text(meta.model_copy(update={"checksum": checksum}).model_dump_json())
    with pytest.raises(DatasetDamagedError):
        catalog.preview(meta.dataset_id, 1)


def test_access_that_cannot_be_counted_is_still_served(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A full disk keeps nobody from reading what is there; the log tells that the count is short."""

    class FullStore(FileSystemStore):
        def record_access(self, *_: object) -> None:
            raise StoreError("No space left on device")

    catalog = Catalog(FullStore(tmp_path))
    dataset_id = catalog.create(DEMO).meta.dataset_id
    assert catalog.preview(dataset_id, 5).n_samples == 5
    assert "was not counted: No space left" in caplog.text


def test_deleted_dataset_is_not_found(catalog: Catalog) -> None:
    """What was deleted is gone."""
    dataset_id = catalog.create(DEMO).meta.dataset_id
    catalog.delete(dataset_id)
    with pytest.raises(DatasetNotFoundError):
        catalog.checksum(dataset_id)


def test_drawn_seeds_are_seeds() -> None:
    """What is drawn is within the bounds of the parameter."""
    assert all(0 <= draw_seed() <= MAX_SEED for _ in range(100))
