"""The seal of a snapshot file: 512 bytes of text before the HDF5 image that tell a damaged file before HDF5 reads it.

HDF5 calls the place a user block, and its tools skip it. It holds four lines, then NULs:

    juniper snapshot
    format 2
    bytes 27136
    sha256 4f1c…

`bytes` is the length of the whole file, and `sha256` the digest of the whole file in which the 64 characters of the
digest itself are zeros. The seal is the same in every format from 2 on, so that each version can check a file of a
later one and say its number. It finds damage, not forgery: who writes a file can seal it.
"""

import hashlib
import re

BYTES = 512

MARK = b"juniper snapshot\n"

_LINES = re.compile(rb"juniper snapshot\nformat (\d{1,9})\nbytes (\d{1,18})\nsha256 ([0-9a-f]{64})\n\0*")
_ZEROS = b"0" * 64


class SealError(ValueError):
    """The file is not what was sealed."""


def seal(content: memoryview, number: int) -> None:
    """Fill the first 512 bytes of a whole file of this format number."""
    block = b"juniper snapshot\nformat %d\nbytes %d\nsha256 %b\n" % (number, len(content), _ZEROS)
    content[:BYTES] = block.ljust(BYTES, b"\0")
    digest = hashlib.sha256(content).hexdigest().encode()
    content[:BYTES] = block.replace(_ZEROS, digest).ljust(BYTES, b"\0")


def checked(content: bytes) -> int:
    """The format number of a whole file. Raises SealError where it is not sealed, or any byte of it has changed."""
    found = _LINES.fullmatch(content[:BYTES])
    if found is None:
        raise SealError("it does not begin as a snapshot does")
    number, length, digest = found.groups()
    if int(length) != len(content):
        raise SealError(f"it has {len(content)} bytes of {int(length)}")
    hashed = hashlib.sha256(content[: found.start(3)])
    hashed.update(_ZEROS)
    hashed.update(memoryview(content)[found.end(3) :])
    if hashed.hexdigest().encode() != digest:
        raise SealError("its content does not match its digest")
    return int(number)
