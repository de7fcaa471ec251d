"""The process that asks the hub: fetches a few files, none larger than it is told, and ends with its parent.

Its task comes as JSON on standard input, its answer goes as JSON to standard output.
"""

import hashlib
import os
import re
import resource
import sys
from pathlib import Path

from juniper_common.atomic_file import replace_atomically
from juniper_data.imports.ending import end_with_parent
from juniper_data.imports.hub_task import HubAnswer, HubTask

_ASK_S = 10.0
_RETRIES = 2


def main() -> None:
    """Read the task, answer."""
    end_with_parent()
    task = HubTask.model_validate_json(sys.stdin.buffer.read())
    if os.getppid() != task.parent:
        return  # It died before this process was bound to it.
    resource.setrlimit(resource.RLIMIT_FSIZE, (task.max_bytes, task.max_bytes))
    sys.stdout.write(_answer(task).model_dump_json())


def _answer(task: HubTask) -> HubAnswer:
    try:
        if task.sha256:
            found = [_fetched(task, path, sha256) for path, sha256 in zip(task.paths, task.sha256, strict=True)]
        else:
            found = [_checksum(task, path) for path in task.paths]
        return HubAnswer(found=tuple(found))
    # Of the library, of the one beneath it that speaks HTTP, which it changes, and of the disk.
    except Exception as error:  # noqa: BLE001
        lines = str(error).strip().splitlines()
        return HubAnswer(problem=f"{type(error).__name__}: {lines[0] if lines else 'it says no more'}")


def _fetched(task: HubTask, path: str, sha256: str) -> str:
    place = _place(task, path)
    if not place.is_file() or _sha256(place) != sha256:
        content = _downloaded(task, path)
        if hashlib.sha256(content).hexdigest() != sha256:
            # It would be taken for the real one for ever.
            raise ValueError(f"{path} is not what its checksum says; try again")
        place.parent.mkdir(parents=True, exist_ok=True)
        replace_atomically(place, content)
    return str(place)


def _downloaded(task: HubTask, path: str) -> bytes:
    """What the hub has. The library would write it itself, to a path that the hub has a say in."""
    from huggingface_hub import hf_hub_url
    from huggingface_hub.utils import (  # type: ignore[attr-defined]  # exported, but not in words that mypy knows
        build_hf_headers,
        http_stream_backoff,
    )

    url = hf_hub_url(task.repository, path, repo_type="dataset", endpoint=task.endpoint)
    headers = build_hf_headers(token=False) | {"Accept-Encoding": "identity"}
    content = bytearray()
    with http_stream_backoff("GET", url, headers=headers, timeout=_ASK_S, max_retries=_RETRIES) as response:
        response.raise_for_status()
        for block in response.iter_raw():
            content += block
            if len(content) > task.max_bytes:
                raise ValueError(f"{path} has more than {task.max_bytes} bytes")
    return bytes(content)


def _checksum(task: HubTask, path: str) -> str:
    if (place := _place(task, path)).is_file():
        return _sha256(place)
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    url = hf_hub_url(task.repository, path, repo_type="dataset", endpoint=task.endpoint)
    told = get_hf_file_metadata(url, token=False, timeout=_ASK_S)
    if told.size is None or told.size > task.max_bytes:
        raise ValueError(f"{path} has {told.size} bytes; {task.max_bytes} can be")
    if not re.fullmatch(r"[0-9a-f]{64}", told.etag or ""):
        raise ValueError(f"{path} has no sha256 there")
    return str(told.etag)


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _place(task: HubTask, path: str) -> Path:
    """Where a file is kept: named by who asks, and by nothing that the hub says."""
    return task.cache / task.repository / path


if __name__ == "__main__":
    main()
