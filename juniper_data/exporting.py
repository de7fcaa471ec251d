"""Many artifacts as one zip, which is made while it is read: neither memory nor disk ever holds it whole."""

import logging
import zipfile
from collections.abc import Generator, Iterator, Sequence

from juniper_common.wire.dataset_queries import ExportManifest
from juniper_common.wire.datasets import DatasetMeta
from juniper_data.catalog import Catalog
from juniper_data.errors import DatasetDamagedError, DatasetNotFoundError
from juniper_data.stores.protocol import Artifact

MANIFEST = "manifest.json"
PIECE_BYTES = 1 << 18

log = logging.getLogger(__name__)


def export(catalog: Catalog, dataset_ids: Sequence[str]) -> Generator[bytes]:
    """The pieces of a zip: each artifact as ID.npz, not compressed, and last a manifest, an `ExportManifest`.

    What is not there or damaged is left out and named in the manifest. One artifact is open at a time; closing the
    iterator lets go of it. Each step blocks.

    Raises:
        EOFError: an artifact became shorter after it was verified; what was given so far is no zip.
        StoreError: the store does not give any more.
    """
    exported: list[DatasetMeta] = []
    not_found: list[str] = []
    damaged: list[str] = []
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        for dataset_id in dataset_ids:
            try:
                meta = catalog.meta(dataset_id)
                artifact = catalog.open_artifact(dataset_id)
            except DatasetNotFoundError:
                not_found.append(dataset_id)
            except DatasetDamagedError as error:
                log.error("%s", error)
                damaged.append(dataset_id)
            else:
                yield from _entry(archive, sink, meta, artifact)
                # As in any list of many: those of fifty wide sets would take gigabytes until the end.
                exported.append(meta.model_copy(update={"profile": None}))
        manifest = ExportManifest(datasets=tuple(exported), not_found=tuple(not_found), damaged=tuple(damaged))
        archive.writestr(MANIFEST, manifest.model_dump_json(indent=1))
    yield sink.taken()


def _entry(archive: zipfile.ZipFile, sink: "_Sink", meta: DatasetMeta, artifact: Artifact) -> Iterator[bytes]:
    entry = zipfile.ZipInfo(f"{meta.dataset_id}.npz", meta.created_at.timetuple()[:6])
    # The size decides whether the entry's numbers get the width that more than 4 GB need.
    entry.file_size = left = artifact.size
    with artifact.file as file, archive.open(entry, "w") as member:
        while piece := file.read(PIECE_BYTES):
            left -= len(piece)
            member.write(piece)
            yield sink.taken()
        if left:
            raise EOFError(f"the artifact of {meta.dataset_id} ended {left} bytes early")


class _Sink:
    """What a zip is written to. It cannot seek, so that nothing that was written is ever changed."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, content: bytes) -> int:
        self._written.append(content)
        return len(content)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing to let go of."""

    def taken(self) -> bytes:
        """What was written since it was last asked for."""
        taken = b"".join(self._written)
        self._written.clear()
        return taken
