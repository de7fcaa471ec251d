"""Named models are files alone."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from juniper_cascor import snapshots
from juniper_cascor.serving.model_folder import ModelFolder
from juniper_cascor.serving.model_store import LoadedModel, ModelStore
from juniper_common.errors import ConflictError, NotFoundError, UnavailableError, UnprocessableError
from tests.unit.juniper_cascor.snapshot_data import CARD, NETWORK, SNAPSHOT

MakeContent = Callable[[int], bytes]


@pytest.fixture
def content(tmp_path: Path) -> MakeContent:
    """The bytes of a snapshot at some epoch."""

    def make(epoch: int) -> bytes:
        path = tmp_path / f"{epoch}.h5"
        snapshots.write(path, replace(SNAPSHOT, card=CARD.model_copy(update={"epoch": epoch})))
        return path.read_bytes()

    return make


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the store keeps its models."""
    return tmp_path / "models"


@pytest.fixture
def store(folder: Path) -> ModelStore:
    """A store whose clock stands."""
    return ModelStore(folder, clock=lambda: 1_000.0)


def test_a_promoted_snapshot_answers(store: ModelStore, content: MakeContent) -> None:
    """Its network is the snapshot's; its card says where it comes from and how good it is."""
    card = store.promote("flowers", content(120), snapshot_id="run.00002-000000120", notes="the first")
    loaded = store.loaded("flowers")
    x = np.array([[0.5, 1.5]])
    np.testing.assert_array_equal(loaded.network.outputs(x), NETWORK.outputs(x))
    assert loaded.card == card
    assert (card.name, card.version, card.is_current, card.created_at) == ("flowers", 1, True, 1_000.0)
    assert (card.snapshot_id, card.run_id, card.notes) == ("run.00002-000000120", CARD.run_id, "the first")
    assert (card.n_inputs, card.n_outputs, card.hidden_units, card.activations) == (2, 2, 2, ["tanh", "sin"])
    assert (card.labels, card.epoch, card.trained_at) == (CARD.labels, 120, CARD.created_at)


def test_the_card_has_the_last_metrics_that_are_defined(store: ModelStore, tmp_path: Path) -> None:
    """A loss that was not taken at the end is that of before; one that never was is left out."""
    nan = np.nan
    columns = {"train_loss": np.array([3, 2, 1]), "val_loss": np.array([3, 2, nan]), "val_accuracy": np.full(3, nan)}
    snapshots.write(tmp_path / "s.h5", replace(SNAPSHOT, metrics=columns))
    card = store.promote("flowers", (tmp_path / "s.h5").read_bytes())
    assert card.metrics == {"train_loss": 1, "val_loss": 2}


def test_the_version_before_is_kept(store: ModelStore, content: MakeContent) -> None:
    """A second promotion answers; the list of versions has both, newest first."""
    store.promote("flowers", content(1))
    store.promote("flowers", content(2))
    info = store.info("flowers")
    assert info.card is not None
    assert (info.card.version, info.card.epoch) == (2, 2)
    assert [(version.version, version.is_current) for version in info.versions] == [(2, True), (1, False)]


def test_a_rollback_goes_back_and_further_back(store: ModelStore, content: MakeContent) -> None:
    """Each one lets the version before the present one answer, until there is none."""
    for epoch in (1, 2, 3):
        store.promote("flowers", content(epoch))
    assert [store.rollback("flowers").epoch, store.rollback("flowers").epoch] == [2, 1]
    with pytest.raises(ConflictError, match="no version before 1"):
        store.rollback("flowers")
    assert store.loaded("flowers").card.epoch == 1


def test_a_promotion_after_a_rollback_takes_a_new_number(store: ModelStore, content: MakeContent) -> None:
    """No version is written over, and the next rollback returns to what answered before, not to what was given up."""
    store.promote("flowers", content(1))
    store.promote("flowers", content(2))
    store.rollback("flowers")
    assert store.promote("flowers", content(3)).version == 3
    assert store.card("flowers", 2).epoch == 2
    assert store.rollback("flowers").version == 1


def test_another_process_finds_the_same_models(store: ModelStore, folder: Path, content: MakeContent) -> None:
    """Nothing is known but what stands in the files."""
    store.promote("flowers", content(1))
    store.promote("flowers", content(2))
    store.rollback("flowers")
    assert ModelStore(folder).info("flowers") == store.info("flowers")


def test_a_model_of_a_later_release_answers(store: ModelStore, folder: Path, content: MakeContent) -> None:
    """Whatever else that release notes of it."""
    store.promote("flowers", content(1))
    note = folder / "flowers" / "00001.json"
    note.write_text(json.dumps(json.loads(note.read_text()) | {"author": "me"}))
    assert ModelStore(folder).loaded("flowers").card == store.card("flowers", 1)


def test_any_version_has_a_card(store: ModelStore, content: MakeContent) -> None:
    """It says whether it is the one that answers."""
    store.promote("flowers", content(1))
    store.promote("flowers", content(2))
    assert [store.card("flowers", version).is_current for version in (1, 2)] == [False, True]
    with pytest.raises(NotFoundError, match="flowers has no version 3"):
        store.card("flowers", 3)


def test_a_deleted_model_is_gone(store: ModelStore, folder: Path, content: MakeContent) -> None:
    """Nothing of it stays, and its name begins again: what was in memory does not answer."""
    store.promote("flowers", content(1))
    store.delete("flowers")
    assert list(folder.iterdir()) == []
    with pytest.raises(NotFoundError, match="no model 'flowers'"):
        store.loaded("flowers")
    assert store.promote("flowers", content(2)).version == 1
    assert store.loaded("flowers").card.epoch == 2


@pytest.mark.parametrize("name", ["", ".", "..", "../models", "a/b", "Upper", "-a", "a\n", "é", "a" * 65])
def test_names_lead_nowhere_else(store: ModelStore, content: MakeContent, name: str) -> None:
    """What is no name is refused, and never found."""
    with pytest.raises(UnprocessableError) as refused:
        store.promote(name, content(1))
    assert refused.value.fields[0].loc == ["name"]
    with pytest.raises(NotFoundError):
        store.info(name)
    with pytest.raises(NotFoundError):
        store.delete(name)


def test_what_is_no_snapshot_is_not_promoted(store: ModelStore, folder: Path, content: MakeContent) -> None:
    """The name goes on not to exist."""
    with pytest.raises(ConflictError, match=r"cannot be promoted: run\.1 is damaged"):
        store.promote("flowers", content(1)[:-1], snapshot_id="run.1")
    assert not folder.exists()


@pytest.mark.parametrize("file", ["00002.h5", "00002.json", "current"])
@pytest.mark.parametrize("damage", [b"", b"damaged"])
def test_a_damaged_file_is_named(
    store: ModelStore, folder: Path, content: MakeContent, file: str, damage: bytes
) -> None:
    """In one line; the other models answer, and the damaged one can be deleted."""
    for name in ("flowers", "trees"):
        store.promote(name, content(1))
        store.promote(name, content(2))
    (folder / "flowers" / file).write_bytes(damage)
    opened_anew = ModelStore(folder)
    with pytest.raises(UnavailableError, match=f"flowers/{file} is damaged"):
        opened_anew.loaded("flowers")
    flowers, trees = opened_anew.listed()
    assert flowers.problem is not None
    assert (flowers.name, flowers.card, flowers.problem.count("\n")) == ("flowers", None, 0)
    assert f"flowers/{file} is damaged" in flowers.problem
    assert (trees.name, trees.problem) == ("trees", None)
    opened_anew.delete("flowers")
    assert [info.name for info in opened_anew.listed()] == ["trees"]


def test_a_damaged_version_is_rolled_back_from(store: ModelStore, folder: Path, content: MakeContent) -> None:
    """What is needed for that is not in the damaged snapshot."""
    store.promote("flowers", content(1))
    store.promote("flowers", content(2))
    (folder / "flowers" / "00002.h5").write_bytes(b"damaged")
    assert store.rollback("flowers").version == 1
    assert store.loaded("flowers").card.epoch == 1


def test_a_rollback_passes_over_what_cannot_answer(
    store: ModelStore, folder: Path, content: MakeContent, caplog: pytest.LogCaptureFixture
) -> None:
    """A damaged version before the present one is named in the log."""
    for epoch in (1, 2, 3):
        store.promote("flowers", content(epoch))
    (folder / "flowers" / "00002.h5").write_bytes(b"damaged")
    assert store.rollback("flowers").version == 1
    assert "flowers/00002.h5" in caplog.text


def test_a_full_disk_leaves_the_version_before(store: ModelStore, folder: Path, content: MakeContent) -> None:
    """A promotion that cannot be written changes nothing, and the next one takes its place."""
    store.promote("flowers", content(1))
    (folder / "flowers" / "00002.json").mkdir()  # which no file can replace
    with pytest.raises(OSError, match="directory"):
        store.promote("flowers", content(2))
    assert store.loaded("flowers").card.version == 1
    (folder / "flowers" / "00002.json").rmdir()
    assert store.promote("flowers", content(3)).version == 2


def test_few_networks_stay_in_memory(folder: Path, content: MakeContent) -> None:
    """Those asked last; the others are read again."""
    store = ModelStore(folder, max_loaded=2)
    for name in ("a", "b", "c"):
        store.promote(name, content(1))
    kept = store.loaded("b")
    store.loaded("c")
    assert store.loaded("b") is kept
    store.loaded("a")
    assert store.loaded("b") is kept
    before = store.loaded("c")
    assert store.loaded("c") is before


class OvertakenStore(ModelStore):
    """Its models are deleted by somebody else just before it reads them."""

    def _read(self, name: str, folder: ModelFolder, version: int) -> LoadedModel:
        ModelStore(self._folder).delete(name)
        return super()._read(name, folder, version)


@pytest.mark.parametrize(
    "ask", [lambda store: store.info("a"), lambda store: store.loaded("a"), lambda store: store.card("a", 1)]
)
def test_a_model_that_is_deleted_while_it_is_asked_for(
    store: ModelStore, folder: Path, content: MakeContent, ask: Callable[[ModelStore], object]
) -> None:
    """It is not there: nothing is said to be damaged."""
    store.promote("a", content(120))
    with pytest.raises(NotFoundError, match="there is no model 'a'"):
        ask(OvertakenStore(folder))


def test_a_model_that_is_deleted_while_all_are_listed(store: ModelStore, folder: Path, content: MakeContent) -> None:
    """It is left out."""
    store.promote("a", content(120))
    assert OvertakenStore(folder).listed() == []
