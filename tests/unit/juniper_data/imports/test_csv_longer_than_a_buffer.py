"""A CSV that does not fit into the buffer of the file that it is read from."""

import hashlib
from pathlib import Path

import pytest

from juniper_data.errors import UnreadableFileError
from juniper_data.imports.importer import Importer
from juniper_data.imports.parameters import UploadParameters

ROWS = [f"{row},{row % 7},{row % 2}" for row in range(10_000)]


def _n_samples(folder: Path, rows: list[str]) -> int:
    path = folder / "rows.csv"
    path.write_text("\n".join(["a,b,label", *rows]), encoding="utf-8")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    importer = Importer(folder, timeout_s=60, scratch=folder)
    with path.open("rb") as file, importer.made(file, sha256, UploadParameters()) as made:
        return made.facts.n_samples


def test_it_is_not_taken_for_one_that_changes(tmp_path: Path) -> None:
    """Whoever reads the columns leaves the file where it stood, so that its checksum is of the whole."""
    assert _n_samples(tmp_path, ROWS) == len(ROWS)


def test_a_cell_far_down_is_named_by_its_line(tmp_path: Path) -> None:
    """The second reading, which looks for the cell, starts at the beginning."""
    with pytest.raises(UnreadableFileError, match=r"line 9002, column 'a': 'x' is no number"):
        _n_samples(tmp_path, [*ROWS[:9000], "x,1,0", *ROWS[9000:]])
