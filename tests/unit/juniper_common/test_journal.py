"""The journal's protocol, against a socket that reads it as journald does."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from juniper_common.journal import Journal
from tests.unit.juniper_common.fake_journal import FakeJournal


@pytest.fixture
def journald(tmp_path: Path) -> Iterator[FakeJournal]:
    """One that listens."""
    with closing(FakeJournal(tmp_path / "journal")) as listening:
        yield listening


def test_an_entry_arrives_with_its_fields(journald: FakeJournal) -> None:
    """Whatever their text holds: none of it passes for another field."""
    told = {"MESSAGE": "first\nPRIORITY=0\n\nlast", "PRIORITY": "6", "JUNIPER_RUN": "a=b ü \udcff", "EMPTY": ""}
    with closing(Journal(journald.address)) as journal:
        journal.send(told)
    assert journald.entries() == [told | {"JUNIPER_RUN": "a=b ü \\udcff"}]


def test_what_no_datagram_holds_arrives_too(journald: FakeJournal) -> None:
    """As a sealed file: journald takes no other."""
    message = "line\n" * 200_000
    with closing(Journal(journald.address)) as journal:
        journal.send({"MESSAGE": message})
    assert journald.entries() == [{"MESSAGE": message}]


def test_a_journal_that_comes_back_is_found(tmp_path: Path) -> None:
    """While it is away the sender is told."""
    with closing(Journal(str(tmp_path / "journal"))) as journal:
        with pytest.raises(OSError, match="No such file"):
            journal.send({"MESSAGE": "lost"})
        with closing(FakeJournal(tmp_path / "journal")) as journald:
            journal.send({"MESSAGE": "found"})
            assert journald.messages() == ["found"]
