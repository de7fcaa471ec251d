"""What doctor proves and finds on a real systemd."""

import json

import pytest
from testinfra.host import Host

from tests.host.conftest import JUNIPER_CTL

pytestmark = [pytest.mark.host, pytest.mark.timeout(900)]

UNITS = ".config/systemd/user"


def wrong(host: Host, section: str) -> list[str]:
    """What a section finds wrong."""
    told = json.loads(host.run(f"{JUNIPER_CTL} doctor {section} --json").stdout)
    return [finding["text"] for finding in told["sections"][section] if finding["level"] == "wrong"]


def test_a_tidy_host_has_nothing_wrong(running: Host) -> None:
    """Sandbox proven, units as installed, ports the services' own; no GPU is no failure."""
    told = running.run(f"{JUNIPER_CTL} doctor")
    assert told.rc == 0, told.stdout
    assert "sandbox  ok      no manager and no bus is in reach" in told.stdout
    assert "ports    ok      canopy listens on port 8050" in told.stdout


def test_a_sandbox_with_a_hole_is_found_out(installed: Host) -> None:
    """A drop-in that shows home and /run: a file arrives, keys are seen, the bus answers; nothing is left behind."""
    folder = f"{UNITS}/juniper-probe@.service.d"
    lines = "[Service]\\nProtectHome=no\\nTemporaryFileSystem=\\n"
    installed.check_output(f"printf '{lines}' >{folder}/90-test.conf")
    installed.check_output("systemctl --user daemon-reload")
    try:
        made, sees, reaches = wrong(installed, "sandbox")
        assert "it made /home/juniper/.juniper-probe" in made
        assert "it sees /home/juniper/.ssh" in sees
        assert "/systemd/private" in reaches
        assert installed.check_output("find . -maxdepth 2 -name '.juniper-probe*'") == ""
    finally:
        installed.check_output(f"rm {folder}/90-test.conf && systemctl --user daemon-reload")


def test_an_edited_unit_file_is_found_and_put_right(installed: Host) -> None:
    """Doctor names it, `install --diff` shows the line, `install` takes it back."""
    installed.check_output(f"echo '# mine' >>{UNITS}/juniper-data.service")
    changed = f"/home/juniper/{UNITS}/juniper-data.service is changed since it was installed"
    assert wrong(installed, "install")[0] == changed
    assert "\n-# mine" in installed.check_output(f"{JUNIPER_CTL} install --diff")
    installed.check_output(f"{JUNIPER_CTL} install")
    assert wrong(installed, "install") == []
