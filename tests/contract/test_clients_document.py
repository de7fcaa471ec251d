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
    cascor_service: str,
    data_service: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One block after the other, as one program, against the real services."""
    monkeypatch.chdir(tmp_path)
    with JuniperCascorClient(cascor_service) as client:
        at_rest(client)
    blocks: list[str] = re.findall(r"^```python\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
    program = "\n".join(blocks)
    for written, served in (("http://127.0.0.1:8200", cascor_service), ("http://127.0.0.1:8100", data_service)):
        assert written in program
        program = program.replace(written, served)
    exec(compile(program, "docs/clients.md", "exec"), {})  # noqa: S102 - it is ours
    printed = capsys.readouterr().out
    assert printed.startswith("COMPLETED solved")
    assert "\n(800, 2) {'0': 0.5, '1': 0.5}\nflowers 1 4\nspirals 1 1000\n" in printed
    assert printed.endswith("http://data.test: the fake service is not reachable\n503\n503\n")
    assert {path.name for path in tmp_path.iterdir()} == {"xor.h5", "flowers.csv", "flowers.npz", "both.zip"}


def test_every_scenario_is_described() -> None:
    """A line of the table for each."""
    assert set(re.findall(r"^\| `(\w+)` \|", DOCUMENT, re.MULTILINE)) == set(get_args(Scenario))
