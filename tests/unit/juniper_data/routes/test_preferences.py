"""How a Prefer header is read."""

import pytest

from juniper_data.routes.preferences import Patience, patience


@pytest.mark.parametrize(
    ("prefer", "wait_s", "applied"),
    [
        (None, 5, ""),
        ("", 5, ""),
        ("respond-async", 0, "respond-async"),
        ("Respond-Async", 0, "respond-async"),
        ("wait=0", 0, "wait=0"),
        ("wait=20", 20, "wait=20"),
        ('wait="20"', 20, "wait=20"),
        ("respond-async, wait=20", 20, "respond-async, wait=20"),
        ("wait=20, wait=3", 20, "wait=20"),
        ("wait = 20 ; x=1, return=minimal", 20, "wait=20"),
        ("wait=3600", 60, "wait=60"),
        ("wait=99999999999999999999", 60, "wait=60"),
        ("wait=-1", 5, ""),
        ("wait=1.5", 5, ""),
        ("wait=²", 5, ""),
        ("wait", 5, ""),
        ("handling=strict", 5, ""),
    ],
)
def test_patience(prefer: str | None, wait_s: float, applied: str) -> None:
    """What is understood is applied and told; the first of a name counts; the rest is passed over."""
    assert patience(prefer, 5) == Patience(wait_s, applied)
