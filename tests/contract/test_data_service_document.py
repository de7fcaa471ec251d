"""What docs/data-service.md shows can be typed, and does what it says."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from juniper_data.catalog import Catalog
from juniper_data.generators import Generator, GeneratorParameters
from juniper_data.generators.registry import GROUP
from juniper_data.imports.importer import Importer
from juniper_data.making import generated
from juniper_data.settings import Settings
from juniper_data.stores.memory import MemoryStore

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "data-service.md").read_text(encoding="utf-8")
URL = "http://127.0.0.1:8100"

# Whatever is refused ends the script.
STRICT = 'set -euo pipefail; curl() { command curl -sS --fail-with-body "$@"; }\n'


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home; the service's state is where it is by default."""
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def environment(home: Path) -> dict[str, str]:
    """The home's, and nothing of whoever runs the tests."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "STATE_"))}
    return own | {"HOME": str(home), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


@pytest.fixture
def service(tmp_path: Path, environment: dict[str, str]) -> Iterator[str]:
    """The real service as a process; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(tmp_path / "notify"))
        notify.settimeout(60)
        told = environment | {
            "JUNIPER_DATA_PORT": str(port),
            "JUNIPER_DATA_WAIT_S": "60",  # what takes long on a busy machine is answered as on any other
            "NOTIFY_SOCKET": str(tmp_path / "notify"),
        }
        with subprocess.Popen([sys.executable, "-m", "juniper_data"], env=told) as process:
            while notify.recv(4096) != b"READY=1":
                pass
            yield f"http://127.0.0.1:{port}"
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0


def test_the_commands_run(service: str, environment: dict[str, str], tmp_path: Path) -> None:
    """One block after the other, as one script, against the real service; none is refused."""
    script = STRICT + "\n".join(blocks("sh")).replace(URL, service)
    folder = tmp_path / "work"
    folder.mkdir()
    ended = subprocess.run(
        ["bash", "-c", script], env=environment, cwd=folder, capture_output=True, text=True, timeout=240, check=False
    )
    assert ended.returncode == 0, f"{ended.stdout[-2000:]}\n{ended.stderr[-2000:]}"
    with np.load(folder / "spiral.npz", allow_pickle=False) as artifact:
        assert {"X_train", "y_train", "X_test", "y_test", "X_full", "y_full"} == set(artifact)
    assert (folder / "beginning").read_bytes() == (folder / "spiral.npz").read_bytes()[:1024]
    with zipfile.ZipFile(folder / "sets.zip") as export:
        assert len(json.loads(export.read("manifest.json"))["datasets"]) == 2
    named = httpx.get(f"{service}/v1/datasets/versions", params={"name": "moons"}).json()
    assert [version["dataset_version"] for version in named["versions"]] == [1]
    assert named["latest_version"] == 1


def test_a_refusal_is_worded_as_shown(service: str, environment: dict[str, str]) -> None:
    """The answer to the file with a cell that is no number."""
    ((command, answer),) = re.findall(r"^\$ (.*)\n(.*)\n", blocks("console")[0])
    told = subprocess.check_output(["bash", "-c", f"S={service}/v1; {command}"], env=environment, text=True)
    assert json.loads(told) == json.loads(answer)


def test_each_generator_stands_in_the_table_with_its_parameters(tmp_path: Path) -> None:
    """All there are, each with its own parameters and no other."""
    common = set(GeneratorParameters.model_fields)
    rows = re.findall(r"^\| `(\w+)` \|(.*?)\|[^|]*\|$", DOCUMENT.partition("### Generators")[2], re.MULTILINE)
    told = {name: set(re.findall(r"`(\w+)`", re.sub(r"\(alias [^)]*\)", "", cells))) for name, cells in rows}
    catalog = Catalog(MemoryStore(), Importer(tmp_path, timeout_s=1))
    assert told == {each.name: set(each.parameters.model_fields) - common for each in catalog.sources()}


def test_the_generator_that_is_shown_generates() -> None:
    """The package's two files fit together, and its data can be learnt."""
    (project,), (module,) = blocks("toml"), blocks("python")
    (name, target), *others = tomllib.loads(project)["project"]["entry-points"][GROUP].items()
    namespace: dict[str, Any] = {"__name__": target.partition(":")[0]}
    exec(compile(module, "docs/data-service.md", "exec"), namespace)  # noqa: S102 - it is ours
    generator = namespace[target.partition(":")[2]]
    assert (isinstance(generator, Generator), generator.name, others) == (True, name, [])
    with generated(generator, generator.parameters()) as made:
        assert made.facts.class_distribution == {"0": 100, "1": 100, "2": 100}


def test_every_setting_that_is_named_is_there() -> None:
    """None is misspelt, or was renamed."""
    named = set(re.findall(r"JUNIPER_DATA_(\w+)", DOCUMENT))
    assert {name.lower() for name in named} <= set(Settings.model_fields)
