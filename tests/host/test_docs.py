"""What the docs tell a person to type, typed on a booted host: page by page, each in one shell."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from testinfra.host import Host

from tests.host.booted_host import USER, BootedHost
from tests.host.conftest import JUNIPER_CTL
from tests.host.doc_commands import DOCS, PAGES, Command, commands_of

pytestmark = [pytest.mark.host, pytest.mark.timeout(1800)]

END = "the command has ended with "
ENDLESS_S = 10
"""How long a command may go on that ends at Ctrl-C alone."""
STILL_RUNNING = 124
"""What `timeout` says of it then."""

NEWER = """
rm -rf newer && cp -al bundle newer && rm newer/bundle.json
sed 's/"digest": "/&0/' bundle/bundle.json >newer/bundle.json
"""
"""A bundle that makes another release, for the page on upgrades."""

AS_BEFORE = """
curl -s -X POST http://127.0.0.1:8200/v1/training/stop
rm -f .config/juniper/alert.env .config/systemd/user/juniper-*.service.d/60-own.conf
rm -f .config/juniper/alerts/* .local/state/juniper/alerts/*
truncate --size=0 .config/juniper/{data,cascor,canopy}.env .config/juniper/credentials/*
systemctl --user daemon-reload
"""
"""What a page, or another test, has left: a training, alerts, settings, keys."""


@dataclass(slots=True)
class Shell:
    """A shell of the user's, which keeps its variables and folder from one command to the next."""

    machine: BootedHost
    bash: "subprocess.Popen[str]" = field(init=False)

    def __post_init__(self) -> None:
        self.bash = subprocess.Popen(
            ["ssh", *self.machine.ssh_options, f"{USER}@{self.machine.address}", "bash"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def type(self, text: str) -> tuple[int, str]:
        """Run it with no input; returns how it ended, and what it printed."""
        assert self.bash.stdin is not None
        assert self.bash.stdout is not None
        self.bash.stdin.write(f"{{ {text}\n}} </dev/null; printf '\\n%s\\n' '{END}'$?\n")
        self.bash.stdin.flush()
        printed: list[str] = []
        for line in self.bash.stdout:
            if line.startswith(END):
                return int(line.removeprefix(END)), "".join(printed)
            printed.append(line)
        raise AssertionError(f"the shell has ended: {''.join(printed)}")

    def run(self, command: Command) -> tuple[int, str]:
        """Run what a page says."""
        if command.as_root is not None:
            return self._as_root(command.as_root)
        if command.is_endless:
            code, printed = self.type(f"timeout --signal=INT {ENDLESS_S} {command.text}")
            return (0 if code == STILL_RUNNING else code or STILL_RUNNING), printed
        return self.type(command.text)

    def _as_root(self, text: str) -> tuple[int, str]:
        """The words are the user's shell's, as with the real sudo; the test host's root is not asked for a password."""
        _, printed = self.type(f'printf "%s\\n" "$PWD" {text}')
        folder, *words = printed.splitlines()[:-1]
        clean = (
            "env",
            "-i",
            f"--chdir={folder}",
            "HOME=/root",
            "LANG=C.UTF-8",
            "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        )
        try:
            return 0, self.machine.run_as_root(*clean, *words)
        except subprocess.CalledProcessError as error:
            return error.returncode, error.stdout + error.stderr

    def close(self) -> None:
        """End it."""
        self.bash.communicate()


@pytest.fixture
def shell(machine: BootedHost, running: Host) -> Iterator[Shell]:
    """A shell on the host with the services running, and the bundle of another release beside the one installed."""
    running.check_output(NEWER)
    running.check_output(AS_BEFORE)
    shell = Shell(machine)
    shell.type('export PATH="$HOME/.local/bin:$PATH"')
    yield shell
    shell.close()
    running.run(f"{JUNIPER_CTL} install")
    running.run(AS_BEFORE)


@pytest.mark.parametrize("page", PAGES)
def test_each_command_does_what_its_page_says(page: str, shell: Shell) -> None:
    """In the order of the page, each ends as the page says."""
    for command in commands_of((DOCS / page).read_text(encoding="utf-8")):
        code, printed = shell.run(command)
        assert code == command.exit_code, f"{command.text}\n{printed}"
