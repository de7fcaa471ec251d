"""What docs/clients.md shows can be typed, and does what it says."""

import re
from pathlib import Path
from typing import get_args

import pytest

from juniper_cascor.client import JuniperCascorClient
from juniper_cascor.testing import Scenario
from tests.contract.cascor_world import at_rest

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "clients.md").read_text(encoding="utf-8")


def test_the_python_runs(
    cascor_service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One block after the other, as one program, against the real service."""
    monkeypatch.chdir(tmp_path)
    with JuniperCascorClient(cascor_service) as client:
        at_rest(client)
    blocks: list[str] = re.findall(r"^```python\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
    program = "\n".join(blocks).replace("http://127.0.0.1:8200", cascor_service)
    exec(compile(program, "docs/clients.md", "exec"), {})  # noqa: S102 - it is ours
    assert capsys.readouterr().out.startswith("COMPLETED solved")
    assert [path.name for path in tmp_path.iterdir()] == ["xor.h5"]


def test_every_scenario_is_described() -> None:
    """A line of the table for each."""
    assert set(re.findall(r"^\| `(\w+)` \|", DOCUMENT, re.MULTILINE)) == set(get_args(Scenario))
