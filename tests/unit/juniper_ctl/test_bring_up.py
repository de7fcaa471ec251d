"""Bringing the services up in the foreground."""

import socket
from pathlib import Path

import pytest

from juniper_ctl.bring_up import program_of, refuse_taken_port
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.locations import Locations
from juniper_ctl.services import CANOPY, CASCOR, DATA


def test_a_taken_port_is_named_before_anything_starts() -> None:
    """With the setting that changes it, and exit code 75."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(ControlError, match=f"data cannot listen on 127.0.0.1 port {port}") as raised:
            refuse_taken_port(DATA, {"JUNIPER_DATA_PORT": str(port)}, "demo")
    assert raised.value.code is Exit.TIMEOUT
    assert "JUNIPER_DATA_PORT=" in raised.value.next_command
    refuse_taken_port(DATA, {"JUNIPER_DATA_PORT": "0"}, "demo")


def test_a_service_in_the_foreground_gets_what_its_unit_would_give_it(
    home: Locations, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Folders of its own, its settings, its secrets; nothing that systemd said to juniper-ctl."""
    home.credentials.mkdir(parents=True)
    (home.configuration / "cascor.env").write_text("JUNIPER_CASCOR_LOG_LEVEL=WARNING\n")
    (home.configuration / "juniper.env").write_text("JUNIPER_ENV=production\nJUNIPER_DATA_PORT=9\n")
    (home.configuration / "dev.env").write_text("JUNIPER_ENV=dev\n")
    monkeypatch.setenv("JOURNAL_STREAM", "1:2")
    program = program_of(CASCOR, home, Path("/bin"), "dev")
    environment = program.environment
    assert program.command == ("/bin/juniper-cascor",)
    assert program.log == home.state / "log/cascor.log"
    assert environment["STATE_DIRECTORY"] == str(home.state / "cascor")
    assert environment["CACHE_DIRECTORY"] == str(home.cache / "cascor")
    assert environment["CREDENTIALS_DIRECTORY"] == str(home.credentials)
    assert environment["JUNIPER_CASCOR_LOG_LEVEL"] == "WARNING"
    assert environment["JUNIPER_ENV"] == "dev"
    assert environment["JUNIPER_DATA_URL"] == "http://127.0.0.1:9"
    assert "JOURNAL_STREAM" not in environment
    assert (home.state / "cascor").stat().st_mode & 0o777 == 0o700


def test_without_env_files_the_profiles_example_counts(home: Locations) -> None:
    """A checkout runs its profiles before anything is installed."""
    environment = program_of(CANOPY, home, Path("/bin"), "dev").environment
    assert (environment["JUNIPER_ENV"], environment["JUNIPER_CANOPY_DEMO_MODE"]) == ("dev", "true")
    assert "JUNIPER_CANOPY_DEMO_MODE" not in program_of(CANOPY, home, Path("/bin"), "demo").environment
