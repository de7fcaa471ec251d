import hashlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from juniper_data.errors import UnreadableFileError
from juniper_data.imports.importer import Importer
from juniper_data.imports.parameters import CsvImportParameters, UploadParameters
from juniper_data.making import Made
from tests.small_disk import small_disk

SMALL = b"x,label\n1,a\n2,b\n3,a\n4,b\n5,a\n"


@pytest.fixture
def importer(tmp_path: Path) -> Importer:
    """An importer with an empty folder, and another for what it needs in between."""
    (tmp_path / "import").mkdir()
    (tmp_path / "scratch").mkdir()
    return Importer(tmp_path / "import", 60, tmp_path / "scratch")


@contextmanager
def made(importer: Importer, folder: Path, content: bytes, **parameters: Any) -> Iterator[Made]:
    """What the importer makes of a file with this content."""
    (folder / "import" / "a.csv").write_bytes(content)
    with importer.open("a.csv") as file:
        asked = CsvImportParameters(file_path="a.csv", **parameters)
        with importer.made(file, hashlib.sha256(content).hexdigest(), asked) as result:
            yield result


def readers() -> list[psutil.Process]:
    """The child processes that read a file; a service that other tests share has children too."""
    found = []
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):
            if "juniper_data.imports" in child.cmdline():
                found.append(child)
    return found


def with_the_child(act: Callable[[psutil.Process], None]) -> threading.Thread:
    """Do something to the next child process that reads a file, as soon as there is one."""

    def wait() -> None:
        while not (children := readers()):
            time.sleep(0.01)
        act(children[0])

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_each_split_has_its_classes(importer: Importer, tmp_path: Path) -> None:
    """Counted as they are written; a regression has none."""
    with made(importer, tmp_path, SMALL, shuffle=False, train_ratio=0.4, test_ratio=0.2, val_ratio=0.4) as result:
        assert result.facts.class_distribution == {"0": 3, "1": 2}
        assert result.facts.split_distributions == {
            "train": {"0": 1, "1": 1},
            "test": {"0": 1, "1": 0},
            "val": {"0": 1, "1": 1},
        }
    numbers = b"x,label\n1,0.5\n2,1.5\n3,2.5\n"
    with made(importer, tmp_path, numbers, one_hot_labels=False) as result:
        assert result.facts.split_distributions == {"train": {}, "test": {}, "val": {}}


def test_file_becomes_an_artifact(importer: Importer, tmp_path: Path) -> None:
    """The artifact is open at its start, has the checksum that is told, and leaves nothing behind."""
    with made(importer, tmp_path, SMALL) as result:
        content = result.artifact.read()
        assert hashlib.sha256(content).hexdigest() == result.facts.checksum
        assert len(content) == result.facts.size_bytes
    assert (result.facts.n_samples, result.facts.n_train, result.facts.class_names) == (5, 4, ("a", "b"))
    assert not list((tmp_path / "scratch").iterdir())


def test_upload_is_read_wherever_its_file_stands(importer: Importer, tmp_path: Path) -> None:
    """A file that was sent need not be in the import folder; what is wrong with it is wrong with no parameter."""
    sent = tmp_path / "sent"
    for content, loc in ((b"x,label\nq,a\n", ["file"]), (b"x,y\n1,2\n", ["params", "label_column"])):
        sent.write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        with (
            sent.open("rb") as file,
            pytest.raises(UnreadableFileError) as refused,
            importer.made(file, sha256, UploadParameters()),
        ):
            pass
        assert refused.value.problems[0].loc == loc


def test_mistake_in_the_file_names_its_place(importer: Importer, tmp_path: Path) -> None:
    """What the child finds comes out as an error of the parameter that names the file."""
    with (
        pytest.raises(UnreadableFileError, match="line 2, column 'x': 'q' is no number") as refused,
        made(importer, tmp_path, b"x,label\nq,a\n"),
    ):
        pass
    assert refused.value.problems[0].loc == ["params", "file_path"]


def test_file_that_is_not_what_its_checksum_says_is_refused(importer: Importer, tmp_path: Path) -> None:
    """A file that changed after it was looked at is not taken for what it was."""
    path = tmp_path / "import" / "a.csv"
    path.write_bytes(SMALL)
    with (
        path.open("rb") as file,
        pytest.raises(UnreadableFileError, match="changed while it was read"),
        importer.made(file, "0" * 64, CsvImportParameters(file_path="a.csv")),
    ):
        pass


def test_file_that_changes_while_it_is_read_is_refused(importer: Importer, tmp_path: Path) -> None:
    """A write in the midst of reading is seen, even where the mistake that is found was there before."""

    def touch(child: psutil.Process) -> None:
        while child.is_running():
            os.utime(tmp_path / "import" / "a.csv")
            time.sleep(0.01)

    changing = with_the_child(touch)
    with (
        pytest.raises(UnreadableFileError, match="changed while it was read"),
        made(importer, tmp_path, b"x,label\n" + b"+1 ,a\n" * 1_000_000 + b"q,a\n"),
    ):
        pass
    changing.join()


def test_child_that_is_killed_is_a_refusal(
    importer: Importer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever kills the child, the caller is told, the log says with what, and nothing stays."""
    killing = with_the_child(psutil.Process.kill)
    with (
        caplog.at_level(logging.ERROR),
        pytest.raises(UnreadableFileError, match="could not be read"),
        made(importer, tmp_path, SMALL),
    ):
        pass
    killing.join()
    assert "reading 'a.csv' ended with -9" in caplog.text
    assert not list((tmp_path / "scratch").iterdir())
    assert readers() == []


def test_file_that_takes_too_long_is_refused(tmp_path: Path) -> None:
    """At the end of its time the child is killed, and the setting is named."""
    (tmp_path / "import").mkdir()
    with (
        pytest.raises(UnreadableFileError, match=r"longer than 0.01 s.*JUNIPER_DATA_IMPORT_TIMEOUT_S"),
        made(Importer(tmp_path / "import", 0.01, tmp_path), tmp_path, SMALL),
    ):
        pass
    assert readers() == []


PARENT = """
import hashlib, sys
from pathlib import Path
from juniper_data.imports.importer import Importer
from juniper_data.imports.parameters import CsvImportParameters
importer = Importer(Path(sys.argv[1]), 60, Path(sys.argv[-1]))
with importer.open("a.csv") as file:
    with importer.made(file, "0" * 64, CsvImportParameters(file_path="a.csv")):
        pass
"""


def test_child_dies_with_its_parent(tmp_path: Path) -> None:
    """A service that is killed leaves no child that reads on, and no file."""
    (tmp_path / "a.csv").write_bytes(b"x,label\n" + b"+1 ,a\n" * 3_000_000)
    with subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)]) as parent:
        watched = psutil.Process(parent.pid)
        while not (children := watched.children()):
            time.sleep(0.01)
        # nice: by then it is bound to its parent.
        while children[0].nice() != os.nice(0) + 10:
            time.sleep(0.01)
        parent.send_signal(signal.SIGKILL)
    psutil.wait_procs(children, timeout=60)
    assert not children[0].is_running()
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_child_sees_nothing_of_the_service(importer: Importer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No credential, and no descriptor but its own, comes to where hostile files are read."""
    monkeypatch.setenv("JUNIPER_DATA_API_KEYS", "secret")
    seen: list[tuple[dict[str, str], int]] = []
    looking = with_the_child(lambda child: seen.append((child.environ(), len(child.open_files()))))
    with (tmp_path / "secret").open("w") as secret:
        os.set_inheritable(secret.fileno(), True)
        with made(importer, tmp_path, b"x,label\n" + b"+1 ,a\n" * 300_000):
            pass
    looking.join()
    assert not [name for name in seen[0][0] if "JUNIPER" in name]
    assert seen[0][1] <= 4


def test_full_disk_is_no_fault_of_the_file(tmp_path: Path) -> None:
    """Where there is no room to read a file, the caller is told to come again, not to mend the file."""
    folder, disk = tmp_path / "import", tmp_path / "disk"
    folder.mkdir()
    (folder / "a.csv").write_bytes(b"x,label\n" + b"1,a\n" * 300_000)
    command = [*small_disk(disk, "1m"), sys.executable, "-c", PARENT, str(folder), str(disk)]
    ended = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    assert "StoreFullError: no room to read the file: No space left" in ended.stderr


def peak_of(importer: Importer, folder: Path, name: str) -> float:
    """The most memory of its own, in MB, that the child has resident while it makes a dataset of a file.

    How much of its libraries is resident beside that is the system's to decide, and differs.
    """
    peaks = [0]

    def watch(child: psutil.Process) -> None:
        status = Path(f"/proc/{child.pid}/status")
        while child.is_running() and "RssAnon" in (text := status.read_text()):
            peaks.append(int(text.split("RssAnon:")[1].split()[0]))
            time.sleep(0.02)

    watching = with_the_child(watch)
    with importer.open(name) as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        with importer.made(file, sha256, CsvImportParameters(file_path=name)) as result:
            assert result.facts.size_bytes > (folder / "import" / name).stat().st_size / 2
    watching.join()
    return max(peaks) * 1024 / 1e6


def write_large(folder: Path, size: int) -> None:
    """A CSV and an NPZ of about so many bytes."""
    rng = np.random.default_rng(0)
    block = "".join(",".join(f"{cell:.6f}" for cell in row) + ",a\n" for row in rng.normal(size=(2000, 20)).tolist())
    with (folder / "large.csv").open("w") as file:
        file.write(",".join(f"x{j}" for j in range(20)) + ",label\n")
        for _ in range(size // len(block)):
            file.write(block)
    X = np.lib.format.open_memmap(folder / "X.npy", "w+", np.float32, (size // 80, 20))
    X[:] = 1
    np.savez(folder / "large.npz", X=X, y=np.zeros(len(X), np.int8))
    (folder / "X.npy").unlink()


@pytest.mark.parametrize("size", [100_000_000, pytest.param(1_000_000_000, marks=pytest.mark.soak)])
def test_large_file_takes_little_memory(importer: Importer, tmp_path: Path, size: int) -> None:
    """However large the file, the child stays under 70 MB with a CSV, under 60 MB with an NPZ, beside its libraries."""
    write_large(tmp_path / "import", size)
    assert 20 < peak_of(importer, tmp_path, "large.csv") < 70
    assert 20 < peak_of(importer, tmp_path, "large.npz") < 60
