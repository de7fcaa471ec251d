"""Booted hosts for all tests here: one with Juniper installed from a bundle over ssh, and two for Ansible."""

import contextlib
import fcntl
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest
from testinfra.host import Host
from xdist.remote import Producer
from xdist.scheduler.loadfile import LoadFileScheduling

from tests.host.booted_host import BootedHost, booted_host, why_not
from tests.host.fleet import Rollout, booted_fleet, roll_out
from tests.host.installed_host import JUNIPER_CTL as JUNIPER_CTL
from tests.host.installed_host import install, make_bundle, seen_by_user


class _ByHost(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """Keeps a file's tests with one worker, and all of the fleet, which another worker would boot again."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        return "fleet" if "/test_fleet" in file else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> _ByHost:
    """Of all workers; `--dist loadgroup` is without effect with pytest 9.2 and xdist 3.8."""
    return _ByHost(config, log)


@contextlib.contextmanager
def hosts_end_with_us() -> Iterator[None]:
    """Skip where no host can be booted; a test run that is told to end takes its hosts down with it, as at Ctrl-C."""
    reason = why_not()
    if reason is not None:
        pytest.skip(reason)

    def interrupt(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


@pytest.fixture(scope="session")
def machine() -> Iterator[BootedHost]:
    """A host that runs for the length of the test session."""
    with hosts_end_with_us(), booted_host() as host:
        yield host


@pytest.fixture(scope="session")
def juniper(machine: BootedHost) -> Host:
    """The host as the user `juniper` sees it, over ssh."""
    return seen_by_user(machine)


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of the sources under test, one for all workers: a second time nothing is made."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with (shared / "bundle.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        make_bundle(shared / "bundle")
    return shared / "bundle"


@pytest.fixture(scope="session")
def installed(machine: BootedHost, juniper: Host, bundle: Path) -> Host:
    """The host with a release installed, nothing running."""
    install(machine, juniper, bundle)
    return juniper


@pytest.fixture
def running(installed: Host) -> Iterator[Host]:
    """The host with the three services started anew, and no start of an earlier test counted against their limit."""
    installed.run("systemctl --user reset-failed")
    started = installed.run(f"{JUNIPER_CTL} start")
    assert started.rc == 0, started.stderr + installed.run("journalctl -q -n 40 --no-pager").stdout
    yield installed
    installed.run(f"{JUNIPER_CTL} stop")


@pytest.fixture(scope="session")
def rollout(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rollout]:
    """Two hosts that Ansible has brought from bare to ready."""
    with hosts_end_with_us(), booted_fleet(tmp_path_factory.mktemp("fleet"), bundle) as fleet:
        yield roll_out(fleet)
