"""Text for a terminal: tables, and what strangers wrote."""

from collections.abc import Sequence

_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}


def printable(text: str) -> str:
    """The text in one line, without what makes a terminal do things."""
    return text.translate(_CONTROLS)


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as they must be; that of a header which begins with `>` is flush right, as numbers are."""
    shown = [[name.removeprefix(">") for name in header], *([printable(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    is_right = [name.startswith(">") for name in header]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, is_right, strict=True)
        ).rstrip()
        for row in shown
    )
