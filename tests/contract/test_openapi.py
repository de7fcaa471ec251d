"""schemathesis asks the running services all that their documents allow, and all that they don't."""

import subprocess
import sys
from pathlib import Path

import pytest

from juniper_canopy.app import Dashboard
from juniper_canopy.backend.demo import DemoBackend
from juniper_canopy.settings import CanopySettings
from tests.serving import served

CONFIGURATION = str(Path(__file__).with_name("schemathesis.toml"))


def _ask(url: str, folder: Path) -> None:
    """Fail with what schemathesis has found, as it tells it to a person; it keeps its own files in the folder."""
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", CONFIGURATION, "run", f"{url}/openapi.json"]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=280, check=False)
    if ended.returncode:
        pytest.fail(ended.stdout + ended.stderr, pytrace=False)


def test_dataset_service_keeps_its_word(data_service: str, tmp_path: Path) -> None:
    """Every answer is one that the document tells of, whatever is asked."""
    _ask(data_service, tmp_path)


def test_training_service_keeps_its_word(cascor_service: str, tmp_path: Path) -> None:
    """Every answer is one that the document tells of, whatever is asked."""
    _ask(cascor_service, tmp_path)


def test_dashboard_keeps_its_word(tmp_path: Path) -> None:
    """Every answer is one that the document tells of, whatever is asked."""
    with served(Dashboard(CanopySettings(state_dir=tmp_path), DemoBackend()).app(pages=False)) as url:
        _ask(url, tmp_path)
