"""What becomes of runs and snapshots whose files are damaged, foreign or gone."""

from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from juniper_cascor import snapshot_seal
from tests.integration.conftest import Cascor
from tests.integration.growth import answered, ask, fields, grown, ids, refused, snapshots, tell, topology

ACTIONS = ("restore", "resume", "retrain")
INLINE = {"train_x": [[0, 0], [0, 1], [1, 0], [1, 1]], "train_y": [0, 1, 1, 0]}


def file_of(cascor: Cascor, snapshot_id: str) -> Path:
    """Where a numbered snapshot stands."""
    run_id, _, name = snapshot_id.partition(".")
    return cascor.state_dir / "snapshots" / run_id / f"{name}.h5"


def damage(path: Path) -> None:
    """Change a byte."""
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)


def renumber(path: Path) -> None:
    """Make it one of a later format, with a good seal."""
    content = bytearray(path.read_bytes())
    snapshot_seal.seal(memoryview(content), 99)
    path.write_bytes(content)


def replace_by_text(path: Path) -> None:
    """Make it another kind of file."""
    path.write_text("notes")


@pytest.mark.parametrize(("spoil", "state"), [(damage, "damaged"), (renumber, "newer"), (replace_by_text, "damaged")])
def test_a_spoilt_snapshot_is_refused_by_all_that_needs_it(
    cascor: Cascor, spoil: Callable[[Path], None], state: str
) -> None:
    """With its state and the reason in one line; the others of its run are as they were."""
    run_id = grown(cascor)
    spoilt, *others = ids(cascor, run_id)
    spoil(file_of(cascor, spoilt))
    found = snapshots(cascor, run_id)
    assert [info["state"] for info in found] == [state] + ["whole"] * len(others)
    assert found[0]["problem"]
    for action in ACTIONS:
        response = cascor.http.post(f"/v1/snapshots/{spoilt}/{action}", json={})
        assert refused(response, 409).startswith(f"snapshot {spoilt} is {state}: ")
        assert fields(response, 409) == ["snapshot_id"]
    assert refused(cascor.http.post("/v1/predict", json={"rows": [[0, 0]], "snapshot_id": spoilt}), 503)
    assert refused(cascor.http.post("/v1/models/spoilt", json={"snapshot_id": spoilt}), 409)
    assert tell(cascor, f"snapshots/{spoilt}/replay", {"paused": True})["length"] == len(others)
    assert ask(cascor, f"snapshots/{spoilt}")["card"] is None


def test_a_foreign_file_is_refused(cascor: Cascor) -> None:
    """Listed as such; nothing is made of it."""
    (cascor.state_dir / "snapshots" / "notes.h5").write_text("notes")
    assert ask(cascor, "snapshots?state=foreign")["snapshots"][0]["id"] == "~notes.h5"
    for action in (*ACTIONS, "replay"):
        refused(cascor.http.post(f"/v1/snapshots/~notes.h5/{action}", json={}), 409)
    assert cascor.http.delete("/v1/snapshots/~notes.h5").status_code == 204


def test_a_dataset_that_is_no_longer_kept_is_fetched_again(cascor: Cascor) -> None:
    """From the data service, by its id: the end is that of the unbroken run."""
    run_id = grown(cascor)
    unbroken = topology(cascor)
    path = cascor.state_dir / "datasets" / f"{ask(cascor, f'runs/{run_id}')['dataset_checksum']}.npz"
    path.unlink()
    tell(cascor, f"snapshots/{ids(cascor, run_id)[1]}/resume")
    cascor.wait()
    assert topology(cascor) == unbroken
    assert path.exists()


def test_rows_that_are_no_longer_kept_are_nowhere(cascor: Cascor) -> None:
    """Which is said; other data of the same shape is taken."""
    body = {"inline_data": INLINE, "params": {"seed": 1}}
    run_id = tell(cascor, "training/start", body)["run_id"]
    cascor.wait()
    (cascor.state_dir / "datasets" / f"{ask(cascor, f'runs/{run_id}')['dataset_checksum']}.npz").unlink()
    first = ids(cascor, run_id)[0]
    for action in ("resume", "retrain"):
        response = cascor.http.post(f"/v1/snapshots/{first}/{action}", json={})
        assert "no longer kept" in refused(response, 404)
        assert fields(response, 404) == ["dataset"]
    tell(cascor, f"snapshots/{first}/restore")
    refused(cascor.http.get("/v1/decision-boundary"), 404)
    tell(cascor, f"snapshots/{first}/retrain", {"inline_data": INLINE})
    cascor.wait()


@pytest.mark.parametrize("action", ["resume", "retrain"])
def test_the_parent_of_a_run_may_be_deleted(cascor: Cascor, action: str) -> None:
    """It has what it began with in its own folder, and goes on from there after a kill of its trainer."""
    parent = grown(cascor)
    second = ids(cascor, parent)[1]
    params = {"pace": 2_000} if action == "resume" else {"pace": 2_000, "seed": 3}
    ends = []
    for is_broken in (False, True):
        tell(
            cascor,
            f"snapshots/{second}/{action}",
            {"params": params},
        )
        if is_broken:
            answered(cascor.http.delete(f"/v1/runs/{parent}"))
            psutil.Process(cascor.service.life.queue.trainers[0].pid).kill()
        status = cascor.wait()
        assert status.training_state.reason is None
        ends.append(topology(cascor))
    assert ends[0] == ends[1]
