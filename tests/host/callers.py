"""Callers on a host, who call its services again and again, and what becomes of their calls."""

import contextlib
import json
from collections.abc import Callable, Iterator

from testinfra.host import Host

from tests.host.user_units import eventually

PORTS = {"data": 8100, "cascor": 8200, "canopy": 8050}

CALLS = """
import http.client, json, pathlib, signal, sys, threading

ended = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: ended.set())
told = {port: {"answered": 0, "refused": 0, "cut off": 0} for port in sys.argv[2:]}

def call(port):
    while not ended.is_set():
        caller = http.client.HTTPConnection("127.0.0.1", int(port), timeout=60)
        try:
            caller.request("GET", "/v1/health/live", headers={"Connection": "close"})
            became = "answered" if caller.getresponse().status == 200 else "cut off"
        except ConnectionRefusedError:
            became = "refused"
        except (http.client.HTTPException, OSError):
            became = "cut off"
        caller.close()
        told[port][became] += 1

for thread in [threading.Thread(target=call, args=[port]) for port in told]:
    thread.start()
found = pathlib.Path(sys.argv[1])
while not ended.wait(0.05):
    found.with_suffix(".new").write_text(json.dumps(told))
    found.with_suffix(".new").replace(found)
"""
"""Calls each port again and again, each time anew, and writes down what became of the calls."""

Told = dict[str, int]


@contextlib.contextmanager
def callers(host: Host, *ports: int) -> Iterator[Callable[[int], Told]]:
    """While it lasts the ports are called; what is given says what has become of the calls so far."""
    host.check_output("echo %s >calls.py && rm -f called.json", CALLS)
    names = " ".join(str(port) for port in ports)
    host.check_output(f"nohup python3 calls.py called.json {names} >calls.log 2>&1 & echo $! >calls.pid")

    def told(port: int) -> Told:
        found: dict[str, Told] = json.loads(host.run("cat called.json").stdout or "{}")
        return found.get(str(port), {"answered": 0, "refused": 0, "cut off": 0})

    try:
        for port in ports:
            eventually(lambda port=port: told(port)["answered"] > 0, f"port {port} answers")  # type: ignore[misc]
        yield told
    finally:
        host.check_output("kill $(cat calls.pid)")


def goes_on(told: Callable[[int], Told], port: int) -> Told:
    """What has become of the calls once ten more were answered than now."""
    so_far = told(port)["answered"]
    eventually(lambda: told(port)["answered"] >= so_far + 10, f"port {port} answers again")
    return told(port)
