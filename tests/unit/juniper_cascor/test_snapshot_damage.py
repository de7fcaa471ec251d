"""Whatever happened to a snapshot file, it is refused before HDF5 reads it."""

import pytest

from juniper_cascor import snapshot_seal, snapshots
from juniper_cascor.snapshots import SnapshotError

from .snapshot_data import SNAPSHOT

FOUND_BY_THE_SEAL = r"(does not begin as a snapshot does|bytes of \d+|does not match its digest)$"


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a good snapshot."""
    path = tmp_path_factory.mktemp("good") / "good.h5"
    snapshots.write(path, SNAPSHOT)
    return path.read_bytes()


def assert_refused(damaged: bytes) -> None:
    """The seal finds it, and the message names the file."""
    with pytest.raises(SnapshotError, match=r"^it\.h5 is damaged or no snapshot: .*" + FOUND_BY_THE_SEAL):
        snapshots.parsed(damaged, "it.h5")


def test_a_flipped_bit_in_any_byte_is_found(content: bytes) -> None:
    """Arrays, card, seal, and what HDF5 keeps for itself: each byte counts."""
    damaged = bytearray(content)
    for i in range(len(content)):
        bit = 1 << (i * 5 + i // 8) % 8
        damaged[i] ^= bit
        assert_refused(bytes(damaged))
        damaged[i] ^= bit


def test_any_flipped_bit_of_the_seal_is_found(content: bytes) -> None:
    """No change of the seal makes it fit again."""
    damaged = bytearray(content)
    for bit in range(8 * snapshot_seal.BYTES):
        damaged[bit // 8] ^= 1 << bit % 8
        assert_refused(bytes(damaged))
        damaged[bit // 8] ^= 1 << bit % 8


def test_a_cut_at_any_place_is_found(content: bytes) -> None:
    """A file that ends early is no snapshot, wherever it ends."""
    for length in range(len(content)):
        assert_refused(content[:length])


def test_more_than_was_written_is_found(content: bytes) -> None:
    """Bytes behind the end are no part of a snapshot."""
    assert_refused(content + b"\0")
    assert_refused(content + content)


def test_blocks_that_were_lost_or_moved_are_found(content: bytes) -> None:
    """What a failing disk does: a sector of zeros, two sectors exchanged."""
    for start in range(512, len(content) - 512, 512):
        sector = content[start : start + 512]
        if any(sector):
            assert_refused(content[:start] + bytes(512) + content[start + 512 :])
            assert_refused(content[:start] + content[start + 512 :] + sector)


def test_a_file_without_its_seal_is_refused(content: bytes) -> None:
    """What is left is HDF5 that no version has written."""
    with pytest.raises(SnapshotError, match="damaged or no snapshot"):
        snapshots.parsed(content[snapshot_seal.BYTES :], "it.h5")


@pytest.mark.parametrize("foreign", [b"", b"PK\x03\x04", b"\x80\x04K\x01.", b"\x89HDF\r\n\x1a\n" + bytes(4096)])
def test_other_files_are_refused(foreign: bytes) -> None:
    """An empty file, an archive, a pickle, the mere signature of HDF5."""
    with pytest.raises(SnapshotError, match="damaged or no snapshot"):
        snapshots.parsed(foreign, "it.h5")


def test_a_newer_format_is_refused_by_its_number(content: bytes) -> None:
    """What a later version wrote is not guessed at: whatever stands behind the seal, the message says what to do."""
    newer = bytearray(content[:4096])
    snapshot_seal.seal(memoryview(newer), 17)
    with pytest.raises(SnapshotError, match=r"has format 17, but .* formats up to 2: read it with the version that"):
        snapshots.parsed(bytes(newer), "it.h5")


def test_a_sealed_format_that_never_was_is_refused(content: bytes) -> None:
    """Format 1 had no seal."""
    older = bytearray(content)
    snapshot_seal.seal(memoryview(older), 1)
    with pytest.raises(SnapshotError, match="format 1 has no seal"):
        snapshots.parsed(bytes(older), "it.h5")
