"""Keeps secrets out of what a service shows of itself."""

import re
from collections.abc import Sequence

HIDDEN = "[hidden]"
_USER_OF_AN_ADDRESS = r"(?<=://)[^/\s@]+(?=@)"


class Hiding:
    """Replaces secrets in texts; the user and password in an address always are one.

    Args:
        secrets: what else must never be shown.
    """

    def __init__(self, secrets: Sequence[str] = ()) -> None:
        # The longest first: of two secrets that begin alike the longer one must not be left in part.
        # Line by line: of a private key one line is as secret as all, and the ends of lines may be written otherwise.
        lines = {line for secret in secrets for line in secret.splitlines() if line}
        words = [re.escape(line) for line in sorted(lines, key=len, reverse=True)]
        self._hidden = re.compile("|".join([*words, _USER_OF_AN_ADDRESS]))

    def shown(self, text: str) -> str:
        """The text without them."""
        return self._hidden.sub(HIDDEN, text)
