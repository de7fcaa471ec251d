"""What the dataset service's benchmark makes of its figures, and how it asks."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import get_args

import pytest

from benchmarks.data.__main__ import BENCHMARK, PARTS
from benchmarks.data.answering import Answering
from benchmarks.data.filtering import Filtering
from benchmarks.data.finding import FILTERS, Finding
from benchmarks.data.gigabyte import Gigabyte
from benchmarks.data.load import Connection, Load, get, post, put_load
from benchmarks.data.resting import Resting
from benchmarks.data.running import peak_mb, resident_mb
from benchmarks.data.stores import BENCHMARK as STORES_BENCHMARK
from benchmarks.data.stores import Stored
from juniper_common.wire.dataset_queries import DatasetFilter
from juniper_data.settings import BackEnd


@contextmanager
def answering(pieces: list[bytes]) -> Iterator[str]:
    """A service that gives each of its callers these pieces, one after the other; its address."""

    def serve() -> None:
        with listener.accept()[0] as connection:
            connection.recv(1 << 16)
            for piece in pieces:
                connection.sendall(piece)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(60)


def test_every_part_tells_its_lines() -> None:
    """Each figure with a budget, met where it keeps it."""
    fast, slow = Load(2.0, [0.001] * 1_600), Load(2.0, [0.03] * 200)
    parts: list[Resting | Answering | Finding | Filtering | Gigabyte] = [
        Resting([0.5, 2.0, 0.6], fresh_mb=81.0, used_mb=79.0),
        Answering(pairs=fast, sets=slow, million_s=[0.7, 1.6]),
        Finding(9, {"a tag": [1.0, 2.0], "a name": [3.0, 51.0]}, [70.0], [0.9], rss_mb=60.0),
        Filtering("a store", 9, {"a tag": [1.0, 2.0], "a name": [3.0, 19.0]}),
        Gigabyte(1_000_000_000, 20.0, 2_000_000_000, 4.0, service_mb=190.0, child_mb=210.0),
    ]
    lines = [line for part in parts for line in part.lines()]
    assert {line.what: line.is_met for line in lines} == {
        "from the start of the process to READY=1, with an empty store": True,
        "memory as it waits for its first request": False,
        "memory after 1,000 sets, 3 of a million points, 20 uploads": None,
        "the 194-point spiral asked for and downloaded again, a second": True,
        "both of these requests together, p99": True,
        "distinct spirals made and on the disk, a second": False,
        "a spiral of a million points made and on the disk, most": False,
        "a filter over 9 datasets, p95 of the slowest of 2": False,
        "a page of 1,000 of the 9 datasets, p95": None,
        "from the start of the process to READY=1, with 9 datasets": True,
        "memory with 9 datasets, after the filters": None,
        "a store: a filter over 9 datasets, p95 of the slowest of 2": True,
        "1.0 GB uploaded, 2.0 GB downloaded: peak memory of the service": True,
        "1.0 GB uploaded, 2.0 GB downloaded: peak memory of its child that reads the file": False,
        "the time of that": None,
    }


def test_every_filter_can_be_asked_for() -> None:
    """The service would refuse what the model refuses, and nothing would be measured."""
    for query in FILTERS.values():
        assert DatasetFilter.model_validate(query).model_dump(exclude_unset=True) == query


def test_an_answer_is_read_whole_in_whatever_pieces_it_comes() -> None:
    """Head and body may be cut anywhere."""
    pieces = [b"HTTP/1.1 200 OK\r\nContent-Le", b"ngth: 5\r\n", b"\r\nab", b"cde"]
    with answering(pieces) as address:
        connection = Connection(address)
        assert connection.ask(get("/")) == b"abcde"
        connection.close()


@pytest.mark.parametrize("pieces", [[b"HTTP/1.1 503 Full\r\ncontent-length: 4\r\n\r\nbusy"], [b"HTTP/1.1 200 OK\r\n"]])
def test_a_call_that_fails_ends_the_benchmark(pieces: list[bytes]) -> None:
    """A refusal is soon answered, and must not count as fast."""
    with answering(pieces) as address:
        connection = Connection(address)
        with pytest.raises(RuntimeError, match=r"busy|closed"):
            connection.ask(post("/", {"a": 1}))
        connection.close()


def test_a_load_counts_every_call_but_the_first_of_each_connection() -> None:
    """The first one finds nothing warm."""
    calls: list[Connection] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        load = put_load(address, 3, 0.05, calls.append)
    assert len(calls) == len(load.calls_s) + 3
    assert len(set(calls)) == 3


def test_the_memory_of_a_process_is_what_the_kernel_says() -> None:
    """Its peak stays when it has given memory back."""
    program = "import sys; len(b'x' * 200_000_000); print(flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert peak_mb(process.pid) > 200 > resident_mb(process.pid)
        process.communicate()


def test_an_unknown_part_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """With those that there are."""
    with pytest.raises(SystemExit):
        BENCHMARK.main(["resting", "speed"])
    assert "no part speed" in capsys.readouterr().err
    assert list(PARTS) == ["resting", "answering", "finding", "gigabyte"]


def test_every_kind_of_store_has_its_lines() -> None:
    """Those on a hub have none but why."""
    stored = Stored("a store", [0.5, 0.25, 0.25], [2.0, 2.0], [0.001, 0.003], [0.1, 0.1], [0.05, 0.05])
    assert {line.what: line.measured for line in stored.lines()} == {
        "a store: sets of 4 kB created, a second": "3",
        "a store: sets of 10 MB created": "5 MB/s",
        "a store: an artifact of 4 kB opened and read": "1 ms (p95 3 ms)",
        "a store: an artifact of 10 MB opened and read": "100 MB/s; again 200 MB/s",
    }
    assert [kind for kind in get_args(BackEnd) if not any(kind in part for part in STORES_BENCHMARK.parts)] == []
