"""The keys that callers may show, compared in constant time."""

import hmac
from collections.abc import Sequence


class ApiKeys:
    """A service's keys; false where it has none, and asks for none."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = [key.encode() for key in keys]

    def __bool__(self) -> bool:
        return bool(self._keys)

    def index(self, given: str) -> int | None:
        """Which of the keys the X-API-Key header names; None where it names none."""
        return self.index_of(given.encode("latin-1"))

    def index_of(self, given: bytes) -> int | None:
        """Which of the keys this is; None where it is none."""
        # Every key is compared, so that the time taken does not tell which one was near.
        matches = [hmac.compare_digest(given, key) for key in self._keys]
        return matches.index(True) if any(matches) else None
