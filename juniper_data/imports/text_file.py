"""How a file of text begins, with or without a byte order mark, and its lines."""

from collections.abc import Iterator
from io import BufferedReader

from juniper_data.imports.refusals import refused

MAX_LINE_BYTES = 8 << 20

_BOM = b"\xef\xbb\xbf"


def beginning(file: BufferedReader) -> bytes:
    """The first signs of a file, whatever white space goes before them."""
    seek_text(file)
    return file.read(4096).lstrip()


def seek_text(file: BufferedReader) -> int:
    """Go to where the text begins; returns that place."""
    file.seek(0)
    start = len(_BOM) if file.read(len(_BOM)) == _BOM else 0
    return file.seek(start)


def lines(file: BufferedReader) -> Iterator[bytes]:
    """The lines of a file, which stands at the end of the last one that was read.

    Raises:
        UnreadableFileError: one is longer than a line may be.
    """
    seek_text(file)
    n = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        n += 1
        if len(line) > MAX_LINE_BYTES:
            raise refused(f"line {n} is longer than {MAX_LINE_BYTES >> 20} MiB")
        yield line
