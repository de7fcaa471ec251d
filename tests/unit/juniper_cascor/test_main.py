"""The command line of the training service."""

from pathlib import Path

import pytest

from juniper_cascor.__main__ import main
from juniper_cascor.settings import CascorSettings


def test_warming_up_says_how_long_it_took(capsys: pytest.CaptureFixture[str]) -> None:
    """It trains once and ends; nothing listens."""
    main(["warm-up"])
    assert capsys.readouterr().out.startswith("the training engine is warm after ")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"CACHE_DIRECTORY": "/cache/given"}, "/cache/given"),
        ({"XDG_CACHE_HOME": "/xdg"}, "/xdg/juniper/cascor"),
        ({"HOME": "/home/somebody"}, "/home/somebody/.cache/juniper/cascor"),
        ({"JUNIPER_CASCOR_CACHE_DIR": "/said", "CACHE_DIRECTORY": "/cache/given"}, "/said"),
    ],
)
def test_where_compiled_code_is_kept(
    environment: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The setting, else systemd's folder, else the user's cache."""
    for name in ("CACHE_DIRECTORY", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert CascorSettings().cache_dir == Path(expected)


def test_a_state_folder_that_cannot_be_used_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It ends with 78, which systemd does not restart, and names the setting."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("JUNIPER_CASCOR_STATE_DIR", str(tmp_path / "file"))
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 78
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("; restore the folder from a backup, or set JUNIPER_CASCOR_STATE_DIR to another")
