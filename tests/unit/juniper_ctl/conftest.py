import os
from pathlib import Path

import pytest

from juniper_ctl.locations import Locations
from tests.unit.juniper_ctl.fake_systemd import FakeSystemd


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Locations:
    """An empty home, and nothing of the tester's own environment that juniper-ctl reads."""
    for name in os.environ:
        if name.startswith(("JUNIPER_", "XDG_")):
            monkeypatch.delenv(name)
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    return Locations.of(os.environ)


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Locations) -> FakeSystemd:  # noqa: ARG001
    """A user manager that answers and knows no unit."""
    fake = FakeSystemd.install(tmp_path / "systemd")
    monkeypatch.setenv("PATH", f"{fake.folder / 'bin'}:{os.environ['PATH']}")
    return fake


@pytest.fixture
def no_systemd(systemd: FakeSystemd) -> None:
    """A machine where no user manager answers."""
    systemd.go_down()
