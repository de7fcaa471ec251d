"""From an open file to an artifact and the facts of it, within bounded memory. The child process calls this."""

import hashlib
import mmap
import os
from collections.abc import Callable, Mapping, Sequence
from io import BufferedRandom, BufferedReader
from itertools import accumulate
from pathlib import Path, PurePath
from types import MappingProxyType
from typing import IO, Literal

from juniper_data.arrays import split_ends
from juniper_data.errors import InvalidParametersError
from juniper_data.imports.arc_agi import ArcAgiParameters
from juniper_data.imports.arc_tasks import read_arc_agi
from juniper_data.imports.collection import Part
from juniper_data.imports.csv_file import read_csv
from juniper_data.imports.json_file import read_json
from juniper_data.imports.mnist import MnistParameters
from juniper_data.imports.mnist_images import read_mnist
from juniper_data.imports.npz_file import read_npz
from juniper_data.imports.parameters import ImportParameters
from juniper_data.imports.parquet_file import read_parquet
from juniper_data.imports.refusals import refused
from juniper_data.imports.rows_file import Scratch
from juniper_data.imports.shuffling import shuffle
from juniper_data.imports.table import Samples
from juniper_data.imports.text_file import beginning
from juniper_data.imports.writing import write_artifact
from juniper_data.making import Facts

KnownFormat = Literal["csv", "json", "parquet", "npz"]
Reader = Callable[[BufferedReader, ImportParameters, Scratch], Samples]

READERS: Mapping[KnownFormat, Reader] = MappingProxyType(
    {"csv": read_csv, "json": read_json, "parquet": read_parquet, "npz": read_npz}
)

_CHANGED = "changed while it was read; try again"

_FIRST_BYTES: tuple[tuple[bytes, KnownFormat], ...] = (
    (b"PAR1", "parquet"),
    (b"PK\x03\x04", "npz"),
    (b"PK\x05\x06", "npz"),
    (b"[", "json"),
    (b"{", "json"),
)
_NAMES: Mapping[str, KnownFormat] = MappingProxyType(
    {".parquet": "parquet", ".npz": "npz", ".json": "json", ".jsonl": "json", ".ndjson": "json"}
)


def read_unchanged(
    file: BufferedReader, sha256: str, name: str, parameters: ImportParameters, folder: Path, artifact: BufferedRandom
) -> Facts:
    """`read`, and make sure that the file was and is what its checksum says.

    Raises:
        InvalidParametersError: as `read` does, or since the file is another by now.
    """
    before = _version(file)
    try:
        facts = read(file, name, parameters, folder, artifact)
    except InvalidParametersError:
        # What was found in a file that changes meanwhile may stand in none of its versions.
        if _version(file) != before:
            raise refused(_CHANGED) from None
        raise
    file.seek(0)
    if hashlib.file_digest(file, "sha256").hexdigest() != sha256 or _version(file) != before:
        raise refused(_CHANGED)
    return facts


def read(
    file: BufferedReader, name: str, parameters: ImportParameters, folder: Path, artifact: BufferedRandom
) -> Facts:
    """Make an artifact of a file.

    Args:
        file: seekable.
        name: of the file, where it has one.
        parameters: how to read it; with a seed.
        folder: the one whose disk is used meanwhile.
        artifact: an empty file to write to.

    Raises:
        InvalidParametersError: names the row and column, or the parameter.
    """
    known = parameters.file_format
    reader = READERS[_format(file, name) if known == "auto" else known]
    with Scratch(folder) as scratch:
        samples = reader(file, parameters, scratch)
        if samples.split_sizes:
            ends = list(accumulate(samples.split_sizes))
        else:
            ends = split_ends(samples.rows.n, parameters)
            if parameters.shuffle:
                assert parameters.seed is not None  # noqa: S101 - the catalog draws one where there is none
                shuffle(samples.rows, parameters.seed, scratch)
        return write_artifact(artifact, samples, ends, normalize=parameters.normalize_features)


def read_collection(
    file: IO[bytes],
    parts: Sequence[Part],
    parameters: MnistParameters | ArcAgiParameters,
    folder: Path,
    artifact: BufferedRandom,
) -> Facts:
    """Make an artifact of a collection's files, of which each is a part of the file. Raises as `read` does."""
    content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    files = {part.name: content[part.start : part.start + part.size] for part in parts}
    with Scratch(folder) as scratch:
        if isinstance(parameters, MnistParameters):
            samples, ends = read_mnist(files, parameters, scratch)
        else:
            samples, ends = read_arc_agi(files, parameters, scratch)
        return write_artifact(artifact, samples, ends, normalize=False)


def _version(file: BufferedReader) -> tuple[int, int]:
    """Changes with each write: nobody can set a file's change time back."""
    status = os.fstat(file.fileno())
    return status.st_ctime_ns, status.st_size


def _format(file: BufferedReader, name: str) -> KnownFormat:
    """By the first bytes, then by the name; a CSV may begin with anything."""
    begins = beginning(file)
    for first, found in _FIRST_BYTES:
        if begins.startswith(first):
            return found
    return _NAMES.get(PurePath(name).suffix.lower(), "csv")
