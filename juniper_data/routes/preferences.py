"""How long a caller wants to wait: the header Prefer (RFC 7240)."""

from dataclasses import dataclass

MAX_WAIT_S = 60
"""Nobody is made to wait longer, whatever is asked for."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, and what of the caller's preferences that follows."""

    wait_s: float
    applied: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """The header that tells the caller so."""
        return {"Preference-Applied": self.applied} if self.applied else {}


def patience(prefer: str | None, default_s: float) -> Patience:
    """What `respond-async` and `wait=N` ask for; others are passed over, and so is one that is malformed.

    `respond-async` alone is not to wait at all.
    """
    asked: dict[str, str] = {}
    for preference in (prefer or "").split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        # RFC 7240, section 2: the first of a name counts.
        asked.setdefault(name.strip().lower(), value.strip().strip('"'))
    applied, wait_s = [], default_s
    if "respond-async" in asked:
        applied, wait_s = ["respond-async"], 0.0
    wait = asked.get("wait", "")
    if wait.isascii() and wait.isdecimal():
        wait_s = min(int(wait[:9]), MAX_WAIT_S)
        applied.append(f"wait={wait_s}")
    return Patience(wait_s, ", ".join(applied))
