"""Files of MNIST and ARC-AGI in their real formats, of few samples."""

import gzip
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image
from pyarrow import parquet

N_TRAIN = 60
N_TEST = 20

Bytes = NDArray[np.uint8]
Grid = list[list[int]]


def images(n: int, seed: int = 0) -> tuple[Bytes, Bytes]:
    """Pixels [n, 28, 28] and labels [n]: each digit as often as any other, the first pixel tells which image it is."""
    pixels = np.random.default_rng(seed).integers(0, 256, (n, 28, 28), np.uint8)
    pixels[:, 0, 0] = np.arange(n)
    return pixels, np.arange(n, dtype=np.uint8) % 10


def idx(array: Bytes) -> bytes:
    """An IDX file of unsigned bytes."""
    shape = b"".join(length.to_bytes(4) for length in array.shape)
    return bytes([0, 0, 8, array.ndim]) + shape + array.tobytes()


def png(pixels: Bytes) -> bytes:
    """An image file."""
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def write_idx(folder: Path, *, packed: bool = False) -> None:
    """The four files of a set of images."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, n in (("train", N_TRAIN), ("t10k", N_TEST)):
        pixels, labels = images(n, n)
        for name, array in ((f"{split}-images-idx3-ubyte", pixels), (f"{split}-labels-idx1-ubyte", labels)):
            content = idx(array)
            (folder / (f"{name}.gz" if packed else name)).write_bytes(gzip.compress(content) if packed else content)


def mnist_parquet(pngs: list[bytes | None], labels: list[int | None]) -> bytes:
    """A Parquet file as the hub has it."""
    structs = [None if each is None else {"bytes": each, "path": None} for each in pngs]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = pa.table({"image": pa.array(structs, kind), "label": pa.array(labels, pa.int64())})
    file = BytesIO()
    parquet.write_table(table, file)
    return file.getvalue()


def mnist_split(n: int) -> bytes:
    """A Parquet file of the images that `write_idx` writes for so many."""
    pixels, labels = images(n, n)
    return mnist_parquet([png(each) for each in pixels], labels.tolist())


def task(n: int) -> dict[str, Any]:
    """A task whose grids hold the digit `n`, of two pairs to train and one to test, each of another shape."""
    grids: list[Grid] = [[[n] * width for _ in range(height)] for height, width in ((1, 2), (2, 2), (3, 1))]
    pairs = [{"input": grid, "output": [[n]]} for grid in grids]
    return {"train": pairs[:2], "test": pairs[2:]}


def write_tasks(folder: Path, n: int = 5, subset: str = "training") -> None:
    """A file for each task."""
    (folder / subset).mkdir(parents=True)
    for i in range(n):
        (folder / subset / f"task{i}.json").write_text(json.dumps(task(i)))


def write_challenges(folder: Path, n: int = 5, subset: str = "training") -> None:
    """A file for all tasks, and one for what their test grids become."""
    folder.mkdir(parents=True, exist_ok=True)
    tasks = {f"task{i}": task(i) for i in range(n)}
    solutions = {name: [pair.pop("output") for pair in each["test"]] for name, each in tasks.items()}
    (folder / f"arc-agi_{subset}_challenges.json").write_text(json.dumps(tasks))
    (folder / f"arc-agi_{subset}_solutions.json").write_text(json.dumps(solutions))


def arc_parquet(n: int = 5) -> bytes:
    """A Parquet file of tasks as the hub has it."""
    file = BytesIO()
    parquet.write_table(pa.Table.from_pylist([task(i) for i in range(n)]), file)
    return file.getvalue()
