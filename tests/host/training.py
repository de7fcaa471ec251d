"""What cascor on a host is told and says of its training."""

import json
from typing import Any

from testinfra.host import Host

from juniper_common.wire.training import TrainingStatus

URL = "http://127.0.0.1:8200/v1/training"


def got(host: Host, path: str) -> Any:
    """The data of a GET."""
    return json.loads(host.check_output("curl -sf %s", f"http://127.0.0.1:8200{path}"))["data"]


def start(host: Host, pace: float) -> None:
    """Start a run on the CMU spirals, in place of one that goes on from before."""
    host.run("curl -s -X POST %s/stop", URL)
    body = json.dumps({"dataset": {"generator": "cmu_spirals"}, "params": {"seed": 1, "pace": pace}})
    host.check_output("curl -sf %s/start -d %s", URL, body)


def stop(host: Host) -> None:
    """Stop the run: else it would go on when the service starts the next time."""
    host.check_output("curl -sf -X POST %s/stop", URL)


def status(host: Host) -> TrainingStatus:
    """Where its run stands."""
    return TrainingStatus.model_validate(got(host, "/v1/training/status"))
