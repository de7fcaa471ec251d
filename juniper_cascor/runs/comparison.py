"""In which fields runs differ: a pure function of their records."""

from collections.abc import Sequence

from pydantic import JsonValue

from juniper_common.wire.runs import RunRecord

_OWN = {"id", "created_at", "started_at", "ended_at", "sweep_id", "params"}
"""What each run, or each post of runs, has of its own, and so says nothing; parameters are told by their names."""


def differing(records: Sequence[RunRecord]) -> dict[str, dict[str, JsonValue]]:
    """Each field, and each parameter as `params.NAME`, whose value is not the same in all: its value by run id.

    Ids, names of sweeps and times are left out: no two runs have the same.
    """
    fields = {record.id: _fields(record) for record in records}
    names = dict.fromkeys(name for by_name in fields.values() for name in by_name)
    table = {name: {run_id: by_name.get(name) for run_id, by_name in fields.items()} for name in names}
    return {name: values for name, values in table.items() if not _all_same(list(values.values()))}


def _fields(record: RunRecord) -> dict[str, JsonValue]:
    fields: dict[str, JsonValue] = record.model_dump(mode="json", exclude=_OWN)
    return fields | {f"params.{name}": value for name, value in record.params.items()}


def _all_same(values: Sequence[JsonValue]) -> bool:
    return all(value == values[0] for value in values)
