"""What was used last stays in memory."""

import pytest

from juniper_cascor.recently_used import RecentlyUsed


def test_those_used_last_are_kept() -> None:
    """The one that was not used for longest is made again."""
    made: list[str] = []

    def get(key: str) -> str:
        return kept.get(key, lambda: made.append(key) or key.upper())  # type: ignore[func-returns-value]

    kept = RecentlyUsed[str](2)
    assert [get(key) for key in ("a", "b", "a", "c", "a", "b")] == ["A", "B", "A", "C", "A", "B"]
    assert made == ["a", "b", "c", "b"]


def test_what_cannot_be_made_is_not_kept() -> None:
    """The next one who asks may have more luck."""
    kept = RecentlyUsed[float](2)
    with pytest.raises(ZeroDivisionError):
        kept.get("a", lambda: 1 / 0)
    assert kept.get("a", lambda: 1.0) == 1.0


def test_one_value_for_all() -> None:
    """Who was slower in making it gets what another has made meanwhile."""
    kept = RecentlyUsed[str](2)
    assert kept.get("a", lambda: kept.get("a", lambda: "fast") and "slow") == "fast"


def test_what_is_forgotten_is_made_again() -> None:
    """Whether it was kept or not."""
    kept = RecentlyUsed[str](2)
    kept.forget("a")
    assert kept.get("a", lambda: "first") == "first"
    kept.forget("a")
    assert kept.get("a", lambda: "second") == "second"
