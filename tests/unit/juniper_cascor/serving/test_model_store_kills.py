"""Whatever moment a promotion is killed at, the store is whole."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from juniper_cascor import snapshots
from juniper_cascor.serving.model_store import ModelStore
from juniper_common.errors import NotFoundError
from tests.unit.juniper_cascor.snapshot_data import SNAPSHOT

CHILD = """
import os, signal, sys
from pathlib import Path
from juniper_cascor.serving.model_store import ModelStore
content, root = Path(sys.argv[1]).read_bytes(), Path(sys.argv[2])
"""

# For each step on the file system a process that ends itself at it with SIGKILL, in a folder of its own.
AT_EACH_STEP = (
    CHILD
    + """
ModelStore(root / "warm").promote("a", content)  # so that no import is among the steps

def work(folder, steps_left):
    store = ModelStore(folder)
    store.promote("a", content)
    store.promote("gone", content)

    def step(event, arguments):
        nonlocal steps_left
        if event in ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir"):
            steps_left -= 1
            if steps_left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(step)
    store.promote("a", content)
    store.promote("new", content)
    store.rollback("a")
    store.delete("gone")
    steps_left = 0
    os._exit(0)

number, was_killed = 0, True
while was_killed:
    number += 1
    if (pid := os.fork()) == 0:
        work(root / f"step-{number}", number)
    was_killed = os.WIFSIGNALED(os.waitpid(pid, 0)[1])
"""
)

ENDLESS = (
    CHILD
    + """
store = ModelStore(root)
while True:
    print(store.promote("a", content).version, flush=True)
"""
)


@pytest.fixture
def content(tmp_path: Path) -> Path:
    """A good snapshot's file."""
    path = tmp_path / "content.h5"
    snapshots.write(path, SNAPSHOT)
    return path


def _check_whole(store: ModelStore) -> None:
    """Every model that there is answers, and every version that there is has its card."""
    for info in store.listed():
        assert info.problem is None
        assert {store.card(info.name, found.version).version for found in info.versions}


def test_a_kill_at_any_step_leaves_whole_models(content: Path, tmp_path: Path) -> None:
    """A name answers with a whole version or does not exist, and the next promotion removes what was left."""
    root = tmp_path / "kills"
    subprocess.run([sys.executable, "-c", AT_EACH_STEP, content, root], check=True, timeout=200)
    folders = sorted(root.glob("step-*"))
    assert len(folders) > 20
    for folder in folders:
        store = ModelStore(folder)
        _check_whole(store)
        assert store.loaded("a").card.version in (1, 2)
        for name in ("a", "new"):
            version = store.promote(name, content.read_bytes()).version
            found = [f"{number:05}.{kind}" for number in range(1, version + 1) for kind in ("h5", "json")]
            assert sorted(path.name for path in (folder / name).iterdir()) == [*found, "current"]
        assert {path.name for path in folder.iterdir()} <= {"a", "new", "gone"}
        if (folder / "gone").exists():
            assert store.loaded("gone").card.version == 1


def test_kills_at_random_moments_lose_nothing_that_was_answered(content: Path, tmp_path: Path) -> None:
    """A version that was said to be promoted is there after the kill."""
    chance = random.Random(1)  # noqa: S311 - no secret
    root, answered = tmp_path / "models", 0
    for _ in range(4):
        with subprocess.Popen(
            [sys.executable, "-c", ENDLESS, content, root], stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            for _ in range(chance.randint(1, 20)):
                answered = int(child.stdout.readline())
            os.kill(child.pid, signal.SIGKILL)
            answered = max([answered, *(int(line) for line in child.stdout if line.endswith("\n"))])
        store = ModelStore(root)
        _check_whole(store)
        assert store.loaded("a").card.version in (answered, answered + 1)


def test_a_name_whose_first_promotion_was_killed_does_not_exist(content: Path, tmp_path: Path) -> None:
    """Without `current` there is no model, whatever else is there; the next promotion begins with version 1."""
    store = ModelStore(tmp_path / "models")
    store.promote("a", content.read_bytes())
    (tmp_path / "models" / "a" / "current").unlink()
    assert store.listed() == []
    with pytest.raises(NotFoundError):
        store.info("a")
    assert store.promote("a", content.read_bytes()).version == 1
