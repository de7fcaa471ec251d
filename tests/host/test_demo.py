"""`juniper-ctl demo` where a systemd user manager answers."""

import json
import re
from collections.abc import Iterator

import pytest
from testinfra.host import Host

from tests.host import training
from tests.host.conftest import JUNIPER_CTL
from tests.host.user_units import eventually, value

pytestmark = [pytest.mark.host, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def demo(installed: Host) -> Iterator[tuple[Host, str]]:
    """The host with the demo running, and what the command said."""
    started = installed.run(f"{JUNIPER_CTL} demo")
    assert started.rc == 0, started.stderr
    yield installed, started.stdout
    installed.run(f"{JUNIPER_CTL} stop")


def run_of(said: str) -> str:
    """The id of the run that the demo started."""
    found = re.search(r"run (\S+) started", said)
    assert found is not None, said
    return found[1]


def test_the_demo_uses_the_units(demo: tuple[Host, str]) -> None:
    """Its target is active, and the page is served."""
    host, said = demo
    assert value(host, "juniper-demo.target", "ActiveState") == "active"
    assert "http://127.0.0.1:8050" in said
    assert host.run("curl -sf http://127.0.0.1:8050/").rc == 0


def test_the_demo_trains(demo: tuple[Host, str]) -> None:
    """Epochs go by."""
    host, _ = demo
    eventually(lambda: training.status(host).monitor.current_epoch > 0, "epochs go by")


def test_the_journal_shows_the_run(demo: tuple[Host, str]) -> None:
    """`journalctl -t juniper-cascor JUNIPER_RUN=…` tells of this run alone."""
    host, said = demo
    lines = f"journalctl -q -t juniper-cascor JUNIPER_RUN={run_of(said)} --no-pager -o cat"
    eventually(lambda: "run is STARTED" in host.check_output(lines), "the journal has the run")


def test_a_second_demo_leaves_the_training_alone(demo: tuple[Host, str]) -> None:
    """It finds release, services, dataset and run as they are."""
    host, said = demo
    again = host.run(f"{JUNIPER_CTL} demo")
    assert again.rc == 0
    assert "nothing changed" in again.stdout
    assert "already there" in again.stdout
    assert training.status(host).run_id == run_of(said)
    told = json.loads(host.check_output(f"{JUNIPER_CTL} demo --json"))
    assert (told["verdict"], told["profile"], told["run"]) == ("ok", "demo", None)
    assert told["dashboard"] == "http://127.0.0.1:8050"


def test_the_installed_program_runs_the_demo_too(demo: tuple[Host, str]) -> None:
    """It has no checkout and no bundle to install from; what is installed is what it starts."""
    host, said = demo
    again = host.run(".local/bin/juniper-ctl demo")
    assert again.rc == 0, again.stderr
    assert training.status(host).run_id == run_of(said)


def test_a_stop_of_the_demos_target_stops_the_services(demo: tuple[Host, str]) -> None:
    """Whoever started one target does not look for another to stop."""
    host, _ = demo
    host.check_output("systemctl --user stop juniper-demo.target")
    units = ("juniper.target", "juniper-canopy.service", "juniper-cascor.service", "juniper-data.service")
    eventually(
        lambda: {value(host, unit, "ActiveState") for unit in units} == {"inactive"}, "target and services are stopped"
    )
