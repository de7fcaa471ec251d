"""The part of HDF5 that snapshots use: a text, and groups of arrays of numbers, each stored whole.

What HDF5 offers beyond that is refused before it takes effect. Links out of the file (external, soft, virtual or raw
data elsewhere) could show other files; filters could load plug-ins and blow up small files; a declared shape without
stored data could ask for any amount of memory; objects, references and variable lengths hold more than numbers. So only
hard links to contiguous, unfiltered datasets of numbers are read, and only such whose bytes stand in the file: all
arrays together are never larger than the file that holds them.

h5py is loaded when it is first needed: the service starts without it, and most of its life has no need of it.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import h5py

SIGNATURE = b"\x89HDF\r\n\x1a\n"

Arrays = Mapping[str, NDArray[np.generic]]

_NUMBERS = "biuf"  # NumPy's kinds: booleans, integers, floating-point numbers
_MAX_MEMBERS = 1_000


class PlainHdf5Error(ValueError):
    """The file holds what no snapshot does."""


def image(text: str, groups: Mapping[str, Arrays], *, user_block: int, attribute: str) -> memoryview:
    """A file's bytes: the dataset `card` with the text, the groups, and the attribute `card`; the user block is blank.

    Raises:
        TypeError: an array does not hold numbers.
    """
    import h5py

    buffer = io.BytesIO()
    with h5py.File(buffer, "w", userblock_size=user_block) as file:
        file.attrs["card"] = attribute
        file.create_dataset("card", data=np.bytes_(text.encode()))
        plainly = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plainly.set_obj_track_times(False)  # else the same arrays would make another file each second
        for name, arrays in groups.items():
            group = file.create_group(name)
            for key, array in arrays.items():
                numbers = np.asarray(array, order="C")
                if numbers.dtype.kind not in _NUMBERS:
                    raise TypeError(f"{name}/{key} holds {numbers.dtype}, not numbers")
                _put(group.id, key, numbers, plainly)
    return buffer.getbuffer()


def _put(group: h5py.h5g.GroupID, key: str, numbers: NDArray[np.generic], plainly: h5py.h5p.PropDCID) -> None:
    """What `create_dataset(key, data=numbers)` does, in less time: a training may wait for it."""
    import h5py

    space = h5py.h5s.create_simple(numbers.shape)
    stored = h5py.h5d.create(group, key.encode(), h5py.h5t.py_create(numbers.dtype, logical=True), space, plainly)
    stored.write(h5py.h5s.ALL, h5py.h5s.ALL, numbers)


def read(content: bytes, groups: Iterable[str]) -> tuple[str, dict[str, Arrays], list[str]]:
    """The text and the groups of `image`, and the names of what else there is, which is not opened.

    Raises:
        PlainHdf5Error: it lacks one of them, one is stored in another way, or a member is no hard link.
        OSError, RuntimeError, KeyError, TypeError, ValueError: HDF5 cannot read it.
    """
    import h5py

    with h5py.File(io.BytesIO(content), "r") as file:
        reader = _Reader(len(content))
        wanted, found = {"card", *groups}, set(reader.names(file))
        if missing := wanted - found:
            raise PlainHdf5Error(f"it lacks {', '.join(sorted(missing))}")
        text = bytes(reader.array(file["card"], "S").item()).decode()
        return text, {name: reader.group(file, name) for name in groups}, sorted(found - wanted)


def read_groups(file: h5py.File, groups: Iterable[str], size: int) -> dict[str, Arrays]:
    """These groups of an open file of `size` bytes, read as `read` does."""
    reader = _Reader(size)
    return {name: reader.group(file, name) for name in groups}


class _Reader:
    """Reads arrays as long as they are plain and fit into what is left of the file."""

    def __init__(self, size: int) -> None:
        self._left = size

    def names(self, group: Any) -> list[str]:
        import h5py

        if len(group) > _MAX_MEMBERS:
            raise PlainHdf5Error(f"{group.name} has {len(group)} members")
        names = list(group)
        for name in names:
            # Asked before anything behind the name is opened.
            if type(group.get(name, getlink=True)) is not h5py.HardLink:
                raise PlainHdf5Error(f"{name} is a link")
        return names

    def group(self, file: h5py.File, name: str) -> Arrays:
        import h5py

        group = file[name]
        if not isinstance(group, h5py.Group):
            raise PlainHdf5Error(f"{name} is no group")
        return {key: self.array(group[key], _NUMBERS) for key in self.names(group)}

    def array(self, dataset: Any, kinds: str) -> NDArray[Any]:
        import h5py

        if not isinstance(dataset, h5py.Dataset) or dataset.shape is None:
            raise PlainHdf5Error(f"{dataset.name} is no array")
        stored = dataset.id.get_create_plist()
        is_plain = (
            stored.get_layout() == h5py.h5d.CONTIGUOUS
            and stored.get_nfilters() == 0
            and stored.get_external_count() == 0
            and dataset.dtype.kind in kinds
        )
        if not is_plain:
            raise PlainHdf5Error(f"{dataset.name} is not stored as plain numbers")
        # h5py's own product of a hostile shape may overflow.
        n_bytes = math.prod(dataset.shape) * dataset.dtype.itemsize
        self._left -= n_bytes
        if self._left < 0 or dataset.id.get_storage_size() != n_bytes:
            raise PlainHdf5Error(f"{dataset.name} declares {n_bytes} bytes that the file does not hold")
        return np.asarray(dataset[()])
