"""What an administrator installs by hand: each file says how, with commands that name itself."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROFILE = ROOT / "systemd/apparmor/systemd-executor"
FILES = (PROFILE, ROOT / "systemd/delegate/50-juniper.conf")
ABI = Path("/etc/apparmor.d/abi/4.0")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_says_the_command_that_installs_it(path: Path) -> None:
    """From the checkout or the bundle, to where its reader looks, under the same name."""
    command = re.search(r"^#   sudo install .*-m 644 (\S+) (\S+)$", path.read_text(), re.M)
    assert command is not None
    source, target = command.groups()
    assert ROOT / source == path
    assert Path(target).name == path.name


def test_the_profile_gives_user_namespaces_to_what_sets_the_sandbox_up() -> None:
    """And takes nothing away: it is unconfined otherwise, as without a profile."""
    text = re.sub(r"#.*", "", PROFILE.read_text())
    profile = re.search(r"^profile \S+ (\S+) flags=\((\w+)\) \{$(.*)^\}$", text, re.M | re.S)
    assert profile is not None
    assert profile.group(1, 2) == ("/usr/lib/systemd/systemd-executor", "unconfined")
    assert [line.strip() for line in profile[3].splitlines() if line.strip()] == [
        "userns,",
        "include if exists <local/systemd-executor>",
    ]


def test_the_profile_parses() -> None:
    """As AppArmor reads it, without loading it."""
    parser = shutil.which("apparmor_parser", path="/usr/sbin:/sbin:/usr/bin")
    if parser is None:
        pytest.skip("there is no apparmor_parser: apt-get install apparmor")
    if not ABI.exists():
        pytest.skip(f"this AppArmor is older than the profile: there is no {ABI}")
    parsed = subprocess.run([parser, "-Q", "-K", PROFILE], capture_output=True, text=True, check=False)
    assert (parsed.returncode, parsed.stderr) == (0, "")
