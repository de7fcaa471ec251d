"""What the training service says of its process, its trainer and its log."""

import os

from juniper_common.wire.envelope import Success
from juniper_common.wire.host import HostReport, LogPage
from tests.integration.conftest import Cascor


def test_the_trainer_counts_as_the_services_own(cascor: Cascor) -> None:
    """In the envelope, with the memory of the process that trains."""
    answer = Success[HostReport].model_validate_json(cascor.http.get("/v1/host").content)
    report = answer.data
    assert (report.service, report.pid) == ("juniper-cascor", os.getpid())
    assert report.memory.children_rss > 0


def test_the_log_is_in_the_envelope_too(cascor: Cascor) -> None:
    """A refusal as well."""
    assert Success[LogPage].model_validate_json(cascor.http.get("/v1/logs").content).status == "success"
    refused = cascor.http.get("/v1/logs", params={"level": "LOUD"})
    assert refused.status_code == 422
    assert refused.json()["error"]["detail"][0]["loc"] == ["level"]
