"""The training service's snapshots: a table of them, and whether one of them is whole."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from juniper_ctl.asking import ask
from juniper_ctl.errors import Exit
from juniper_ctl.progress import print_json
from juniper_ctl.runs import moment
from juniper_ctl.table import printable, table

_HEADER = ("SNAPSHOT", "STATE", "EPOCH", "UNITS", "SIZE", "WRITTEN", "CAN RESUME")
_WORDS = ("SNAPSHOT", "STATE", "WRITTEN", "CAN RESUME")


def list_snapshots(run_id: str | None, *, limit: int, as_json: bool) -> Exit:
    """Print the newest snapshots, of one run or of all."""
    query = {"limit": str(limit)} | ({"run_id": run_id} if run_id else {})
    page = ask(f"/v1/snapshots?{urlencode(query)}", instead="juniper-ctl snapshots --help")
    if as_json:
        print_json(page)
        return Exit.OK
    print("\n".join(table(_HEADER, [_row(snapshot) for snapshot in page["snapshots"]], left=_WORDS)))
    if (others := page["total"] - len(page["snapshots"])) > 0:
        print(f"and {others} older ones: --limit {page['total']}")
    return Exit.OK


def verify_snapshot(snapshot_id: str, *, as_json: bool) -> Exit:
    """Have the service read one file whole; FAILED where it is damaged or no snapshot."""
    detail = ask(f"/v1/snapshots/{quote(snapshot_id, safe='')}", instead="juniper-ctl snapshots")
    is_whole = detail["state"] == "whole"
    if as_json:
        print_json(detail)
    else:
        why = "" if is_whole else f": {detail['problem']}"
        print(printable(f"{detail['id']} is {detail['state']}{why}"))
    return Exit.OK if is_whole else Exit.FAILED


def _row(snapshot: Mapping[str, Any]) -> list[str]:
    return [
        snapshot["id"],
        snapshot["state"],
        _number(snapshot["epoch"]),
        _number(snapshot["hidden_units"]),
        f"{snapshot['size_bytes'] / 1024:.0f} KiB",
        moment(snapshot["created_at"]),
        "yes" if snapshot["can_resume"] else "no",
    ]


def _number(value: int | None) -> str:
    return "-" if value is None else str(value)
