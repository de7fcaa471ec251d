"""Kills a training again and again at random moments, and compares what it ends in with a run that nobody touched.

`python -m tests.integration.killing KILLS` does so with every case of `resumed_run`, and prints docs/resume-soak.md.
"""

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from juniper_cascor import snapshots, versions
from juniper_cascor.runs import snapshot_folder
from juniper_cascor.runs.recording import Curve
from juniper_cascor.snapshots import Snapshot
from tests.integration.resumed_run import CASES, RUN, Case, advance, begun, snapshot_of

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 120
MOST_CHUNKS = 12


@dataclass
class Kills:
    """What a run was doing when it was killed."""

    at_start: int = 0  # while it loaded, or took up its snapshot
    while_writing: int = 0  # a half-written file was left behind
    otherwise: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.at_start + self.while_writing + self.otherwise


def unbroken(case: Case) -> Snapshot:
    """The case's end when nothing interrupts it, with chunks as long as they come."""
    training, curve = begun(case), Curve()
    while training.finished is None:
        advance(training, curve, None)
    return snapshot_of(training, curve)


class Killer:
    """Starts a case again and again, and kills it, each time a little further on."""

    def __init__(self, folder: Path, name: str, seed: int) -> None:
        self._folder = folder
        self._name = name
        self._rng = np.random.default_rng(seed)
        # How long a start and a chunk take is learnt on the way, so that kills fall into them.
        self._start_s = 0.5
        self._chunk_s = 0.01
        self.kills = Kills()

    def kill_once(self, most_epochs: int) -> None:
        """One life of at most so many epochs, in chunks of a length of its own."""
        max_epochs = int(np.exp(self._rng.uniform(0, np.log(most_epochs))))
        chunks = int(self._rng.integers(0, min(MOST_CHUNKS, most_epochs // max_epochs) + 1))
        process = self._process(max_epochs)
        if chunks:
            self._train(process, chunks)
        else:
            time.sleep(self._rng.uniform(0, self._start_s))
        process.kill()
        process.communicate(timeout=TIMEOUT_S)
        if not chunks:
            self.kills.at_start += 1
        elif any(self._folder.glob(f"{RUN}/.*")):
            self.kills.while_writing += 1
        else:
            self.kills.otherwise += 1

    def finish(self) -> Snapshot:
        """One life that is let go on to the end; what it ends in.

        Raises:
            SnapshotError: a kill left a file under a snapshot's name that is none.
        """
        process = self._process(max_epochs=1_000)
        process.communicate(b"." * 100_000, TIMEOUT_S)
        assert process.returncode == 0
        # Half-written files are gone too, else one would be among them.
        read = [snapshots.read(path) for path in self._folder.glob(f"{RUN}/*")]
        assert all(snapshot.state for snapshot in read)
        found = snapshot_folder.newest(self._folder, RUN)
        assert found is not None
        return found

    def _process(self, max_epochs: int) -> "subprocess.Popen[bytes]":
        threads = str(self._rng.integers(1, 4))
        module = "tests.integration.resumed_run"
        command = [sys.executable, "-m", module, str(self._folder), self._name, str(max_epochs), threads]
        return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)

    def _train(self, process: "subprocess.Popen[bytes]", chunks: int) -> None:
        """Return somewhere in the last chunk, or in the writing of its snapshot."""
        assert process.stdin is not None
        assert process.stdout is not None
        began = time.monotonic()
        assert process.stdout.read(1) == b"."
        self._start_s = time.monotonic() - began
        for _ in range(chunks - 1):
            began = time.monotonic()
            process.stdin.write(b".")
            assert process.stdout.read(1) == b".", "the training ended before it was killed"
            self._chunk_s = time.monotonic() - began
        process.stdin.write(b".")
        time.sleep(self._rng.uniform(0, self._chunk_s))


def run_with_kills(folder: Path, name: str, kills: int, seed: int) -> tuple[Kills, list[str]]:
    """Run a case to its end through so many kills.

    Returns the kills, and the arrays that are not those of the unbroken run, bit for bit.
    """
    expected = unbroken(CASES[name])
    killer = Killer(folder, name, seed)
    most_epochs = expected.card.epoch // (kills + 1)
    assert most_epochs > 0, "the run is too short for so many kills"
    for _ in range(kills):
        killer.kill_once(most_epochs)
    return killer.kills, differences(killer.finish(), expected)


def differences(snapshot: Snapshot, expected: Snapshot) -> list[str]:
    """The arrays of network, state and metrics that differ in any bit."""
    found, wanted = _bits(snapshot), _bits(expected)
    return sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))


def _bits(snapshot: Snapshot) -> dict[str, tuple[str, tuple[int, ...], bytes]]:
    groups = {"network": snapshot.network.arrays(), "state": snapshot.state, "metrics": snapshot.metrics}
    return {
        f"{group}/{name}": (array.dtype.str, array.shape, array.tobytes())
        for group, arrays in groups.items()
        for name, array in arrays.items()
    }


PAGE = """\
# Killed and resumed, again and again

Each training below was killed (SIGKILL) at random moments: while it started, within compiled chunks and between them,
and while it wrote a snapshot. Each time a new process took it up from the newest snapshot, with chunks of another
length, from one epoch on, and with another number of threads. In the end its network, optimiser state, counters and
metrics were compared with those of a run that nobody touched and whose chunks were as long as they come. *While
writing* counts the kills that left a half-written file behind, which the next process removed.

```sh
python -m tests.integration.killing {kills} > docs/resume-soak.md
```

| training | back end | epochs | hidden units | kills | at start | while writing | otherwise | arrays that differ |
|---|---|---|---|---|---|---|---|---|
{rows}

{total} kills, {different} of {runs} runs with a difference. {where}
"""


def main(kills: int) -> int:
    """Print the page; 1 where a run differs."""
    rows, total, different = [], 0, 0
    for seed, (name, case) in enumerate(CASES.items()):
        with tempfile.TemporaryDirectory() as folder:
            counted, found = run_with_kills(Path(folder), name, kills, seed)
        card = unbroken(case).card
        total += counted.total
        different += bool(found)
        rows.append(
            f"| {name} | {card.backend} | {card.epoch} | {card.hidden_units} | {counted.total} | {counted.at_start} | "
            f"{counted.while_writing} | {counted.otherwise} | {', '.join(found) or 'none'} |"
        )
        sys.stderr.write(f"{rows[-1]}\n")
    here = versions.here()
    where = ", ".join(f"{name} {here[name]}" for name in ("juniper", "python", "numpy", "numba", "h5py"))
    sys.stdout.write(
        PAGE.format(
            kills=kills,
            rows="\n".join(rows),
            total=total,
            different=different,
            runs=len(CASES),
            where=f"Run on {here['cpu']} ({here['cpu_target']}) with {where}.",
        )
    )
    return int(different > 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
