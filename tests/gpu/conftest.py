"""Tests that need an NVIDIA GPU: without one they are skipped, and say why."""

from __future__ import annotations

import pytest

from juniper_cascor.engine.backend import GPU_BACKENDS, BackendName
from juniper_cascor.engine.cuda import host_facts


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all of them."""
    for item in items:
        if "tests/gpu/" in item.nodeid:
            item.add_marker(pytest.mark.gpu)


@pytest.fixture(params=GPU_BACKENDS)
def backend(request: pytest.FixtureRequest) -> BackendName:
    """Each back end of a GPU that is usable here."""
    name: BackendName = request.param
    verdict = host_facts.availability().backends[request.param]
    if not verdict.is_usable:
        pytest.skip(str(verdict))
    return name
