"""Reads the images of MNIST from IDX files, plain or gzipped, or from Parquet with PNGs in it."""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from juniper_data.imports.labels import Target
from juniper_data.imports.mnist import MAX_IMAGES, MnistParameters
from juniper_data.imports.refusals import refused, shown
from juniper_data.imports.rows_file import RowsFile, Scratch
from juniper_data.imports.table import Samples

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

SIDE = 28
N_PIXELS = SIDE * SIDE
N_CLASSES = 10

_CLOTHES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag"),
    "Ankle boot",
)

# The type (unsigned bytes) and the number of dimensions, after two zeros.
_IMAGES_MAGIC = 0x0803
_LABELS_MAGIC = 0x0801

_PNG_BEGINS = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
# Width, height, 8 bits a pixel, grey, and the one way that there is to compress and filter.
_PNG_HEADER = SIDE.to_bytes(4) + SIDE.to_bytes(4) + b"\x08\x00\x00\x00"
_MAX_PNG = 4096
_BATCH_ROWS = 1024
_BUFFER_BYTES = 1 << 18
_MAX_FOOTER = 1 << 20

Bytes = NDArray[np.uint8]
Files = Mapping[str, memoryview]


@dataclass(frozen=True, slots=True)
class Images:
    """One split of the set."""

    pixels: Bytes  # [images, 784]
    labels: Bytes  # [images]


def read_mnist(files: Files, p: MnistParameters, scratch: Scratch) -> tuple[Samples, list[int]]:
    """The samples, and where those to train, to test and to validate on end among them.

    Raises:
        UnreadableFileError: names the file, and the row of a Parquet (from 1).
    """
    is_parquet = any(name.endswith(".parquet") for name in files)
    splits = _of_parquet(files) if is_parquet else _of_idx(files)
    places = _order([images.labels for images in splits], p)
    rows = RowsFile(scratch, N_PIXELS + 1, np.float32)
    for images, chosen in zip((splits[0], splits[1], splits[0]), places, strict=True):
        for start in range(0, len(chosen), rows.piece_rows):
            some = chosen[start : start + rows.piece_rows]
            piece = np.empty((len(some), rows.width), np.float32)
            np.divide(images.pixels[some], np.float32(255 if p.normalize else 1), out=piece[:, :-1])
            piece[:, -1] = images.labels[some]
            rows.append(piece)
    names = _CLOTHES if p.dataset == "fashion_mnist" else None
    target = Target(N_CLASSES, N_CLASSES, np.arange(N_CLASSES), names) if p.one_hot_labels else Target(0, 1)
    return Samples(rows, target, sample_shape=None if p.flatten else (SIDE, SIDE)), list(accumulate(map(len, places)))


def _order(labels: list[Bytes], p: MnistParameters) -> list[NDArray[np.int64]]:
    """Which images of the set's two splits are to train, to test and to validate on."""
    rng = np.random.default_rng(p.seed)
    places = [np.arange(len(each)) for each in labels]
    if p.n_samples is not None:
        places = _drawn(labels, p.n_samples, rng)
    if p.shuffle:
        places = [rng.permutation(each) for each in places]
    train, test = places
    n_train = len(train) - round(len(train) * p.val_ratio)
    if n_train == 0:
        raise refused("leaves no sample to train on", "val_ratio")
    return [train[:n_train], test, train[n_train:]]


def _drawn(labels: list[Bytes], n: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """`n` images: of each split and class its share, rounded down, and one more of those that lost most."""
    counts = np.array([np.bincount(each, minlength=N_CLASSES) for each in labels])  # [splits, classes]
    if n > counts.sum():
        raise refused(f"must be at most {counts.sum()}, which is all there are", "n_samples")
    shares = counts * n / counts.sum()
    wanted = np.floor(shares).astype(np.int64)
    most_lost = np.argsort((wanted - shares).reshape(-1), kind="stable")
    wanted.reshape(-1)[most_lost[: n - wanted.sum()]] += 1
    drawn = []
    for each, numbers in zip(labels, wanted, strict=True):
        of_class = [
            rng.choice(np.flatnonzero(each == index), number, replace=False) for index, number in enumerate(numbers)
        ]
        drawn.append(np.sort(np.concatenate(of_class)))
    return drawn


def _of_idx(files: Files) -> list[Images]:
    splits = []
    left = MAX_IMAGES
    for split in ("train", "t10k"):
        arrays = []
        for what, magic, item in (("images", _IMAGES_MAGIC, (SIDE, SIDE)), ("labels", _LABELS_MAGIC, ())):
            name = next(name for name in files if name.startswith(f"{split}-{what}"))
            arrays.append(_idx(name, files[name], magic, item, left))
        pixels, labels = arrays
        if len(pixels) != len(labels):
            raise refused(f"{split}: there are {len(pixels)} images and {len(labels)} labels")
        _check_labels(labels, f"{split}-labels")
        left -= len(labels)
        splits.append(Images(pixels.reshape(-1, N_PIXELS), labels))
    return splits


def _idx(name: str, content: memoryview, magic: int, item: tuple[int, ...], most: int) -> Bytes:
    """An IDX array of bytes: its type, its shape as big-endian numbers, then all bytes."""
    header_bytes = 8 + 4 * len(item)
    whole = _unpacked(name, content, header_bytes + most * int(np.prod(item))) if name.endswith(".gz") else content
    if len(whole) < header_bytes:
        raise refused(f"{name}: ends within its header")
    found, n, *shape = np.frombuffer(whole[:header_bytes], ">u4").tolist()
    if found != magic:
        raise refused(f"{name}: begins with {found:#010x}; an IDX file of this kind begins with {magic:#010x}")
    if tuple(shape) != item:
        raise refused(f"{name}: holds images of {'×'.join(map(str, shape))} pixels; {SIDE}×{SIDE} are needed")
    if not 0 < n <= most:
        raise refused(f"{name}: says that it holds {n} items; from 1 to {most} can be")
    if len(whole) != header_bytes + n * int(np.prod(item)):
        raise refused(f"{name}: does not hold the {n} items that its header says")
    return np.frombuffer(whole, np.uint8, offset=header_bytes).reshape(n, *item)


def _unpacked(name: str, content: memoryview, most: int) -> bytes:
    """What is in a gzip file, and never more than one byte too many."""
    unpacking = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        whole = unpacking.decompress(content, most + 1)
    except zlib.error as error:
        raise refused(f"{name}: is no gzip that can be read: {error}") from None
    if len(whole) > most:
        raise refused(f"{name}: holds more than {most} bytes")
    if not unpacking.eof or unpacking.unused_data:
        raise refused(f"{name}: {'goes on after its end' if unpacking.eof else 'ends too early'}")
    return whole


def _of_parquet(files: Files) -> list[Images]:
    left = MAX_IMAGES
    splits = []
    for split in ("train", "test"):
        pixels, labels = [], []
        for name in (name for name in files if name.startswith(split)):
            for some in _batches(name, files[name], left):
                pixels.append(some.pixels)
                labels.append(some.labels)
                left -= len(some.labels)
        if not labels:
            raise refused(f"{split}: there is no image in its files")
        splits.append(Images(np.concatenate(pixels), np.concatenate(labels)))
    return splits


def _batches(name: str, content: memoryview, most: int) -> Iterator[Images]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        source = parquet.ParquetFile(
            pa.BufferReader(pa.py_buffer(content)),
            buffer_size=_BUFFER_BYTES,
            thrift_string_size_limit=_MAX_FOOTER,
            thrift_container_size_limit=_MAX_FOOTER,
        )
        _check_columns(name, source)
        if source.metadata.num_rows > most:
            raise refused(f"{name}: holds {source.metadata.num_rows} images; {most} can be")
        row = 1
        for batch in source.iter_batches(_BATCH_ROWS, columns=["image.bytes", "label"], use_threads=False):
            pngs = batch.column("image").field("bytes")
            pixels = np.stack([_pixels(png.as_py(), f"{name}, row {row + i}") for i, png in enumerate(pngs)])
            labels = batch.column("label").to_numpy(zero_copy_only=False)
            _check_labels(labels, f"{name}, from row {row} on")
            yield Images(pixels, labels.astype(np.uint8))
            row += batch.num_rows
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, MemoryError):
            raise
        raise refused(f"{name}: is no Parquet that can be read: {str(error).splitlines()[0][:200]}") from None


def _check_columns(name: str, source: "ParquetFile") -> None:
    from pyarrow import types

    schema = source.schema_arrow
    is_known = {"image", "label"} <= set(schema.names) and types.is_struct(schema.field("image").type)
    image = schema.field("image").type if is_known else None
    if image is None or image.get_field_index("bytes") < 0 or not types.is_binary(image.field("bytes").type):
        raise refused(f"{name}: needs a column image with bytes in it, and label; there are: {', '.join(schema.names)}")
    if not types.is_integer(schema.field("label").type):
        raise refused(f"{name}: column label holds {schema.field('label').type}; whole numbers are needed")


def _pixels(png: bytes | None, place: str) -> Bytes:
    """The pixels of a PNG that is just as it must be: no other one comes near the decoder."""
    from PIL import Image

    if png is None or not png.startswith(_PNG_BEGINS):
        raise refused(f"{place}: is no PNG")
    header = png[len(_PNG_BEGINS) : len(_PNG_BEGINS) + len(_PNG_HEADER)]
    if header != _PNG_HEADER or len(png) > _MAX_PNG:
        width, height = (int.from_bytes(header[i : i + 4]) for i in (0, 4))
        raise refused(f"{place}: is a PNG of {width}×{height} pixels; {SIDE}×{SIDE} grey ones are needed")
    try:
        with Image.open(BytesIO(png), formats=["PNG"]) as image:
            return np.asarray(image, np.uint8).reshape(N_PIXELS)
    # What the decoder raises where a chunk is broken.
    except (OSError, SyntaxError, ValueError, EOFError, zlib.error) as error:
        raise refused(f"{place}: is no PNG that can be read: {shown(str(error))}") from None


def _check_labels(labels: NDArray[np.integer], place: str) -> None:
    # A label that is missing makes NaN of it, which no comparison holds of.
    is_bad = ~((labels >= 0) & (labels < N_CLASSES))
    if is_bad.any():
        raise refused(f"{place}: {labels[is_bad][0]} is no label from 0 to {N_CLASSES - 1}")
