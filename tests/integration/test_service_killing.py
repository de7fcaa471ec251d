"""A run of the service that is killed again and again ends as if nothing had been."""

from pathlib import Path

import pytest

from tests.integration import service_killing


@pytest.mark.timeout(300)
def test_a_run_survives_kills(tmp_path: Path) -> None:
    """Of the service and of its trainer, at random moments; every bit of network and metrics is the same."""
    request = service_killing.training(4_000, 120)
    done, record, end = service_killing.broken(tmp_path, request, kills=4, seed=1)
    assert done.total == 4
    assert service_killing.differences(end, service_killing.repeated(record, request)) == []


@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_a_run_survives_a_hundred_kills(tmp_path: Path) -> None:
    """The same, a hundred times in one run."""
    request = service_killing.training(10_000, 300)
    done, record, end = service_killing.broken(tmp_path, request, kills=100, seed=2)
    assert done.total >= 100
    assert service_killing.differences(end, service_killing.repeated(record, request)) == []
