"""The process that asks the hub: fetches a few files, none larger than it is told, and ends with its parent.

Its task comes as JSON on standard input, its answer goes as JSON to standard output.
"""

import hashlib
import os
import re
import resource
import sys
from pathlib import Path

from juniper_data.imports.ending import end_with_parent
from juniper_data.imports.hub_task import HubAnswer, HubTask

_ASK_S = 10.0


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
    from huggingface_hub import hf_hub_download

    file = _cached(task, path) or hf_hub_download(
        task.repository,
        path,
        repo_type="dataset",
        cache_dir=task.cache,
        endpoint=task.endpoint,
        etag_timeout=_ASK_S,
        token=False,
    )
    if _sha256(file) != sha256:
        # It would be taken for the real one for ever. The content lies behind a link.
        Path(file).resolve().unlink()
        Path(file).unlink(missing_ok=True)
        raise ValueError(f"{path} is not what its checksum says; try again")
    return file


def _checksum(task: HubTask, path: str) -> str:
    if cached := _cached(task, path):
        return _sha256(cached)
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    url = hf_hub_url(task.repository, path, repo_type="dataset", endpoint=task.endpoint)
    told = get_hf_file_metadata(url, token=False, timeout=_ASK_S)
    if told.size is None or told.size > task.max_bytes:
        raise ValueError(f"{path} has {told.size} bytes; {task.max_bytes} can be")
    if not re.fullmatch(r"[0-9a-f]{64}", told.etag or ""):
        raise ValueError(f"{path} has no sha256 there")
    return str(told.etag)


def _sha256(file: str) -> str:
    with Path(file).open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _cached(task: HubTask, path: str) -> str | None:
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(task.repository, path, cache_dir=task.cache, repo_type="dataset")
    return found if isinstance(found, str) else None


if __name__ == "__main__":
    main()
