"""Reads ARC-AGI tasks: a JSON file for each, one for all, or Parquet as the hub has it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
import orjson
from numpy.typing import NDArray

from juniper_data.arrays import split_ends
from juniper_data.imports.arc_agi import ArcAgiParameters, Subset, challenges_file, parquet_file, solutions_file
from juniper_data.imports.labels import Target
from juniper_data.imports.refusals import refused, shown
from juniper_data.imports.rows_file import RowsFile, Scratch
from juniper_data.imports.table import Samples

MAX_SIDE = 30
MAX_TASKS = 100_000
MAX_PAIRS = 100
"""Of one task, to train and to test."""
MAX_ID = 100
MAX_JSON_BYTES = 8 << 20
"""The parser takes many times as much memory. All tasks of ARC-AGI-2 are half of it."""
N_COLOURS = 10

_BATCH_ROWS = 64
_BUFFER_BYTES = 1 << 18
_MAX_FOOTER = 1 << 20

Grid = NDArray[np.int8]
Files = Mapping[str, memoryview]


@dataclass(frozen=True, slots=True)
class Pair:
    """What is given, and what it becomes."""

    given: Grid
    becomes: Grid


@dataclass(frozen=True, slots=True)
class Task:
    """A puzzle."""

    task_id: str
    pairs: tuple[Pair, ...]


def read_arc_agi(files: Files, p: ArcAgiParameters, scratch: Scratch) -> tuple[Samples, list[int]]:
    """The pairs, a row of `pad_to`² numbers for each grid, and where the splits end. `task_ids` says whose they are.

    Raises:
        UnreadableFileError: names the file, the task, the pair (from 1) and its grid.
    """
    rng = np.random.default_rng(p.seed)
    tasks = [task for subset in p.subsets for task in _tasks(files, subset, p)]
    if p.n_tasks is not None:
        if p.n_tasks > len(tasks):
            raise refused(f"must be at most {len(tasks)}, which is all there are", "n_tasks")
        tasks = [tasks[i] for i in np.sort(rng.choice(len(tasks), p.n_tasks, replace=False))]
    pairs = [(task.task_id, pair) for task in tasks for pair in task.pairs]
    if not pairs:
        raise refused("holds no pair of grids")
    ends = split_ends(len(pairs), p)
    if p.shuffle:
        pairs = [pairs[i] for i in rng.permutation(len(pairs))]
    n_cells = p.pad_to * p.pad_to
    rows = RowsFile(scratch, 2 * n_cells, np.float32)
    for start in range(0, len(pairs), rows.piece_rows):
        some = [pair for _, pair in pairs[start : start + rows.piece_rows]]
        piece = np.full((len(some), 2, p.pad_to, p.pad_to), p.pad_value, np.float32)
        for both, pair in zip(piece, some, strict=True):
            for padded, grid in zip(both, (pair.given, pair.becomes), strict=True):
                padded[: grid.shape[0], : grid.shape[1]] = grid
        rows.append(piece.reshape(len(some), -1))
    return Samples(rows, Target(0, n_cells), texts={"task_ids": np.array([task_id for task_id, _ in pairs])}), ends


def _tasks(files: Files, subset: Subset, p: ArcAgiParameters) -> Iterator[Task]:
    if (name := parquet_file(subset)) in files:
        found = _of_parquet(name, files[name], subset)
    elif (name := challenges_file(subset)) in files:
        found = _of_one_file(name, files, subset, p)
    else:
        found = (
            (name, PurePath(name).stem, _json(name, content))
            for name, content in files.items()
            if name.startswith(f"{subset}/")
        )
    for n, (name, task_id, task) in enumerate(found, 1):
        if n > MAX_TASKS:
            raise refused(f"{name}: holds more than {MAX_TASKS} tasks")
        if not 0 < len(task_id) <= MAX_ID:
            raise refused(f"{name}: {shown(task_id)} is no id of 1 to {MAX_ID} characters")
        yield _task(f"{name}, task {shown(task_id)}", task_id, task, p)


def _of_one_file(name: str, files: Files, subset: Subset, p: ArcAgiParameters) -> Iterator[tuple[str, str, object]]:
    tasks = _object(name, _json(name, files[name]))
    solved = solutions_file(subset)
    solutions = _object(solved, _json(solved, files[solved])) if p.include_test and solved in files else {}
    for task_id, task in tasks.items():
        if task_id in solutions:
            _add_solutions(f"{solved}, task {shown(task_id)}", _object(name, task), solutions[task_id])
        yield name, task_id, task


def _add_solutions(place: str, task: dict[str, object], solutions: object) -> None:
    tests = task.get("test")
    if not isinstance(tests, list) or not isinstance(solutions, list) or len(tests) != len(solutions):
        raise refused(f"{place}: needs a grid for each test of the task")
    task["test"] = [
        {**_object(place, test), "output": solution} for test, solution in zip(tests, solutions, strict=True)
    ]


def _of_parquet(name: str, content: memoryview, subset: Subset) -> Iterator[tuple[str, str, object]]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        source = parquet.ParquetFile(
            pa.BufferReader(pa.py_buffer(content)),
            buffer_size=_BUFFER_BYTES,
            thrift_string_size_limit=_MAX_FOOTER,
            thrift_container_size_limit=_MAX_FOOTER,
        )
        names = source.schema_arrow.names
        if not {"train", "test"} <= set(names):
            raise refused(f"{name}: needs columns train and test; there are: {', '.join(names)}")
        n = 0
        for batch in source.iter_batches(_BATCH_ROWS, use_threads=False):
            for row in batch.to_pylist():
                n += 1
                given = row.get("task_id", row.get("id"))
                yield name, given if isinstance(given, str) else f"{subset}_{n}", row
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, MemoryError):
            raise
        raise refused(f"{name}: is no Parquet that can be read: {str(error).splitlines()[0][:200]}") from None


def _json(name: str, content: memoryview) -> object:
    if len(content) > MAX_JSON_BYTES:
        raise refused(f"{name}: is larger than {MAX_JSON_BYTES >> 20} MiB")
    try:
        value: object = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise refused(f"{name}: is no JSON: {error}") from None
    return value


def _object(place: str, value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise refused(f"{place}: is no object of names and values")
    return value


def _task(place: str, task_id: str, value: object, p: ArcAgiParameters) -> Task:
    task = _object(place, value)
    pairs = []
    for kind in ("train", "test") if p.include_test else ("train",):
        listed = task.get(kind)
        if not isinstance(listed, list) or not 0 < len(listed) <= MAX_PAIRS:
            raise refused(f"{place}: {kind} must be a list of 1 to {MAX_PAIRS} pairs")
        for i, each in enumerate(listed, 1):
            pair = _object(f"{place}, {kind} {i}", each)
            grids = [_grid(f"{place}, {kind} {i}, {side}", pair.get(side), p.pad_to) for side in ("input", "output")]
            pairs.append(Pair(*grids))
    return Task(task_id, tuple(pairs))


def _grid(place: str, value: object, pad_to: int) -> Grid:
    if value is None:
        raise refused(f"{place}: is missing; include_test=false takes the pairs of train alone")
    if not isinstance(value, list) or not 0 < len(value) <= MAX_SIDE:
        raise refused(f"{place}: must be a list of 1 to {MAX_SIDE} rows")
    width = len(value[0]) if isinstance(value[0], list) else 0
    for i, row in enumerate(value, 1):
        if not isinstance(row, list) or not 0 < len(row) <= MAX_SIDE:
            raise refused(f"{place}, row {i}: must be a list of 1 to {MAX_SIDE} numbers")
        if len(row) != width:
            raise refused(f"{place}, row {i}: has {len(row)} numbers, the first row {width}")
        _check_colours(f"{place}, row {i}", row)
    if max(len(value), width) > pad_to:
        raise refused(f"{place}: is {len(value)}×{width}, larger than pad_to = {pad_to}")
    return np.array(value, np.int8)


def _check_colours(place: str, row: Sequence[object]) -> None:
    for colour in row:
        if type(colour) is not int or not 0 <= colour < N_COLOURS:
            # What holds others may be nested too deeply to be shown.
            what = shown(colour) if isinstance(colour, int | float | str) else f"a {type(colour).__name__}"
            raise refused(f"{place}: {what} is no colour from 0 to {N_COLOURS - 1}")
