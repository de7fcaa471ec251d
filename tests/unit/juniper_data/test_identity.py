import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from juniper_common.wire.datasets import JsonObject
from juniper_data.identity import canonical_json, dataset_id


def test_id_is_the_hash_of_generator_version_and_params() -> None:
    """The id can be computed by anybody from the published rule."""
    text = b'{"generator":"xor","params":{"margin":0.1,"seed":1},"version":"1.0.0"}'
    expected = f"xor-1.0.0-{hashlib.sha256(text).hexdigest()[:16]}"
    assert dataset_id("xor", "1.0.0", {"seed": 1, "margin": 0.1}) == expected


@given(st.dictionaries(st.text(), st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()))
def test_order_of_keys_does_not_matter(params: JsonObject) -> None:
    """The same params in another order are the same dataset."""
    assert canonical_json(params) == canonical_json(dict(reversed(params.items())))


def test_nan_has_no_canonical_form() -> None:
    """NaN is not JSON."""
    with pytest.raises(ValueError, match="JSON"):
        canonical_json({"noise": float("nan")})
