"""The training service's runs: a table of them, one of them, and the commands that it takes for one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote, urlencode

from juniper_ctl.asking import ask, tell
from juniper_ctl.errors import Exit
from juniper_ctl.progress import print_json
from juniper_ctl.table import printable, table

Command = Literal["pause", "resume", "stop"]

_HEADER = ("RUN", "STATUS", "DATASET", "UNITS", "EPOCHS", "VAL LOSS", "VAL ACC", "CREATED", "BACK END")
_WORDS = ("RUN", "STATUS", "DATASET", "CREATED", "BACK END")
_TOLD = (
    *("id", "status", "reason", "outcome", "dataset_id", "dataset_checksum", "backend", "seed", "pace"),
    *("hidden_units", "epochs", "created_at", "started_at", "ended_at", "on_restart", "origin"),
    *("parent_snapshot_id", "sweep_id", "tags", "notes", "metrics", "params"),
)
"""Of a run, in this order; what it does not have is left out."""


def list_runs(*, limit: int, status: str | None, as_json: bool) -> Exit:
    """Print the newest runs."""
    query = {"limit": str(limit)} | ({"status": status.upper()} if status else {})
    page = ask(f"/v1/runs?{urlencode(query)}", instead="juniper-ctl runs --help")
    if as_json:
        print_json(page)
        return Exit.OK
    rows = [_row(record, page["metrics"].get(record["id"], {})) for record in page["runs"]]
    print("\n".join(table(_HEADER, rows, left=_WORDS)))
    if (others := page["total"] - len(page["runs"])) > 0:
        print(f"and {others} older ones: --limit {page['total']}")
    return Exit.OK


def show_run(run_id: str, *, as_json: bool) -> Exit:
    """Print all that is recorded of one run."""
    detail = ask(f"/v1/runs/{quote(run_id, safe='')}", instead="juniper-ctl runs")
    if as_json:
        print_json(detail)
        return Exit.OK
    for name in _TOLD:
        if detail.get(name) not in (None, "", [], {}):
            print(f"{name.replace('_', ' '):<18}  {printable(_fact(name, detail[name]))}")
    return Exit.OK


def command_run(command: Command, run_id: str, *, as_json: bool) -> Exit:
    """Have the service pause, resume or stop a run."""
    path = f"/v1/runs/{quote(run_id, safe='')}/{command}"
    answer = tell(path, instead=f"juniper-ctl runs show {run_id}")
    if as_json:
        print_json(answer)
    else:
        print(printable(f"run {run_id} is {answer['status']}"))
    return Exit.OK


def moment(unix_s: float) -> str:
    """A time on this host's clock."""
    return datetime.fromtimestamp(unix_s).strftime("%Y-%m-%d %H:%M")


def _row(record: Mapping[str, Any], metrics: Mapping[str, float]) -> list[str]:
    return [
        record["id"],
        record["status"],
        record["dataset_id"] or "inline",
        str(record["hidden_units"]),
        str(record["epochs"]),
        _figure(metrics.get("val_loss")),
        _figure(metrics.get("val_accuracy")),
        moment(record["created_at"]),
        record["backend"],
    ]


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _fact(name: str, value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_short(part)}" for key, part in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return moment(float(str(value))) if name.endswith("_at") else str(value)
