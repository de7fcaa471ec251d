"""Who has logged in: signed tokens, of which the service keeps nothing but those that ended before their time.

A token is signed with a secret that is derived from the key it was opened with. So there is no secret to keep in a
file, a restart ends no session, and taking a key out of the settings ends all that were opened with it.
"""

import hashlib
import secrets
import time
from collections.abc import Callable, Sequence

from itsdangerous import BadSignature, Signer

_SALT = b"juniper-canopy session"


class Sessions:
    """The sessions of one dashboard; false where it has no keys, and so no log-in.

    Args:
        keys: the dashboard's API keys.
        lasts_s: how long a session lasts.
        clock_s: seconds since the epoch.
    """

    def __init__(self, keys: Sequence[str], lasts_s: float, clock_s: Callable[[], float] = time.time) -> None:
        self.lasts_s = lasts_s
        self._clock_s = clock_s
        self._signers = [Signer(_secret(key), salt=_SALT, digest_method=hashlib.sha256) for key in keys]
        self._ended: dict[str, float] = {}

    def __bool__(self) -> bool:
        return bool(self._signers)

    def open(self, key: int) -> str:
        """The token of a new session of whoever showed the key with this number."""
        expires_s = int(self._clock_s() + self.lasts_s)
        return self._signers[key].sign(f"{secrets.token_hex(16)}-{expires_s}").decode()

    def is_open(self, token: str) -> bool:
        """Whether it is a token of this dashboard whose session has not ended."""
        body = self._signed(token)
        return body is not None and body not in self._ended and self._clock_s() < _expires_s(body)

    def end(self, token: str) -> None:
        """End the session before its time; until the service starts anew, which knows signatures alone."""
        now_s = self._clock_s()
        self._ended = {body: expires_s for body, expires_s in self._ended.items() if now_s < expires_s}
        if (body := self._signed(token)) is not None:
            self._ended[body] = _expires_s(body)

    def _signed(self, token: str) -> str | None:
        for signer in self._signers:
            try:
                return signer.unsign(token.encode()).decode()
            except BadSignature:
                continue
        return None


def _expires_s(body: str) -> float:
    return float(body.partition("-")[2])


def _secret(key: str) -> bytes:
    # Slow on purpose: whoever holds a cookie could else try words for the key at millions a second.
    return hashlib.scrypt(key.encode(), salt=_SALT, n=1 << 14, r=8, p=1, dklen=32)
