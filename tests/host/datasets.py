"""Datasets on a host."""

import json

from testinfra.host import Host

URL = "http://127.0.0.1:8100/v1/datasets"


def make(host: Host, seed: int) -> tuple[str, str]:
    """The id and the checksum of a new one."""
    answer = host.check_output("curl -sf %s -d %s", URL, json.dumps({"generator": "xor", "params": {"seed": seed}}))
    meta = json.loads(answer)["meta"]
    return str(meta["dataset_id"]), str(meta["checksum"])


def checksum(host: Host, dataset: str) -> str:
    """Of the artifact that is given now."""
    return str(host.check_output(f"curl -sf {URL}/{dataset}/artifact | sha256sum")).split()[0]
