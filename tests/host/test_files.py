"""Datasets of files on a real systemd: the process that reads them works inside of the service's sandbox."""

import json

import pytest
from testinfra.host import Host

pytestmark = [pytest.mark.host, pytest.mark.timeout(900)]

URL = "http://127.0.0.1:8100/v1/datasets"
PYTHON = ".local/lib/juniper/current/bin/python"
WRITE_PARQUET = """
import pyarrow as pa, pyarrow.parquet as pq
pq.write_table(pa.table({"x": [0.0, 1.0, 2.0, 3.0], "label": ["a", "b", "a", "b"]}), "rows.parquet")
"""


def made(host: Host, command: str, *arguments: str) -> dict[str, object]:
    """The meta of the dataset that a call makes."""
    answer = json.loads(host.check_output(command, *arguments))
    meta: dict[str, object] = answer["meta"]
    return meta


def test_a_file_is_sent_and_another_imported(running: Host) -> None:
    """An upload of Parquet, and a CSV of the import folder, become datasets."""
    running.check_output("%s -c %s", PYTHON, WRITE_PARQUET)
    sent = made(running, "curl -sS --fail-with-body -T rows.parquet -X POST %s", f"{URL}/upload?train_ratio=0.5")
    assert (sent["n_samples"], sent["class_names"]) == (4, ["a", "b"])
    folder = running.check_output("find .config .local -type d -path '*juniper/data/import'")
    running.check_output("printf 'x,label\\n1,0\\n2,1\\n3,0\\n' >%s/rows.csv", folder)
    body = json.dumps({"generator": "csv_import", "params": {"file_path": "rows.csv", "test_ratio": 0.2}})
    assert made(running, "curl -sS --fail-with-body %s -d %s", URL, body)["n_samples"] == 3
