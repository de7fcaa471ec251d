"""A training that is killed and resumed, again and again, ends as if nothing had been."""

from pathlib import Path

import pytest

from tests.integration.killing import run_with_kills
from tests.integration.resumed_run import CASES


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("kills", [3, pytest.param(100, marks=[pytest.mark.soak, pytest.mark.timeout(3_600)])])
def test_kills_change_no_bit(tmp_path: Path, name: str, kills: int) -> None:
    """Killed at random moments, a run ends in the network, state and metrics of the unbroken one."""
    _, differences = run_with_kills(tmp_path, name, kills, seed=kills)
    assert differences == []
