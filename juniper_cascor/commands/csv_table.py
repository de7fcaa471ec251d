"""CSV files with a header: columns by name, numbers or words, and the line of whatever is wrong."""

import codecs
import csv
import io
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from juniper_cascor.commands import files
from juniper_cascor.commands.errors import CommandError, Exit, bad_data

_LARGEST = float(np.finfo(np.float32).max)
_EXACT = 2.0**53  # below it a float64 is one whole number, not several


@dataclass(frozen=True)
class CsvTable:
    """The text of all cells."""

    path: Path
    columns: tuple[str, ...]
    rows: list[list[str]]
    lines: list[int]  # of each row in the file, counted from 1

    @classmethod
    def read(cls, path: Path) -> Self:
        """The file's cells, separated by commas, semicolons or tabs: whichever its first line has most of.

        Raises:
            CommandError: naming the line.
        """
        content = files.read_bytes(path)
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            encoding = "UTF-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "LATIN1"
            step = f"iconv -f {encoding} -t UTF-8 {path}"
            raise bad_data(path, f"is not UTF-8 text: byte {error.start}", f"{step} writes it as such") from error
        first_line = text.partition("\n")[0]
        reader = csv.reader(io.StringIO(text), delimiter=max(",;\t", key=first_line.count), strict=True)
        try:
            header = tuple(name.strip() for name in next(reader, ()))
            _check_header(path, header)
            rows, lines = [], []
            for cells in reader:
                if not cells:
                    continue  # an empty line
                if len(cells) != len(header):
                    raise bad_data(
                        path,
                        f"line {reader.line_num}: has {len(cells)} cells, but the header {len(header)}",
                        "correct that line",
                    )
                rows.append(cells)
                lines.append(reader.line_num)
        except csv.Error as error:
            raise bad_data(path, f"line {reader.line_num}: {error}", "correct that line") from error
        if not rows:
            raise bad_data(path, "holds no patterns: there is no line after the header", "add some")
        return cls(path, header, rows, lines)

    def check_columns(self, names: Sequence[str]) -> None:
        """Refuse a name that no column has. Raises CommandError."""
        for name in names:
            if name not in self.columns:
                raise CommandError(
                    f"{self.path}: there is no column {name!r}",
                    next_step=f"take one of {', '.join(self.columns)}",
                    code=Exit.USAGE,
                )

    def words(self, name: str) -> list[str]:
        """A column's cells as they stand. Raises CommandError where one says that it is missing."""
        place = self.columns.index(name)
        words = [row[place].strip() for row in self.rows]
        for i, word in enumerate(words):
            if word.lower() in ("", "nan"):
                raise self._refused(i, name, f"{word!r} is no label" if word else "is empty")
        return words

    def numbers(self, names: Sequence[str], *, advice: str = "correct that cell") -> NDArray[np.float64]:
        """Columns as numbers, [rows, columns].

        Args:
            names: of the columns.
            advice: what to do about a cell that is no number; {name} is its column.

        Raises:
            CommandError: naming the first such cell.
        """
        return np.column_stack([np.empty((len(self.rows), 0)), *(self._numbers(name, advice) for name in names)])

    def _numbers(self, name: str, advice: str) -> NDArray[np.float64]:
        place = self.columns.index(name)
        numbers = np.empty(len(self.rows))
        for i, row in enumerate(self.rows):
            try:
                numbers[i] = float(row[place])
            except ValueError:
                cell = row[place].strip()
                raise self._refused(i, name, f"{cell!r} is not a number" if cell else "is empty", advice) from None
        is_wrong = ~(np.abs(numbers) <= _LARGEST)
        if is_wrong.any():
            i = int(is_wrong.argmax())
            what = "is not a finite number" if not np.isfinite(numbers[i]) else "is beyond single precision"
            raise self._refused(i, name, f"{self.rows[i][place].strip()!r} {what}", advice)
        return numbers

    def _refused(self, row: int, name: str, problem: str, advice: str = "correct that cell") -> CommandError:
        where = f"line {self.lines[row]}, column {name!r}"
        return bad_data(self.path, f"{where}: {problem}", advice.format(name=shlex.quote(name)))


def as_values(words: Sequence[str]) -> NDArray[Any]:
    """Words as numbers where all are such, else as they are."""
    return np.array([float(word) for word in words] if all(_is_number(word) for word in words) else words)


def as_labels(words: Sequence[str]) -> NDArray[Any]:
    """Words as classes: numbers where all are such, whole ones exactly; text where int64 does not hold them."""
    numbers = as_values(words)
    is_whole = numbers.dtype.kind == "f" and bool(np.isfinite(numbers).all()) and not np.any(numbers % 1)
    if not is_whole:
        return numbers
    if np.abs(numbers).max() < _EXACT:
        return numbers.astype(np.int64)
    try:
        return np.array([int(word) for word in words], np.int64)
    except (ValueError, OverflowError):
        return np.array(words)


def _check_header(path: Path, header: Sequence[str]) -> None:
    if not header:
        raise bad_data(path, "is empty", "write a header that names the columns, and a line for each pattern")
    if sum(_is_number(name) for name in header) > len(header) / 2:
        step = "add a header line before it, or call the columns by words"
        raise bad_data(path, "line 1: holds numbers, not the names of the columns", step)
    if "" in header:
        raise bad_data(path, f"line 1: column {header.index('') + 1} has no name", "name it")
    if twice := [name for name in header if header.count(name) > 1]:
        raise bad_data(path, f"line 1: two columns are called {twice[0]!r}", "rename one")


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
