"""A real Redis server of the tests' own, on the loopback; its files are gone with it."""

import atexit
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from functools import cache
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

START_TIMEOUT_S = 30

# Should the test run be killed, it ends too.
_ENDS_WITH_US = ("setpriv", "--pdeathsig", "KILL")


def why_not() -> str | None:
    """The reason why there can be no server on this machine, or None."""
    return None if shutil.which("redis-server") else "there is no redis-server: apt-get install redis-server"


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class RedisProcess:
    """A server that writes each change to the disk before it answers, unless `options` say otherwise."""

    def __init__(self, folder: Path, **options: str) -> None:
        folder.mkdir(exist_ok=True)
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._options = {"appendonly": "yes", "appendfsync": "always", "save": ""} | options
        self.start()

    @property
    def client(self) -> redis.Redis:
        """To look at what it holds, and to change its settings."""
        return redis.Redis(port=self.port, protocol=2, retry=Retry(NoBackoff(), 0))

    def start(self, *, waits: bool = True, **options: str) -> None:
        """Start it, again at the same address and with the same data."""
        options = {"port": str(self.port), "bind": "127.0.0.1", "dir": str(self._folder)} | self._options | options
        words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value)]
        command = [*_ENDS_WITH_US, "redis-server", *words]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        ends_at = time.monotonic() + START_TIMEOUT_S
        while not self._answers(waits):
            assert self.process.poll() is None, f"redis-server ended with {self.process.returncode}"
            assert time.monotonic() < ends_at, "redis-server does not come up"
            time.sleep(0.01)

    def set_user(self, name: str, *rules: str) -> None:
        """Say who may do what."""
        self.client.execute_command("ACL", "SETUSER", name, *rules)  # type: ignore[no-untyped-call]

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def close(self) -> None:
        """End it, if a test has not."""
        if self.process.poll() is None:
            self.kill()

    def restart(self) -> None:
        """As after a crash."""
        self.kill()
        self.start()

    def _answers(self, waits: bool) -> bool:
        try:
            with self.client as client:
                client.ping()
        except redis.BusyLoadingError:
            return not waits
        except redis.ConnectionError:
            return False
        return True


@cache
def shared_server() -> RedisProcess:
    """One for all the tests of this process, from its first use to the end: each test takes a prefix of its own."""
    folder = Path(tempfile.mkdtemp(prefix="juniper-redis-"))
    server = RedisProcess(folder)

    def end() -> None:
        server.close()
        shutil.rmtree(folder)

    atexit.register(end)
    return server
