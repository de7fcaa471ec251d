import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from pydantic import ValidationError

from juniper_data.errors import UnreadableFileError
from juniper_data.imports.arc_agi import ARC_AGI, ArcAgiParameters
from juniper_data.imports.arc_tasks import read_arc_agi
from juniper_data.imports.rows_file import Scratch
from tests.unit.juniper_data.imports.collecting import Collecting
from tests.unit.juniper_data.imports.collection_files import task, write_challenges, write_tasks


@pytest.fixture
def arc(tmp_path: Path) -> Collecting:
    """ARC-AGI from the import folder, which is empty."""
    return Collecting(ARC_AGI, tmp_path)


@pytest.mark.parametrize("write", [write_tasks, write_challenges])
def test_tasks_of_any_form_are_the_same_dataset(arc: Collecting, write: Any) -> None:
    """Each pair is a sample: padded grids row by row, and whose they are."""
    write(arc.folder / "arc_agi")
    facts, arrays = arc.make(source="local", pad_to=3, shuffle=False)
    assert arrays["task_ids"].tolist() == [f"task{i}" for i in range(5) for _ in range(3)]
    assert arrays["X_full"][3].tolist() == [1, 1, -1, -1, -1, -1, -1, -1, -1]
    assert arrays["X_full"][5].tolist() == [1, -1, -1, 1, -1, -1, 1, -1, -1]
    assert arrays["y_full"][5].tolist() == [1, -1, -1, -1, -1, -1, -1, -1, -1]
    assert (facts.n_samples, facts.n_train, facts.n_test) == (15, 12, 3)
    assert (facts.n_features, facts.n_classes, facts.task_type) == (9, 0, "regression")
    np.testing.assert_array_equal(np.concatenate([arrays["X_train"], arrays["X_test"]]), arrays["X_full"])


def test_task_ids_keep_their_samples(arc: Collecting) -> None:
    """However the samples are shuffled; the same seed gives the same order."""
    write_tasks(arc.folder / "arc_agi")
    _, arrays = arc.make(source="local", seed=5)
    assert arrays["task_ids"].tolist() == [f"task{int(row[0])}" for row in arrays["X_full"]]
    assert arrays["task_ids"].tolist() != sorted(arrays["task_ids"].tolist())
    np.testing.assert_array_equal(arc.make(source="local", seed=5)[1]["X_full"], arrays["X_full"])
    assert arrays["X_full"].shape == (15, 900)


def test_tasks_are_chosen(arc: Collecting) -> None:
    """Some of them, of one subset or both, with or without their test pairs, padded with another number."""
    folder = arc.folder / "mine" / "data"
    write_tasks(folder)
    write_challenges(folder, 2, "evaluation")
    asked: dict[str, Any] = {"source": "local", "local_path": "mine/data", "shuffle": False}
    assert arc.make(**asked, subset="all")[0].n_samples == 3 * 7
    facts, arrays = arc.make(**asked, subset="evaluation", include_test=False, pad_value=0)
    assert (facts.n_samples, arrays["X_full"].min()) == (4, 0)
    _, arrays = arc.make(**asked, n_tasks=2)
    chosen = arrays["task_ids"].tolist()
    assert (len(chosen), len(set(chosen)), chosen) == (6, 2, sorted(chosen))
    assert arc.refusal(**asked, n_tasks=6) == (["params", "n_tasks"], "must be at most 5, which is all there are")


def test_what_is_missing_is_told(arc: Collecting) -> None:
    """Which files go where, or what to install; nothing once the files are there."""
    hint = arc.importer.lacks(ARC_AGI)
    assert hint is not None
    for word in (str(arc.folder / "arc_agi"), "training/*.json", "juniper-ctl install --extra hub"):
        assert word in hint
    assert arc.refusal()[0] == ["params", "source"]
    loc, message = arc.refusal(source="local", local_path="elsewhere")
    assert (loc, str(arc.folder / "elsewhere") in message) == (["params", "local_path"], True)
    write_challenges(arc.folder / "arc_agi", subset="evaluation")
    assert arc.importer.lacks(ARC_AGI) is None
    assert arc.refusal(source="local")[0] == ["params", "local_path"]


def test_path_is_of_local_files() -> None:
    """One beside the hub would be without effect."""
    with pytest.raises(ValidationError, match="local_path is for source local"):
        ArcAgiParameters(local_path="arc")


@pytest.mark.parametrize("path", ["../outside", "/etc", "arc/../../outside", "."])
def test_no_path_leads_out_of_the_import_folder(arc: Collecting, path: str) -> None:
    """Whatever lies there."""
    write_tasks(arc.folder.parent / "outside")
    loc, message = arc.refusal(source="local", local_path=path)
    assert (loc[-1] in ("file", "local_path"), "import folder" in message) == (True, True), (loc, message)


@pytest.mark.parametrize("link", ["arc_agi", "arc_agi/training", "arc_agi/training/task0.json"])
def test_links_are_not_followed(arc: Collecting, link: str) -> None:
    """Neither to a folder nor to a file."""
    outside = arc.folder.parent / "outside"
    write_tasks(outside)
    path = arc.folder / link
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(outside / Path(link).relative_to("arc_agi"))
    assert arc.refusal(source="local")[0][-1] in ("file", "local_path")


def changed(**changes: object) -> dict[str, object]:
    """A task with an input grid, or more, of its own."""
    return task(1) | changes


def with_grid(grid: object) -> dict[str, object]:
    """A task whose first input grid is this."""
    return changed(train=[{"input": grid, "output": [[1]]}])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (with_grid([[1, 2], [3]]), "train 1, input, row 2: has 1 numbers, the first row 2"),
        (with_grid([[1, 10]]), "row 1: 10 is no colour from 0 to 9"),
        (with_grid([[-1]]), "row 1: -1 is no colour"),
        (with_grid([[1.0]]), "row 1: 1.0 is no colour"),
        (with_grid([[True]]), "row 1: True is no colour"),
        (with_grid([[[1]]]), "row 1: a list is no colour"),
        (with_grid([]), "input: must be a list of 1 to 30 rows"),
        (with_grid([[]]), "row 1: must be a list of 1 to 30 numbers"),
        (with_grid([[1]] * 31), "input: must be a list of 1 to 30 rows"),
        (with_grid([[1] * 31]), "row 1: must be a list of 1 to 30 numbers"),
        (with_grid([[1] * 6]), "input: is 1×6, larger than pad_to = 5"),
        (with_grid("111"), "input: must be a list of 1 to 30 rows"),
        (changed(test=[{"input": [[1]]}]), "test 1, output: is missing; include_test=false"),
        (changed(train=[]), "train must be a list of 1 to 100 pairs"),
        (changed(train=[[1]]), "train 1: is no object"),
        (changed(train=[{"input": [[1]], "output": [[1]]}] * 101), "train must be a list of 1 to 100 pairs"),
        ([1], "is no object"),
        ('{"train": [{"input": [[NaN]], "output": [[1]]}], "test": []}', "is no JSON"),
        ("[" * 5_000, "is no JSON"),
        ("[" * 1000 + "]" * 1000, "is no object"),
        ('{"train": [{"input": [[' + "[" * 1000 + "]" * 1000 + "]]}]}", "row 1: a list is no colour"),
        ("\xff", "is no JSON"),
        ("", "is empty"),
    ],
)
def test_hostile_tasks_are_refused(arc: Collecting, value: object, message: str) -> None:
    """With the file, and the place in it."""
    write_tasks(arc.folder / "arc_agi")
    path = arc.folder / "arc_agi" / "training" / "task3.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="latin-1")
    loc, said = arc.refusal(source="local", pad_to=5)
    assert (loc, said.startswith("training/task3.json"), message in said) == (["file"], True, True), said


@pytest.mark.parametrize(
    ("solutions", "message"),
    [
        ({"task0": []}, "'task0': needs a grid for each test of the task"),
        ({"task0": [[[10]]]}, "10 is no colour"),
        ({}, "output: is missing; include_test=false"),
        ([], "is no object"),
    ],
)
def test_solutions_that_do_not_fit_are_refused(arc: Collecting, solutions: object, message: str) -> None:
    """Each test of a task needs one, but where the tests are left out."""
    folder = arc.folder / "arc_agi"
    write_challenges(folder, 2)
    (folder / "arc-agi_training_solutions.json").write_text(json.dumps(solutions))
    loc, said = arc.refusal(source="local")
    assert (loc, message in said) == (["file"], True), said
    assert arc.make(source="local", include_test=False)[0].n_samples == 4


def test_file_that_is_too_large_is_refused(arc: Collecting) -> None:
    """Before it is parsed."""
    write_tasks(arc.folder / "arc_agi")
    (arc.folder / "arc_agi" / "training" / "task0.json").write_bytes(b" " * (8 << 20) + b"1")
    assert arc.refusal(source="local") == (["file"], "training/task0.json: is larger than 8 MiB")


def test_too_many_files_are_refused(arc: Collecting) -> None:
    """Before any is read."""
    folder = arc.folder / "arc_agi" / "training"
    folder.mkdir(parents=True)
    for i in range(5_001):
        (folder / f"{i}.json").touch()
    assert arc.refusal(source="local") == (["file"], "arc_agi has 5001 files to read; 5000 can be")


def test_parquet_of_something_else_is_refused(tmp_path: Path) -> None:
    """Its columns are named."""
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.table({"question": ["?"]}), sink)
    files = {"training-00000-of-00001.parquet": memoryview(sink.getvalue())}
    with Scratch(tmp_path) as scratch, pytest.raises(UnreadableFileError, match="train and test; there are: question"):
        read_arc_agi(files, ArcAgiParameters(), scratch)
