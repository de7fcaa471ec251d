"""How long a host takes to heal, timed on the host itself: from a signal to a process until all is well again."""

from testinfra.host import Host

from tests.host import training

_HEALED = """
import http.client, json, os, signal, sys, time, urllib.request

process, name, port, run, epoch = sys.argv[1:]

def told(path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=1) as answer:
            return json.load(answer)
    except (OSError, ValueError, http.client.HTTPException):
        return None

def epochs():
    data = (told("/v1/training/status") or {}).get("data")
    return data["monitor"]["current_epoch"] if data and data["run_id"] == run else 0

def is_well():
    return told("/v1/health/ready") is not None and (not run or epochs() > epoch)

os.kill(int(process), getattr(signal, "SIG" + name))
began = time.monotonic()
# What was on its way when the signal came is told by now; what was killed is back in two seconds at the soonest.
time.sleep(1)
epoch = max(int(epoch), epochs())
while not is_well():
    if time.monotonic() > began + 120:
        sys.exit("not well within 120 s")
    time.sleep(0.02)
print(time.monotonic() - began)
"""


def healed_s(host: Host, process: int, signal: str, port: int) -> float:
    """Send a signal to the process, as in `KILL`; the seconds until the service on the port is ready."""
    return float(host.check_output("python3 -c %s %s %s %s '' 0", _HEALED, str(process), signal, str(port)))


def training_healed_s(host: Host, process: int, signal: str) -> float:
    """Send a signal to the process; the seconds until the run that trains is past the epoch where it was."""
    now = training.status(host)
    where = (str(now.run_id), str(now.monitor.current_epoch))
    return float(host.check_output("python3 -c %s %s %s 8200 %s %s", _HEALED, str(process), signal, *where))
