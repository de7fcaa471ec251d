"""A snapshot folder that somebody has filled with whatever harms most: the service starts on it, and nothing hangs."""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from juniper_cascor.runs import snapshot_folder
from juniper_common.wire.snapshots import SnapshotInfo, SnapshotList
from tests.integration.service_process import service
from tests.unit.juniper_cascor.snapshot_data import SNAPSHOT

RUN = str(SNAPSHOT.card.run_id)
ANSWER_S = 10
"""A whole listing reads every file: but for the one that is whole, no more than its beginning."""


def fill(folder: Path) -> None:
    """One whole snapshot, and everything else."""
    whole = snapshot_folder.write(folder, SNAPSHOT)
    run = whole.parent
    (folder / "link.h5").symlink_to("/etc/passwd")
    (run / "00009-000000009.h5").symlink_to("/etc/passwd")
    (folder / "linked-run").symlink_to("/etc")
    (folder / "loop").symlink_to(folder)
    (folder / "zero.h5").symlink_to("/dev/zero")
    os.mkfifo(folder / "fifo.h5")
    os.mkfifo(run / "00008-000000008.h5")
    os.mkfifo(run / "checkpoint.h5")
    (folder / "folder.h5").mkdir()
    (run / "00007-000000007.h5").mkdir()
    (folder / "two\nlines.h5").write_text("notes")
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff\xfe.h5")).write_text("notes")
    (folder / '"><script>.h5').write_text("notes")
    for place in (folder / "large.h5", run / "00006-000000006.h5"):
        with place.open("wb") as file:
            file.truncate(5 << 30)
    with (folder / "sealed.h5").open("wb") as file:
        file.write(b"juniper snapshot\n")
        file.truncate(5 << 30)
    (folder / "empty.h5").touch()
    deep = folder / "/".join("d" * 50 for _ in range(40))
    deep.mkdir(parents=True)
    (deep / "deep.h5").touch()


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A service in a process of its own on such a folder."""
    state = tmp_path_factory.mktemp("hostile") / "state"
    fill(state / "snapshots")
    with (
        service(state) as running,
        httpx.Client(base_url=f"http://127.0.0.1:{running.port}/v1", timeout=ANSWER_S) as http,
    ):
        yield http


def listed(asked: httpx.Client) -> list[SnapshotInfo]:
    """All that the service sees."""
    return SnapshotList.model_validate(asked.get("/snapshots?limit=1000").json()["data"]).snapshots


def test_all_files_are_listed_as_what_they_are(asked: httpx.Client) -> None:
    """Links, pipes and folders are no files; the rest is foreign or damaged, each with a problem of one line."""
    found = {info.id: info for info in listed(asked)}
    states = {snapshot_id: info.state for snapshot_id, info in found.items() if "deep" not in snapshot_id}
    assert states == {
        f"{RUN}.00002-000000120": "whole",
        f"{RUN}.00006-000000006": "damaged",
        "~two~0Alines.h5": "foreign",
        "~~FF~FE.h5": "foreign",
        "~~22~3E~3Cscript~3E.h5": "foreign",
        "~large.h5": "foreign",
        "~sealed.h5": "foreign",
        "~empty.h5": "foreign",
    }
    assert all((info.problem or "").isprintable() for info in found.values())


def test_every_id_is_answered(asked: httpx.Client) -> None:
    """Described, and refused by all that needs a whole one; none of it ends the service."""
    for info in listed(asked):
        assert asked.get(f"/snapshots/{info.id}").json()["data"]["state"] == info.state
        if info.state != "whole":
            for action in ("restore", "resume", "retrain"):
                assert asked.post(f"/snapshots/{info.id}/{action}").status_code == 409
    assert asked.get("/health/ready").is_success


@pytest.mark.parametrize(
    "snapshot_id",
    ["~link.h5", "~fifo.h5", "~zero.h5", "~linked-run~2Fpasswd", "~loop~2Fempty.h5", f"{RUN}.00009-000000009"],
)
def test_what_is_no_file_is_not_there(asked: httpx.Client, snapshot_id: str) -> None:
    """Nor downloaded, nor deleted: no link leads out of the folder."""
    one = f"/snapshots/{snapshot_id}"
    assert {asked.get(one).status_code, asked.get(f"{one}/file").status_code, asked.delete(one).status_code} == {404}


def test_a_run_in_such_a_folder_is_replayed(asked: httpx.Client) -> None:
    """With the one snapshot that reads well."""
    status = asked.post(f"/snapshots/{RUN}.00002-000000120/replay", json={"paused": True}).json()["data"]
    assert (status["length"], status["hidden_units"]) == (1, 2)
