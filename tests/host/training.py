"""What cascor on a host is told and says of its training."""

import json
from typing import Any

from testinfra.host import Host

from juniper_common.wire.training import TrainingStatus

URL = "http://127.0.0.1:8200/v1/training"

CMU_SPIRALS: dict[str, Any] = {"generator": "cmu_spirals"}
NEVER_SOLVED: dict[str, Any] = {"generator": "spiral", "params": {"n_points_per_spiral": 2_000, "noise": 2.0}}
"""The noise has mixed the spirals: a run grows on for tens of thousands of epochs."""


def got(host: Host, path: str) -> Any:
    """The data of a GET."""
    return json.loads(host.check_output("curl -sf %s", f"http://127.0.0.1:8200{path}"))["data"]


def start(host: Host, pace: float, dataset: dict[str, Any] = CMU_SPIRALS) -> None:
    """Start a run, in place of one that goes on from before."""
    host.run("curl -s -X POST %s/stop", URL)
    body = json.dumps({"dataset": dataset, "params": {"seed": 1, "pace": pace, "max_hidden_units": 1_000}})
    host.check_output("curl -sf %s/start -d %s", URL, body)


def stop(host: Host) -> None:
    """Stop the run: else it would go on when the service starts the next time."""
    host.check_output("curl -sf -X POST %s/stop", URL)


def status(host: Host) -> TrainingStatus:
    """Where its run stands."""
    return TrainingStatus.model_validate(got(host, "/v1/training/status"))


def goes_on(host: Host, before: TrainingStatus) -> bool:
    """The run trains, and has come further than it had."""
    if host.run("curl -sf http://127.0.0.1:8200/v1/health/ready").rc != 0:
        return False
    now = status(host)
    is_further = now.monitor.current_epoch > before.monitor.current_epoch
    return now.run_id == before.run_id and now.training_active and is_further


def worker(host: Host) -> int:
    """The process of its one trainer; 0 while there is none."""
    (only,) = got(host, "/v1/workers")["workers"]
    return int(only["pid"] or 0)


def is_warm(host: Host) -> bool:
    """Its trainer has its compiled code, and nothing to do for itself any more."""
    said = host.check_output("curl -sf http://127.0.0.1:8200/v1/health/ready")
    return bool(json.loads(said)["details"]["trainer_warm"])
