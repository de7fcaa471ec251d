"""How often a service was started."""

from pathlib import Path

import pytest

from juniper_common import starts


def test_each_start_is_counted(tmp_path: Path) -> None:
    """In a state folder that the first one makes."""
    folder = tmp_path / "state"
    assert starts.counted(folder) == 0
    for _ in range(3):
        starts.count(folder)
    assert starts.counted(folder) == 3
    assert [path.name for path in folder.iterdir()] == ["starts"]


@pytest.mark.parametrize("content", [b"", b"many", b"\xff\xfe"])
def test_damaged_count_is_taken_for_0_and_said(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """A power cut keeps nobody from starting."""
    (tmp_path / "starts").write_bytes(content)
    starts.count(tmp_path)
    assert "taken for 0" in caplog.text
    assert starts.counted(tmp_path) == 1


def test_folder_that_cannot_be_written_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The service starts all the same."""
    (tmp_path / "file").touch()
    starts.count(tmp_path / "file")
    assert "not counted" in caplog.text
