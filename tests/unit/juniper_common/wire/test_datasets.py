"""Datasets on the wire."""

import pytest
from pydantic import TypeAdapter, ValidationError

from juniper_common.wire.datasets import CreateDatasetRequest, DatasetId, DatasetPreview, GeneratorInfo

DATASET_ID = "spiral-1.0.0-0123456789abcdef"


@pytest.mark.parametrize(
    "wrong",
    ["", "../etc", f"../{DATASET_ID}", f"{DATASET_ID}/x", f"{DATASET_ID}\n", DATASET_ID.upper(), DATASET_ID[:-1]],
)
def test_dataset_id_is_no_path(wrong: str) -> None:
    """An id becomes a folder's name, so nothing passes that could lead elsewhere."""
    ids = TypeAdapter(DatasetId)
    assert ids.validate_python(DATASET_ID) == DATASET_ID
    with pytest.raises(ValidationError):
        ids.validate_python(wrong)


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        '{"generator": "xor", "sede": 1}',
        '{"generator": "xor", "ttl_seconds": 0}',
        '{"generator": "xor", "tags": [""]}',
        '{"generator": "xor", "parent_dataset_id": "/"}',
    ],
)
def test_request_is_checked(body: str) -> None:
    """Unknown fields, and values that cannot be."""
    with pytest.raises(ValidationError):
        CreateDatasetRequest.model_validate_json(body)


def test_schema_keeps_its_name_on_the_wire() -> None:
    """In a program the field is called otherwise, since a model has a schema of its own."""
    info = GeneratorInfo(name="xor", version="1", description="", parameter_schema={"type": "object"}, available=True)
    assert info.model_dump()["schema"] == {"type": "object"}
    assert GeneratorInfo.model_validate_json(info.model_dump_json()) == info


def test_answer_of_a_newer_service_is_read() -> None:
    """A client ignores what it does not know."""
    preview = DatasetPreview.model_validate({"n_samples": 0, "X_sample": [], "y_sample": [], "news": 1})
    assert preview.n_samples == 0
