"""A small honest service: it listens, says READY, and ends at SIGTERM. Its behaviour is the program's arguments.

`fake_service.py PORT [behaviour...]`: `silent` never says READY; `dies` ends with 75 after a line on standard error;
`deaf` ignores SIGTERM; `slow` asks for more time first; `child` starts a process that would outlive it.
"""

import http.server
import os
import signal
import socket
import subprocess
import sys
import time


def notify(state: str) -> None:
    """Send one datagram to whoever started this process."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.sendto(state.encode(), os.environ["NOTIFY_SOCKET"])


class Page(http.server.BaseHTTPRequestHandler):
    """Answers with the folders that it was given."""

    def do_GET(self) -> None:
        """One line."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ["RUNTIME_DIRECTORY"].encode())


def main() -> None:
    """Serve until told to stop."""
    port, *behaviour = sys.argv[1:]
    sys.stdout.write("starting\n")
    if "dies" in behaviour:
        sys.stdout.flush()
        sys.stderr.write("port taken\n")
        sys.exit(75)
    if "child" in behaviour:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
        sys.stdout.write(f"child {child.pid}\n")
    sys.stdout.flush()
    signal.signal(signal.SIGTERM, signal.SIG_IGN if "deaf" in behaviour else lambda *_: sys.exit(0))
    with http.server.HTTPServer(("127.0.0.1", int(port)), Page) as server:
        if "slow" in behaviour:
            notify("EXTEND_TIMEOUT_USEC=60000000")
            time.sleep(0.5)
        if "silent" not in behaviour:
            notify("STATUS=listening\nno assignment")
            notify("READY=1")
        server.serve_forever()


main()
