"""Real PostgreSQL servers on free ports of the loopback, out of Debian's package, each in a temporary folder."""

import atexit
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from itertools import count
from pathlib import Path

import psutil
import psycopg
import pytest

USER = "juniper"
PASSWORD = "sesame"  # noqa: S105 - of a server that lives as long as its test
CLOSED = "closed"
"""The one database that asks for the password."""

TIMEOUT_S = 60

_ACCESS = f"""
local all all trust
host {CLOSED} all 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
"""
_MEMORY = Path("/dev/shm")  # noqa: S108 - where nobody waits for a disk


class PostgresqlServer:
    """One server, which ends with the process that started it, however that ends."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._folder = folder
        self._options = options
        self._numbers = count(1)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        subprocess.run(
            [*_as_its_user(), _program("initdb"), "-D", folder / "data", "-U", USER, "--auth=trust", "--no-sync",
             "--encoding=UTF8", "--locale=C.UTF-8"],
            cwd=folder, stdout=subprocess.DEVNULL, check=True,
        )  # fmt: skip
        (folder / "data" / "pg_hba.conf").write_text(_ACCESS)
        self.start()
        self.run(f"ALTER USER {USER} PASSWORD '{PASSWORD}'")

    def start(self) -> None:
        """Return when it answers."""
        options = [f"port={self.port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={self._folder}",
                   "log_min_messages=fatal", "shared_buffers=64MB", *self._options]  # fmt: skip
        command: list[str | Path] = [*_as_its_user(), _program("postgres"), "-D", self._folder / "data"]
        command += [word for option in options for word in ("-c", option)]
        self.process = psutil.Popen(command, cwd=self._folder, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            try:
                self.run("SELECT 1")
                return
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, "PostgreSQL does not start"
                time.sleep(0.02)

    def freeze(self) -> list[psutil.Process]:
        """Have all its processes stand still; returns them."""
        self.process.suspend()  # First: it would start others meanwhile.
        processes = self._processes()
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.suspend()
        return processes

    def thaw(self) -> None:
        """Have them go on."""
        for process in self._processes():
            process.resume()

    def kill(self) -> None:
        """End all its processes at once, as a crash does."""
        processes = self.freeze()  # Else they see the first of them end, and end in order.
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes, TIMEOUT_S)

    def stop(self) -> None:
        """End it in order, whoever is connected."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(TIMEOUT_S)

    def _processes(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]

    def run(self, sql: str, database: str = "postgres") -> None:
        """One statement by the owner of it all, over the socket that others do not use."""
        place = f"host={self._folder} port={self.port} user={USER} dbname={database}"
        with psycopg.connect(place, autocommit=True) as connection:
            connection.execute(sql.encode())

    def url(self, database: str, user: str = USER) -> str:
        """Where a database is."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def empty(self) -> str:
        """The address of a place where nothing is: a schema of its own, which is made sooner than a database."""
        name = f"test_{next(self._numbers)}"
        self.run(f"CREATE SCHEMA {name}")
        return f"{self.url('postgres')}?options=-csearch_path%3D{name}"


@contextmanager
def postgresql_server(*options: str) -> Iterator[PostgresqlServer]:
    """A server with settings, as in `max_connections=5`; skips the test where PostgreSQL is missing."""
    if shutil.which(_program("postgres")) is None:
        pytest.skip("PostgreSQL is missing: apt-get install postgresql")
    # Not below pytest's own folder, where root alone may look.
    with tempfile.TemporaryDirectory(prefix="juniper-postgresql-", dir=_MEMORY if _MEMORY.is_dir() else None) as name:
        folder = Path(name)
        if os.geteuid() == 0:
            shutil.chown(folder, _user())
        server = PostgresqlServer(folder, *options)
        try:
            yield server
        finally:
            if server.process.is_running():
                server.stop()


@cache
def shared_server() -> PostgresqlServer:
    """The one of this test process, which is not to be stopped."""
    opened = ExitStack()
    server = opened.enter_context(postgresql_server())
    atexit.register(opened.close)
    return server


def _as_its_user() -> list[str]:
    """What its commands begin with: it refuses to run as root, and is to end with this process."""
    user = [f"--reuid={_user()}", f"--regid={_user()}", "--clear-groups"] if os.geteuid() == 0 else []
    return ["setpriv", *user, "--pdeathsig=QUIT", "--"]


@cache
def _user() -> str:
    names = {each.pw_name for each in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@cache
def _program(name: str) -> str:
    """The newest there is of it."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    return str(debian[-1]) if debian else name
