"""Runs that tests record."""

from juniper_common.wire.runs import RunRecord


def record(number: int, **changes: object) -> RunRecord:
    """A run that trains; each is started a second after the one before it."""
    return RunRecord(
        id=f"r{number}",
        status="STARTED",
        created_at=float(number),
        started_at=number + 0.5,
        seed=2**62,
        params={"patience": None, "learning_rate": 0.05},
        pace=None,
        dataset_id=None,
        dataset_checksum="00",
        backend="numba",
        versions={"numpy": "2"},
        host="here",
        origin="resume",
        parent_snapshot_id="r0.00001-000000100",
        sweep_id="s1",
        notes="as before",
        tags=["first"],
    ).model_copy(update=changes)
