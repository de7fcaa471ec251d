"""Boots a real systemd host out of this machine's own root, for as long as a test run needs it.

Every mount lives in the mount namespace of one process, the holder of the disk, and every process of the host is a
descendant of one systemd-nspawn in it. Both end with the test run, however that ends, and nothing is left behind.
"""

import contextlib
import fcntl
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

USER = "juniper"
BOOT_TIMEOUT_S = 90
STOP_TIMEOUT_S = 30

_MASKED = (
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "fstrim.timer",
    "man-db.timer",
    "networking.service",
    "postgresql.service",
    "redis-server.service",
    "systemd-firstboot.service",
    "systemd-networkd-wait-online.service",
)
"""What need not start there, and would only take time or wait for a network."""

_MOUNT = """
set -e
mount -t tmpfs -o mode=755 tmpfs "$1/o"
mkdir "$1/o/upper" "$1/o/work"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/o/upper,workdir=$1/o/work" "$1/root"
rm -f "$1/root/etc/machine-id"
tar -C "$1/added" -cf - . | tar -C "$1/root" -xf - --no-overwrite-dir --no-same-owner
ssh-keygen -q -A -f "$1/root"
echo mounted
exec sleep infinity
"""

_IN_CGROUPS = 'for group in $CGROUPS; do echo 0 >"$group/cgroup.procs"; done; exec "$@"'

# Should the test run be killed, this ends too. A session of its own: Ctrl-C must not reach it first.
_ENDS_WITH_US = ("setsid", "setpriv", "--pdeathsig", "TERM")


def why_not() -> str | None:
    """The reason why no host can be booted on this machine, or None."""
    if os.getuid() != 0:
        return "booting a host takes root: sudo scripts/test"
    for command, package in (
        ("systemd-nspawn", "systemd-container"),
        ("ssh", "openssh-client"),
        ("ssh-keygen", "openssh-client"),
        ("ip", "iproute2"),
    ):
        if shutil.which(command) is None:
            return f"there is no {command}: apt-get install {package}"
    if not Path("/usr/sbin/sshd").exists():
        return "there is no sshd: apt-get install openssh-server"
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode != 0:
        return "this machine, a container without privileges, may not mount"
    as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    if subprocess.run([*as_nobody, "unshare", "--user", "true"], capture_output=True, check=False).returncode != 0:
        return "users may not open user namespaces on this machine, and the units' PrivateUsers= is one"
    return None


@dataclass(slots=True)
class BootedHost:
    """A running host. It reaches no network but this machine."""

    name: str
    number: int
    scratch: Path
    disk: int
    """The process that holds its disk, which outlives a power cut."""
    cgroups: list[Path]
    """Those it runs in, and no other host."""
    user: str
    """Who logs in to it."""
    nspawn: subprocess.Popen[bytes] | None = None
    leader: int = 0
    """Its first process, as this machine numbers it."""

    @property
    def address(self) -> str:
        """Where sshd listens."""
        return f"10.77.{self.number}.2"

    @property
    def key(self) -> Path:
        """The private key of its user."""
        return self.scratch / "key"

    def boot(self) -> None:
        """Boot, and wait until it has an address.

        Raises:
            OSError, CalledProcessError, TimeoutError: it does not come up; the console's last lines are in a note.
        """
        options = ("--boot", "--keep-unit", "--register=no", "-M", self.name, "--network-veth", "--console=pipe")
        enter = ("sh", "-c", _IN_CGROUPS, "sh", "nsenter", f"--mount=/proc/{self.disk}/ns/mnt")
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1",
            "CGROUPS": " ".join(str(group) for group in self.cgroups),
        }
        with (self.scratch / "console.log").open("ab") as log:
            self.nspawn = subprocess.Popen(
                [*_ENDS_WITH_US, *enter, "systemd-nspawn", "-D", str(self.scratch / "root"), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
            )
        with self._told_with_the_console():
            self.leader = _leader(self.nspawn)
            _connect(self.name, self.number, self.leader)

    def cut_power(self) -> None:
        """Kill all of its processes at one moment; the disk stays as it is then."""
        assert self.nspawn is not None
        os.kill(self.leader, signal.SIGKILL)
        self.nspawn.wait(STOP_TIMEOUT_S)

    def power_off(self) -> None:
        """End it in order; what does not end in time is killed."""
        if self.nspawn is None:
            return
        self.nspawn.terminate()
        try:
            self.nspawn.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.leader, signal.SIGKILL)
            self.nspawn.kill()
            self.nspawn.wait()

    def wait_for_user(self) -> None:
        """Wait until the user's manager answers over ssh."""
        for _ in _tries("the user's manager does not answer over ssh"):
            answered = subprocess.run(
                ["ssh", *self.ssh_options, f"{self.user}@{self.address}", "systemctl --user is-system-running --wait"],
                capture_output=True,
                text=True,
                check=False,
            )
            if answered.stdout.strip() in ("running", "degraded"):
                return

    @contextlib.contextmanager
    def _told_with_the_console(self) -> Iterator[None]:
        try:
            yield
        except (OSError, subprocess.CalledProcessError, TimeoutError) as error:
            console = (self.scratch / "console.log").read_text(encoding="utf-8", errors="replace")[-3000:]
            error.add_note(f"{getattr(error, 'stderr', '')}\nthe console's last lines:\n{console}")
            raise

    @property
    def ssh_options(self) -> list[str]:
        """For ssh and scp."""
        options = ("BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR")
        return ["-i", str(self.key), *(word for option in options for word in ("-o", option))]

    def run_as_root(self, *command: str) -> str:
        """Run a command inside, without ssh; returns what it prints.

        Raises:
            CalledProcessError: it failed.
        """
        return subprocess.run(
            ["nsenter", "--target", str(self.leader), "--all", "--root", *command],
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def copy_folder(self, folder: Path, to: str) -> None:
        """Copy what is in a folder to the user's home."""
        target = shlex.quote(to)
        with subprocess.Popen(["tar", "-C", str(folder), "-cf", "-", "."], stdout=subprocess.PIPE) as packed:
            subprocess.run(
                [
                    "ssh",
                    *self.ssh_options,
                    f"{self.user}@{self.address}",
                    f"mkdir -p {target} && tar -C {target} -xf -",
                ],
                stdin=packed.stdout,
                check=True,
            )


@contextlib.contextmanager
def booted_host(user: str = USER, *, is_admin: bool = False) -> Iterator[BootedHost]:
    """A host with a user who lingers and takes the key that was made for it; an admin may become root, unasked."""
    with contextlib.ExitStack() as cleanup:
        scratch = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="juniper-host-")))
        number = _claimed_number(cleanup)
        name = f"juniper{number}"
        _prepare(scratch, name)
        host = BootedHost(name, number, scratch, _disk(scratch, cleanup), _cgroups(name, cleanup), user)
        cleanup.callback(host.power_off)
        host.boot()
        _make_user(host)
        if is_admin:
            rule = f"{user} ALL=(ALL) NOPASSWD: ALL"
            host.run_as_root("sh", "-c", f"umask 227 && echo {shlex.quote(rule)} >/etc/sudoers.d/{user}")
        yield host


def _disk(scratch: Path, cleanup: contextlib.ExitStack) -> int:
    """Mount the root, and return the process in whose namespace it is."""
    holder = subprocess.Popen(
        (*_ENDS_WITH_US, "unshare", "--mount", "--propagation", "private", "sh", "-c", _MOUNT, "disk", str(scratch)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    cleanup.callback(holder.wait)
    cleanup.callback(holder.terminate)
    assert holder.stdout is not None
    with holder.stdout as said:
        is_mounted = said.readline() == b"mounted\n"
    if not is_mounted:
        raise OSError(f"the host's disk cannot be made: {holder.wait()}")
    return holder.pid


def _cgroups(name: str, cleanup: contextlib.ExitStack) -> list[Path]:
    """Make the host a cgroup below this process's, in each hierarchy that systemd keeps; else two hosts share one."""
    ours = [line.split(":", 2)[1:] for line in Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()]
    cgroups = []
    for kind, options in (("cgroup2", ""), ("cgroup", "name=systemd")):
        found = ["findmnt", "--noheadings", "--first-only", "--output", "TARGET", "--types", kind]
        mounted = subprocess.run(
            [*found, *(["--options", options] if options else [])], capture_output=True, text=True, check=False
        ).stdout.strip()
        if mounted:
            within = next(path for controllers, path in ours if controllers == options)
            cgroups.append(Path(mounted, within.lstrip("/"), name))
    for group in cgroups:
        group.mkdir(exist_ok=True)
        cleanup.callback(_remove_cgroup, group)
    return cgroups


def _remove_cgroup(group: Path) -> None:
    """Its folders alone: the files go with them."""
    for folder, _, __ in os.walk(group, topdown=False):
        Path(folder).rmdir()


def _claimed_number(cleanup: contextlib.ExitStack) -> int:
    """A number that no other test run on this machine uses; the lock ends with this process."""
    for number in range(1, 250):
        lock = cleanup.enter_context(Path(f"/run/juniper-test-host-{number}.lock").open("w"))  # noqa: SIM115
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            cleanup.callback(Path(lock.name).unlink, missing_ok=True)
            return number
    raise OSError("249 test hosts run on this machine already")


def _prepare(scratch: Path, name: str) -> None:
    """Write what differs from this machine's root into `added`, and make the key."""
    for folder in ("o", "root"):
        (scratch / folder).mkdir()
    units = scratch / "added/etc/systemd/system"
    (units / "multi-user.target.wants").mkdir(parents=True)
    for unit in _MASKED:
        (units / unit).symlink_to("/dev/null")
    (units / "multi-user.target.wants/ssh.service").symlink_to("/lib/systemd/system/ssh.service")
    (scratch / "added/etc/hostname").write_text(f"{name}\n", encoding="ascii")
    # Without its own name here each sudo waits for a resolver that it does not reach.
    (scratch / "added/etc/hosts").write_text(f"127.0.0.1 localhost\n127.0.1.1 {name}\n", encoding="ascii")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(scratch / "key")], check=True)


def _leader(nspawn: subprocess.Popen[bytes]) -> int:
    children = Path(f"/proc/{nspawn.pid}/task/{nspawn.pid}/children")
    for _ in _tries("systemd-nspawn starts no first process"):
        if nspawn.poll() is not None:
            raise OSError(f"systemd-nspawn ended with {nspawn.returncode}")
        is_nspawn = Path(f"/proc/{nspawn.pid}/comm").read_text(encoding="utf-8").strip() == "systemd-nspawn"
        started = children.read_text(encoding="ascii").split()
        if is_nspawn and started:
            leader = int(started[0])
            if Path(f"/proc/{leader}/comm").read_text(encoding="utf-8").strip() == "systemd":
                return leader
    raise AssertionError


def _connect(name: str, number: int, leader: int) -> None:
    """Give both ends of the virtual cable an address."""
    here, there = f"10.77.{number}.1/24", f"10.77.{number}.2/24"
    inside = ["nsenter", "-t", str(leader), "-n"]
    for command in (
        ["ip", "address", "add", here, "dev", f"ve-{name}"],
        ["ip", "link", "set", f"ve-{name}", "up"],
        [*inside, "ip", "address", "add", there, "dev", "host0"],
        [*inside, "ip", "link", "set", "host0", "up"],
        [*inside, "ip", "route", "add", "default", "via", here.split("/")[0]],
    ):
        subprocess.run(command, capture_output=True, text=True, check=True)


def _make_user(host: BootedHost) -> None:
    for _ in _tries("systemd-logind does not answer"):
        with contextlib.suppress(subprocess.CalledProcessError):
            host.run_as_root("loginctl", "list-users")
            break
    host.run_as_root("useradd", "--create-home", "--shell", "/bin/bash", host.user)
    public = host.key.with_suffix(".pub").read_text(encoding="ascii")
    folder = f"/home/{host.user}/.ssh"
    host.run_as_root("install", "-d", "-m", "700", "-o", host.user, "-g", host.user, folder)
    host.run_as_root("sh", "-c", f"printf %s {shlex.quote(public)} >{folder}/authorized_keys")
    host.run_as_root("chown", f"{host.user}:", f"{folder}/authorized_keys")
    host.run_as_root("loginctl", "enable-linger", host.user)
    host.wait_for_user()


def _tries(reason: str) -> Iterator[None]:
    """Ten times a second, until the boot took too long."""
    deadline = time.monotonic() + BOOT_TIMEOUT_S
    while time.monotonic() < deadline:
        yield
        time.sleep(0.1)
    raise TimeoutError(reason)
