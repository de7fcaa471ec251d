"""Snapshots that are whole, and say of themselves what no run would: whoever can write a file can seal it."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from juniper_cascor import snapshots
from tests.integration.conftest import Cascor
from tests.integration.growth import ask, fields, grown, ids, refused, tell

ID = "~hostile.h5"

CARDS: list[dict[str, object]] = [
    {"seed": -1},
    {"seed": 1 << 70},
    {"backend": "sorcery"},
    {"backend": ""},
    {"dataset_checksum": "../../../../etc/passwd"},
    {"dataset_checksum": "a\0b", "dataset_id": None},
    {"dataset_checksum": "a" * 5_000, "dataset_id": None},
    {"dataset_checksum": "0" * 64, "dataset_id": "../health"},
    {"dataset_checksum": "0" * 64, "dataset_id": "\n\r"},
    {"dataset_checksum": None},
    {"parameters": {}},
    {"parameters": {"max_hidden_units": 1e300}},
    {"parameters": {"candidate_pool_size": "many"}},
    {"parameters": {"sorcery": 1}},
    {"parameters": {"task": "regression"}},
    {"epoch": 1 << 62},
    {"epoch": 1 << 70},
    {"run_id": "../../elsewhere"},
    {"outcome": "x" * 10_000},
    {"versions": {"python": "\x1b[31m"}},
]


@pytest.fixture
def hostile(cascor: Cascor, request: pytest.FixtureRequest) -> Iterator[Cascor]:
    """A service with such a file in its folder."""
    folder = cascor.state_dir / "snapshots"
    run_id, _, name = ids(cascor, grown(cascor, max_hidden_units=2))[0].partition(".")
    whole = snapshots.read(folder / run_id / f"{name}.h5")
    snapshots.write(folder / "hostile.h5", replace(whole, card=whole.card.model_copy(update=request.param)))
    tell(cascor, "training/reset")
    yield cascor
    (folder / "hostile.h5").unlink()


def test_data_of_another_shape_is_not_shown(cascor: Cascor) -> None:
    """A boundary over other features than the network has makes no sense."""
    run_id = grown(cascor, max_hidden_units=1)
    rows = {"train_x": [[0, 0, 1], [0, 1, 0]], "train_y": [0, 1]}
    other = tell(cascor, "training/start", {"inline_data": rows, "start_fresh": True})["run_id"]
    cascor.wait()
    path = cascor.state_dir / "snapshots" / ids(cascor, run_id)[0].replace(".", "/", 1)
    whole = snapshots.read(path.with_suffix(".h5"))
    card = whole.card.model_copy(update={"dataset_checksum": ask(cascor, f"runs/{other}")["dataset_checksum"]})
    snapshots.write(cascor.state_dir / "snapshots" / "hostile.h5", replace(whole, card=card))
    tell(cascor, f"snapshots/{ID}/restore")
    for path_asked in ("decision-boundary", "dataset", "dataset/data"):
        assert fields(cascor.http.get(f"/v1/{path_asked}")) == ["dataset"]
    assert fields(cascor.http.post(f"/v1/snapshots/{ID}/resume", json={})) == ["dataset"]


def test_labels_of_a_restored_network_are_answered(cascor: Cascor) -> None:
    """As they are where the snapshot itself is asked."""
    run_id = grown(cascor, max_hidden_units=1)
    path = cascor.state_dir / "snapshots" / ids(cascor, run_id)[0].replace(".", "/", 1)
    whole = snapshots.read(path.with_suffix(".h5"))
    card = whole.card.model_copy(update={"labels": ["left", "right"]})
    snapshots.write(cascor.state_dir / "snapshots" / "hostile.h5", replace(whole, card=card))
    tell(cascor, f"snapshots/{ID}/restore")
    answer = tell(cascor, "predict", {"rows": [[0.5, 0.5]]})
    assert answer["predictions"][0] in ("left", "right")
    assert answer == tell(cascor, "predict", {"rows": [[0.5, 0.5]], "snapshot_id": ID})


@pytest.mark.parametrize("hostile", CARDS, ids=lambda card: str(card)[:40], indirect=True)
def test_a_hostile_card_harms_nobody(hostile: Cascor) -> None:
    """Each action does what can be done or says why not; no run is left half begun, and the next one trains."""
    http = hostile.http
    for action in ("restore", "resume", "retrain"):
        response = http.post(f"/v1/snapshots/{ID}/{action}", json={})
        if response.status_code != 200:
            assert response.status_code in (404, 409, 422), response.text
            refused(response, response.status_code)
        hostile.wait()
        for path in ("training/status", "network", "dataset", "decision-boundary", "metrics/history", "runs"):
            assert http.get(f"/v1/{path}").status_code in (200, 404, 409), path
    assert http.get(f"/v1/snapshots/{ID}").status_code == 200
    grown(hostile, max_hidden_units=1)
    assert hostile.status().training_state.outcome == "max_hidden_units"
    assert {run["status"] for run in ask(hostile, "runs")["runs"]} <= {"COMPLETED", "FAILED", "STOPPED"}
