"""A dataset's id: a function of what makes its samples, and of nothing else."""

import hashlib
import json

from juniper_common.wire.datasets import JsonObject


def dataset_id(generator: str, version: str, params: JsonObject) -> str:
    """`{generator}-{version}-{hash}`; `params` are the validated ones, defaults filled in, with a seed."""
    canonical = canonical_json({"generator": generator, "version": version, "params": params})
    return f"{generator}-{version}-{hashlib.sha256(canonical.encode()).hexdigest()[:16]}"


def canonical_json(value: JsonObject) -> str:
    """One text per value: keys sorted, no spaces, ASCII, shortest digits that give the same float; no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
