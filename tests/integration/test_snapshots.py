"""Snapshots of the running service: taken, listed, downloaded, deleted."""

from pathlib import Path

import pytest

from juniper_cascor import snapshots as files
from tests.integration.conftest import Cascor
from tests.integration.growth import answered, ask, grown, ids, refused, snapshots, tell


def read(cascor: Cascor, snapshot_id: str, folder: Path) -> files.Snapshot:
    """A snapshot as it is downloaded."""
    path = folder / "downloaded.h5"
    path.write_bytes(cascor.http.get(f"/v1/snapshots/{snapshot_id}/file").content)
    return files.read(path)


def test_every_installed_unit_leaves_a_snapshot(cascor: Cascor) -> None:
    """All are whole, and all but the last can be resumed."""
    run_id = grown(cascor)
    found = snapshots(cascor, run_id)
    units = cascor.status().monitor.current_hidden_units
    assert [info["hidden_units"] for info in found] == [*range(1, units + 1), units]
    assert {info["state"] for info in found} == {"whole"}
    assert [info["can_resume"] for info in found] == [True] * units + [False]


def test_one_is_taken_while_it_trains(cascor: Cascor) -> None:
    """The run goes on, and the snapshot stands among the others of the run."""
    run_id = cascor.start(seed=1, pace=500)
    epoch = cascor.wait_for_epoch(50).monitor.current_epoch
    info = tell(cascor, "snapshots", status=201)
    assert info["run_id"] == run_id
    assert info["epoch"] >= epoch
    assert info["can_resume"]
    assert cascor.status().state_machine.status == "STARTED"
    assert info in snapshots(cascor, run_id)


def test_one_is_taken_while_paused(cascor: Cascor) -> None:
    """Of exactly what is shown."""
    cascor.start(seed=1, pace=500)
    cascor.wait_for_epoch(50)
    tell(cascor, "training/pause")
    info = tell(cascor, "snapshots", status=201)
    assert info["epoch"] == cascor.status().monitor.current_epoch
    assert info["can_resume"]


def test_one_is_taken_of_a_stopped_run(cascor: Cascor, tmp_path: Path) -> None:
    """In a folder of its own, with the training, so that it outlives the run's own ones."""
    run_id = cascor.start(seed=1, pace=500)
    cascor.wait_for_epoch(50)
    tell(cascor, "training/stop")
    info = tell(cascor, "snapshots", status=201)
    assert info["run_id"] != run_id
    assert info["can_resume"]
    answered(cascor.http.delete(f"/v1/runs/{run_id}"))
    assert read(cascor, info["id"], tmp_path).card.epoch == info["epoch"]


def test_one_is_taken_of_an_untrained_network(cascor: Cascor, tmp_path: Path) -> None:
    """It has the shape and the parameters that were asked for."""
    tell(cascor, "network", {"input_size": 3, "output_size": 4, "max_hidden_units": 7}, 201)
    info = tell(cascor, "snapshots", status=201)
    assert (info["hidden_units"], info["can_resume"]) == (0, False)
    snapshot = read(cascor, info["id"], tmp_path)
    assert (snapshot.network.n_inputs, snapshot.network.n_outputs) == (3, 4)
    assert snapshot.card.parameters["max_hidden_units"] == 7


def test_one_is_taken_of_an_edited_network(cascor: Cascor, tmp_path: Path) -> None:
    """It has the edited weights and no training, whose network was another one; the run's own ones stay as they are."""
    run_id = grown(cascor)
    before = snapshots(cascor, run_id)
    answered(cascor.http.patch("/v1/network/weights", json={"output_bias": [5, 6]}))
    info = tell(cascor, "snapshots", status=201)
    assert not info["can_resume"]
    snapshot = read(cascor, info["id"], tmp_path)
    assert snapshot.network.output_weights[:, 0].tolist() == [5, 6]
    assert snapshot.card.dataset_checksum == ask(cascor, f"runs/{run_id}")["dataset_checksum"]
    assert snapshots(cascor, run_id) == before


def test_one_is_taken_of_a_restored_network(cascor: Cascor, tmp_path: Path) -> None:
    """It can be resumed as that which was restored."""
    first = ids(cascor, grown(cascor))[0]
    tell(cascor, f"snapshots/{first}/restore")
    info = tell(cascor, "snapshots", status=201)
    assert info["can_resume"]
    copied, card = read(cascor, info["id"], tmp_path).card, read(cascor, first, tmp_path).card
    assert copied.model_dump(exclude={"run_id", "created_at"}) == card.model_dump(exclude={"run_id", "created_at"})


def test_none_is_taken_of_nothing(cascor: Cascor) -> None:
    """It says what to do."""
    assert "create one, or start training" in refused(cascor.http.post("/v1/snapshots"), 404)


def test_none_of_an_active_run_is_deleted(cascor: Cascor) -> None:
    """It may be what the run goes on from after a kill."""
    run_id = cascor.start(seed=1, pace=500)
    cascor.wait_for_epoch(50)
    snapshot_id = tell(cascor, "snapshots", status=201)["id"]
    assert f"run {run_id} is active" in refused(cascor.http.delete(f"/v1/snapshots/{snapshot_id}"), 409)
    tell(cascor, "training/stop")
    assert cascor.http.delete(f"/v1/snapshots/{snapshot_id}").status_code == 204
    refused(cascor.http.get(f"/v1/snapshots/{snapshot_id}"), 404)


def test_a_download_is_the_file(cascor: Cascor) -> None:
    """Byte for byte, in parts too, with a tag that follows from it."""
    run_id = grown(cascor)
    snapshot_id = ids(cascor, run_id)[-1]
    (path,) = (cascor.state_dir / "snapshots" / run_id).glob(f"{snapshot_id.partition('.')[2]}.h5")
    url = f"/v1/snapshots/{snapshot_id}/file"
    whole = cascor.http.get(url)
    assert whole.content == path.read_bytes()
    assert whole.headers["content-type"] == "application/x-hdf5"
    assert whole.headers["content-disposition"] == f'attachment; filename="{snapshot_id}.h5"'
    part = cascor.http.get(url, headers={"Range": "bytes=0-15", "If-Range": whole.headers["etag"]})
    assert (part.status_code, part.content) == (206, b"juniper snapshot")
    assert cascor.http.get(url, headers={"Range": f"bytes={len(whole.content)}-"}).status_code == 416


@pytest.mark.parametrize(
    "snapshot_id",
    [
        "nothing.00001-000000001",
        "%2e%2e",
        "~..~2F..~2Fruns.sqlite3",
        "..%2F..%2Fruns.sqlite3",
        "%00",
        "~a~00",
        "~~C3~A9" * 100,
        "x" * 5_000,
        "~passwd%0a",
        "é",
    ],
)
def test_ids_that_are_none(cascor: Cascor, snapshot_id: str) -> None:
    """Whatever is asked of them: 404, in one line."""
    tell(cascor, "network", {}, 201)
    one = f"/v1/snapshots/{snapshot_id}"
    for path in (one, f"{one}/file"):
        refused(cascor.http.get(path), 404)
    refused(cascor.http.delete(one), 404)
    for action in ("restore", "resume", "retrain", "replay"):
        refused(cascor.http.post(f"{one}/{action}", json={}), 404)
