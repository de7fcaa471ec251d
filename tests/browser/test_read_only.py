"""The dashboard where nothing can be written but its state folder: not the home, the code or the temporary folders."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Host, Service, free_ports

pytestmark = pytest.mark.browser

ALL_BUT_ONE_FOLDER = """
mount --bind "$0" "$0"
findmnt --raw --noheadings --output TARGET,OPTIONS | while read -r target options; do
    case $target:$options in
        "$0":*|/proc*|/sys*|/dev*) ;;
        *:rw*) mount -o remount,bind,ro "$target" ;;
    esac
done
for folder in "$HOME" /tmp /var/tmp "$0"; do
    touch "$folder/was-here" 2>/dev/null && echo "$folder"
done >"$0/writable"
exec "$@"
"""
"""Python's locks are in /dev/shm, which is memory: that stays."""


@pytest.fixture(scope="module")
def read_only(host: Host) -> Iterator[Service]:
    """A dashboard in a mount namespace of its own, where its state folder alone can be written."""
    if os.getuid() != 0 or subprocess.run(["unshare", "--mount", "true"], check=False).returncode != 0:
        pytest.skip("a mount namespace takes root")
    (port,) = free_ports(1)
    folder = host.canopy.log.parent
    state, home = folder / "only", folder / "home"
    for new in (state, home):
        new.mkdir()
    environment = host.canopy.environment | {
        "JUNIPER_CANOPY_SERVER__PORT": str(port),
        "JUNIPER_CANOPY_STATE_DIR": str(state),
        "HOME": str(home),
        "TMPDIR": str(home),
    }
    within = ("unshare", "--mount", "--propagation", "private", "sh", "-ec", ALL_BUT_ONE_FOLDER, str(state))
    service = Service("canopy", port, environment, folder / "read-only.log", within)
    service.start()
    yield service
    service.stop()


def test_the_page_needs_no_folder_but_its_own(read_only: Service, host: Host, chromium: Browser) -> None:
    """Page, stream and health work, and nothing is written anywhere else: it could not be."""
    host.forget()
    state = Path(read_only.environment["JUNIPER_CANOPY_STATE_DIR"])
    assert (state / "writable").read_text().split() == [str(state)]

    context = chromium.new_context()
    page = context.new_page()
    page.goto(read_only.url)
    page.wait_for_selector("[data-testid=status][data-status=STOPPED]")
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_selector("[data-testid=status][data-status=STARTED]")
    context.close()
    assert read_only.is_ready()
    assert "Read-only file system" not in read_only.log.read_text()
