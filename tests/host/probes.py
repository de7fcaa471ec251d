"""Tries what a unit's sandbox forbids, from inside of it. Runs on the host, with the standard library alone.

`python3 -m tests.host.probes NAME...` tries each in a process of its own, and prints JSON: by name what refused it, or
null where it succeeded.
"""

import contextlib
import ctypes
import errno
import json
import mmap
import os
import shutil
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.host import bait

HOME = Path("/home/juniper")
CODE = HOME / ".local/lib/juniper"
PROBES: dict[str, Callable[[], None]] = {}

_libc = ctypes.CDLL(None, use_errno=True)
_PTRACE, _OPEN_TREE = 101, 428
_CLONE_NEWUSER, _ADDR_NO_RANDOMIZE, _AT_FDCWD = 0x10000000, 0x0040000, -100


class RefusedError(Exception):
    """It had no effect, or a program that was to do it failed."""


def probe(tries: Callable[[], None]) -> Callable[[], None]:
    """One of those that can be asked for; its docstring says what it tries."""
    PROBES[tries.__name__] = tries
    return tries


# Files


@probe
def write_among_the_systems_files() -> None:
    """Write among the system's files."""
    _write(bait.BAIT)


@probe
def write_to_the_home() -> None:
    """Write to the home."""
    name = _write(HOME)
    # The sandbox's own tmpfs takes it as well. What a process outside has made is the home's.
    if not (HOME / ".ssh").exists():
        raise RefusedError(f"{name} is in no home")


@probe
def read_the_home() -> None:
    """Read the home's files."""
    (HOME / ".ssh/authorized_keys").read_bytes()


@probe
def read_the_credentials() -> None:
    """Read all the services' credentials."""
    list((HOME / ".config/juniper/credentials").iterdir())


@probe
def change_the_code() -> None:
    """Change the installed code."""
    _write(CODE)


@probe
def write_to_anothers_state() -> None:
    """Write to another service's state."""
    _write(Path((bait.BAIT / "state").read_text(encoding="utf-8")))


@probe
def see_tmp() -> None:
    """See the files in /tmp."""
    bait.TMP_FILE.read_bytes()


@probe
def see_shared_files() -> None:
    """See the files in /dev/shm."""
    bait.SHARED_FILE.read_bytes()


@probe
def open_a_device() -> None:
    """Open a device of the host."""
    bait.DEVICE.read_bytes()


@probe
def change_a_setting_of_the_kernel() -> None:
    """Write to the kernel's settings in /sys."""
    _write(bait.TUNABLES)


@probe
def list_the_modules() -> None:
    """List the kernel's modules."""
    list(bait.MODULES.iterdir())


@probe
def write_what_others_can_read() -> None:
    """Write a file that other users can read."""
    file = _writable() / _write(_writable())
    mode = file.stat().st_mode & 0o777
    file.unlink()
    if not mode & 0o077:
        raise RefusedError(f"its mode is {mode:o}")


# Programs and memory


@probe
def run_a_program_that_it_wrote() -> None:
    """Run a program that it has written to its folder."""
    _run_a_copy_in(_writable())


@probe
def run_a_program_in_tmp() -> None:
    """Run a program that it has written to /tmp."""
    _run_a_copy_in(Path("/tmp"))  # noqa: S108


@probe
def run_a_program_in_shared_memory() -> None:
    """Run a program that it has written to /dev/shm."""
    _run_a_copy_in(Path("/dev/shm"))  # noqa: S108


@probe
def load_a_library_that_it_wrote() -> None:
    """Load a library that it has written."""
    with _copied(_writable()) as copy, copy.open("rb") as file:
        mmap.mmap(file.fileno(), 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC, flags=mmap.MAP_PRIVATE).close()


@probe
def run_a_program_in_nameless_memory() -> None:
    """Run a program from memory that has no name (`memfd_create`)."""
    descriptor = os.memfd_create("probe", 0)
    os.write(descriptor, Path("/usr/bin/true").read_bytes())
    _run(f"/proc/{os.getpid()}/fd/{descriptor}")


@probe
def map_writable_executable_memory() -> None:
    """Map memory that is writable and executable."""
    mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC).close()


@probe
def run_code_of_32_bits() -> None:
    """Run code of 32 bits."""
    _run(str(bait.CODE_OF_32_BITS))


# Privileges


@probe
def become_root() -> None:
    """Become root by a set-user-ID program."""
    if _run(str(bait.SET_USER_ID), "-u").strip() != "0":
        raise RefusedError("its set-user-ID is ignored")


@probe
def take_a_capability() -> None:
    """Take a capability from a program's file."""
    shown = _run(str(bait.CAPABLE), "-Ec", "print(open('/proc/self/status').read())")
    if int(shown.partition("CapEff:")[2].split()[0], 16) == 0:
        raise RefusedError("its capabilities are ignored")


@probe
def open_a_raw_socket() -> None:
    """Open a raw socket by a program that may."""
    _run(str(bait.CAPABLE), "-Ec", "import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)")


@probe
def leave_a_set_user_id_file() -> None:
    """Leave a set-user-ID file behind."""
    file = _writable() / _write(_writable())
    try:
        file.chmod(0o4755)
    finally:
        file.unlink()


@probe
def make_a_namespace() -> None:
    """Make a namespace."""
    _checked(_libc.unshare(_CLONE_NEWUSER))


@probe
def change_its_execution_domain() -> None:
    """Switch the randomness of its addresses off."""
    _checked(_libc.personality(_ADDR_NO_RANDOMIZE))


@probe
def take_realtime_priority() -> None:
    """Ask the kernel for real-time priority."""
    # Priority 0 is wrong for everybody. The kernel says so before it looks at privileges: who hears it came through.
    with _taken_for_a_success(errno.EINVAL):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(0))


@probe
def make_a_control_group() -> None:
    """Make a control group below its own."""
    group = _control_group("self") / "probe"
    group.mkdir()
    group.rmdir()


@probe
def leave_its_control_group() -> None:
    """Leave its control group, and with it its limits."""
    (_control_group(_other()) / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")


@probe
def trace_a_process() -> None:
    """Have itself traced (`@debug`)."""
    _checked(_libc.syscall(_PTRACE, 0, 0, 0, 0))


@probe
def give_a_file_away() -> None:
    """Set a file's owner (`@privileged`)."""
    file = _writable() / _write(_writable())
    try:
        os.chown(file, os.getuid(), os.getgid())
    finally:
        file.unlink()


@probe
def prepare_a_mount() -> None:
    """Prepare a mount (`@mount`)."""
    os.close(_checked(_libc.syscall(_OPEN_TREE, _AT_FDCWD, b"/", 0)))


@probe
def bind_itself_to_a_processor() -> None:
    """Bind itself to a processor (`@resources`)."""
    os.sched_setaffinity(0, os.sched_getaffinity(0))


# Other processes


@probe
def see_another_process() -> None:
    """See the command line of another process."""
    Path("/proc", _other(), "cmdline").read_bytes()


@probe
def signal_another_process() -> None:
    """Send a signal to another process of the user."""
    os.kill(int(_other()), 0)


@probe
def read_another_process() -> None:
    """Read the environment of another process."""
    Path("/proc", _other(), "environ").read_bytes()


@probe
def write_another_process() -> None:
    """Write to the memory of another process."""
    Path("/proc", _other(), "mem").open("r+b").close()


@probe
def reach_the_root_of_another_process() -> None:
    """See the home through the root of another process."""
    list(Path("/proc", _other(), "root", *HOME.parts[1:]).iterdir())


@probe
def reach_the_folder_of_another_process() -> None:
    """See the folder that another process works in."""
    list(Path("/proc", _other(), "cwd").iterdir())


@probe
def see_shared_memory() -> None:
    """Reach System V shared memory of another process."""
    _checked(_libc.shmget(bait.SHARED_MEMORY_KEY, 1, 0))


# Doors


@probe
def reach_the_session_bus() -> None:
    """Reach the user's bus."""
    _connect(_runtime("bus"))


@probe
def reach_the_users_manager() -> None:
    """Reach the private socket of the user's manager."""
    _connect(_runtime("systemd/private"))


@probe
def start_a_unit() -> None:
    """Start a unit outside of the sandbox."""
    _run("systemd-run", "--user", "--quiet", "--wait", "--collect", "true")


@probe
def set_its_own_limits() -> None:
    """Change its own limits through the manager."""
    unit = _control_group("self").name
    _run("systemctl", "--user", "set-property", "--runtime", unit, "TasksMax=1000")


@probe
def reach_the_system_bus() -> None:
    """Reach the system's bus."""
    _connect("/run/dbus/system_bus_socket")


@probe
def ask_the_login_manager() -> None:
    """Ask the login manager for sessions."""
    _run("loginctl", "list-sessions")


@probe
def reach_a_daemon() -> None:
    """Reach a daemon's socket in /run."""
    _connect(str(bait.DAEMON))


@probe
def reach_an_abstract_socket() -> None:
    """Reach an abstract socket."""
    _connect(bait.ABSTRACT_SOCKET)


@probe
def reach_a_port_of_the_host() -> None:
    """Reach a port on loopback."""
    socket.create_connection(("127.0.0.1", bait.PORT), timeout=5).close()


@probe
def open_a_rare_socket() -> None:
    """Open a socket of a rare family."""
    for family in (socket.AF_VSOCK, socket.AF_ALG):  # A kernel may lack one of them.
        with contextlib.suppress(OSError):
            socket.socket(family, socket.SOCK_SEQPACKET).close()
            return
    raise RefusedError("no such family")


@probe
def open_an_internet_socket() -> None:
    """Open an Internet socket."""
    socket.socket(socket.AF_INET).close()


# What they have in common


def _write(folder: Path) -> str:
    """The name of a file that it leaves there."""
    name = f"probe-{os.getpid()}"
    (folder / name).touch()
    return name


def _writable() -> Path:
    return Path(os.environ.get("STATE_DIRECTORY", "/tmp"))  # noqa: S108


@contextlib.contextmanager
def _copied(folder: Path) -> Iterator[Path]:
    copy = Path(shutil.copy("/usr/bin/true", folder / f"probe-{os.getpid()}"))
    try:
        yield copy
    finally:
        copy.unlink()


def _run_a_copy_in(folder: Path) -> None:
    with _copied(folder) as copy:
        copy.chmod(0o700)
        _run(str(copy))


def _run(*command: str) -> str:
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    if ended.returncode != 0:
        raise RefusedError(f"{command[0]} ended with {ended.returncode}: {ended.stderr.strip()[-200:]}")
    return ended.stdout


def _other() -> str:
    """The id of a process of the same user, outside of every sandbox."""
    return (bait.BAIT / "pid").read_text(encoding="ascii")


def _control_group(process: str) -> Path:
    path = Path("/proc", process, "cgroup").read_text(encoding="utf-8").rpartition("0::/")[2].strip()
    return Path("/sys/fs/cgroup", path)


def _runtime(path: str) -> str:
    return f"/run/user/{os.getuid()}/{path}"


def _connect(address: str) -> None:
    with socket.socket(socket.AF_UNIX) as door:
        door.connect(address)


def _checked(returned: int) -> int:
    if returned == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return returned


@contextlib.contextmanager
def _taken_for_a_success(number: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno != number:
            raise


def refusal(tries: Callable[[], None]) -> str | None:
    """What refused it; None where it succeeded. In a process of its own, which is left in whatever condition."""
    read, written = os.pipe()
    child = os.fork()
    if child == 0:
        refused = ""
        try:
            tries()
        except (OSError, RefusedError) as error:
            refused = str(error)
        except BaseException:  # noqa: BLE001 - a probe that is broken must not look like one that succeeded
            refused = traceback.format_exc()
        os.write(written, refused.encode())
        os._exit(bool(refused))
    os.close(written)
    with os.fdopen(read, "rb") as pipe:
        refused = pipe.read().decode()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status < 0:
        return f"killed by {signal.Signals(-status).name}"
    return refused if status else None


if __name__ == "__main__":
    json.dump({name: refusal(PROBES[name]) for name in sys.argv[1:] or PROBES}, sys.stdout)
