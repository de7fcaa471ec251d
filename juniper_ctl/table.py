"""Columns for a terminal, and how sizes, times and what strangers wrote read in them."""

from collections.abc import Collection, Sequence

_BIDIRECTIONAL = (0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
"""What turns the direction of writing, so that a line reads otherwise than it is; a terminal may obey."""
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))} | {
    code: f"\\u{code:04x}" for code in (*_BIDIRECTIONAL, 0x2028, 0x2029)
}


def printable(text: str) -> str:
    """The text in one line, without what makes a terminal do things, or text look like another one."""
    return text.translate(_CONTROLS)


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, left: Collection[str]) -> list[str]:
    """A line for the header and one for each row, each column as wide as its widest cell.

    Args:
        header: the names of the columns.
        rows: their cells.
        left: the columns that begin at the left; figures end at the right.
    """
    shown = [header, *([printable(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    lines = []
    for row in shown:
        cells = [
            cell.ljust(width) if name in left else cell.rjust(width)
            for name, cell, width in zip(header, row, widths, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def size(count: float | None) -> str:
    """Bytes, in the largest binary unit that leaves a figure of at least 1."""
    if count is None:
        return "-"
    for name in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.1f} {name}" if count < 10 and name != "B" else f"{count:.0f} {name}"
        count /= 1024
    return f"{count:.1f} TiB"


def duration(seconds: float | None) -> str:
    """Seconds, minutes, hours or days; at least two of the larger ones."""
    if seconds is None:
        return "-"
    for length, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {name}"
    return f"{seconds:.0f} s"
