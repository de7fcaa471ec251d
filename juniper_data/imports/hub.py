"""Files of public datasets on the Hugging Face hub, fetched by a process of its own and kept in the cache folder.

Its library reads its settings when it is imported, keeps what it once loaded, and knows no limits: the process has
them. Nothing is asked of the hub for a file that is in the cache.
"""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import juniper_data
from juniper_data.errors import HubError
from juniper_data.imports.hub_task import HubAnswer, HubTask

INSTALL = "juniper-ctl install --extra hub"
"""What brings the library."""


class Hub:
    """A hub.

    Args:
        endpoint: its address.
        cache: the folder that files are kept in.
        timeout_s: a file that takes longer is given up.
    """

    def __init__(self, endpoint: str, cache: Path, timeout_s: float) -> None:
        self._endpoint = endpoint
        self._cache = cache
        self._timeout_s = timeout_s

    @staticmethod
    def is_installed() -> bool:
        """Whether its library is there."""
        return importlib.util.find_spec("huggingface_hub") is not None

    def checksums(self, repository: str, paths: Sequence[str], max_bytes: int) -> Sequence[str]:
        """The sha256 of each file. Raises HubError: the hub does not say it, or one has more bytes."""
        return self._ask(repository, paths, max_bytes)

    def fetch(self, repository: str, paths: Sequence[str], max_bytes: int, sha256: Sequence[str]) -> Sequence[Path]:
        """Where each file lies now. Raises HubError: the hub does not give one, or it has more bytes or other ones."""
        return [Path(file) for file in self._ask(repository, paths, max_bytes, sha256)]

    def _ask(self, repository: str, paths: Sequence[str], max_bytes: int, sha256: Sequence[str] = ()) -> Sequence[str]:
        task = HubTask(
            parent=os.getpid(),
            endpoint=self._endpoint,
            cache=self._cache,
            repository=repository,
            paths=tuple(paths),
            max_bytes=max_bytes,
            sha256=tuple(sha256),
        )
        try:
            done = subprocess.run(
                [sys.executable, "-s", "-P", "-m", "juniper_data.imports.hub_process"],
                input=task.model_dump_json().encode(),
                capture_output=True,
                timeout=self._timeout_s,
                env=_environment(self._cache),
                check=False,
            )
        except subprocess.TimeoutExpired:
            limit = f"{self._timeout_s:g} s; JUNIPER_DATA_IMPORT_TIMEOUT_S allows more"
            raise HubError(f"{repository} takes longer than {limit}") from None
        if done.returncode:
            last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
            raise HubError(f"{repository} cannot be fetched: the process ended with {done.returncode}: {last}")
        answer = HubAnswer.model_validate_json(done.stdout)
        if answer.problem:
            raise HubError(f"{repository} cannot be fetched from {self._endpoint}: {answer.problem}")
        return answer.found


def _environment(cache: Path) -> dict[str, str]:
    """That of the service, for the sake of its proxies and certificates, with nothing of the library in the home."""
    return {
        **os.environ,
        "HF_HOME": str(cache),
        "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        # A protocol of its own, which writes more than the file.
        "HF_HUB_DISABLE_XET": "1",
        "PYTHONPATH": str(Path(juniper_data.__file__).parents[1]),
    }
