"""Small datasets to put into stores."""

import hashlib
import io
from datetime import UTC, datetime, timedelta
from typing import Any

from juniper_common.wire.datasets import DatasetMeta
from juniper_common.wire.profiles import DatasetProfile, FeatureProfile

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PROFILE = DatasetProfile(
    features=(FeatureProfile(name="a", min=-1.5, max=1e300, mean=0.1, std=None),),
    class_balance={"0": 1.0},
    duplicates=None,
    leaked=0,
)


def later(seconds: float) -> datetime:
    """So long after noon."""
    return NOON + timedelta(seconds=seconds)


def id_of(number: int) -> str:
    """A dataset's id."""
    return f"xor-1.0.0-{number:016x}"


def content_of(number: int) -> bytes:
    """A dataset's artifact."""
    return f"artifact {number}".encode()


def made(number: int, **fields: Any) -> tuple[DatasetMeta, io.BytesIO]:
    """A dataset's meta and its artifact; made `number` seconds after noon, unless `fields` say otherwise."""
    content = content_of(number)
    standing = {
        "dataset_id": id_of(number),
        "generator": "xor",
        "generator_version": "1.0.0",
        "params": {"seed": number},
        "n_samples": 1,
        "n_features": 1,
        "n_classes": 1,
        "n_train": 1,
        "n_test": 0,
        "class_distribution": {"0": 1},
        "created_at": later(number),
        "checksum": hashlib.sha256(content).hexdigest(),
        "size_bytes": len(content),
        "profile": PROFILE,
    }
    return DatasetMeta.model_validate(standing | fields), io.BytesIO(content)
