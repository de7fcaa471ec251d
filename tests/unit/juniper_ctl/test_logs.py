import itertools
import os
import subprocess
import sys

import pytest

from juniper_ctl.locations import Locations
from juniper_ctl.logs import journal_command
from juniper_ctl.services import DATA, SERVICES


def test_all_services_bring_the_alerts_with_them() -> None:
    """One service alone brings its own lines."""
    command = journal_command(SERVICES, lines=50, follow=False, since=None)
    identifiers = [word for before, word in itertools.pairwise(command) if before == "--identifier"]
    assert identifiers == ["juniper-data", "juniper-cascor", "juniper-canopy", "juniper-alert"]
    assert command[-3:] == ["--lines", "50", "--no-pager"]
    assert "juniper-alert" not in journal_command([DATA], lines=50, follow=False, since=None)


def test_since_shows_all_from_then_on() -> None:
    """Not only the last lines of it."""
    command = journal_command([DATA], lines=50, follow=True, since="-10min")
    assert command[-3:] == ["--since", "-10min", "--follow"]
    assert "--lines" not in command


@pytest.mark.usefixtures("no_systemd")
def test_without_systemd_the_logs_of_the_foreground_are_shown(home: Locations) -> None:
    """Those that are there."""
    home.logs.mkdir(parents=True)
    (home.logs / "data.log").write_text("one\ntwo\nthree\n")
    command = [sys.executable, "-m", "juniper_ctl", "logs", "-n", "2"]
    shown = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ), check=True)
    assert shown.stdout.endswith("two\nthree\n")
    assert "one" not in shown.stdout


@pytest.mark.usefixtures("no_systemd", "home")
def test_without_any_log_the_demo_is_what_to_type() -> None:
    """Exit code 1."""
    command = [sys.executable, "-m", "juniper_ctl", "logs"]
    shown = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ), check=False)
    assert shown.returncode == 1
    assert shown.stderr.endswith("next: juniper-ctl demo\n")
