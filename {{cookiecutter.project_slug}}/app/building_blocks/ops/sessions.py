"""Cookies of those who logged in: signed, and good for a time."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from functools import lru_cache

LASTS_SECONDS = 12 * 3600


class Sessions:
    """Signs cookies and knows them again.

    Nothing is kept: every replica with the same token accepts them, and a new token ends all.
    """

    def __init__(self, token: str, clock: Callable[[], float] = time.time) -> None:
        self._token, self._clock = token, clock

    def begin(self) -> str:
        """The cookie of a new session."""
        body = f"{int(self._clock()) + LASTS_SECONDS}.{secrets.token_urlsafe(18)}"
        return f"{body}.{self._signed('session', body)}"

    def is_valid(self, cookie: str) -> bool:
        """Whether it was signed here and has not ended."""
        body, _, signature = cookie.rpartition(".")
        if not same(signature, self._signed("session", body)):
            return False
        return int(body.partition(".")[0]) > self._clock()

    def csrf(self, cookie: str) -> str:
        """What a form has to bring along, so that no other site can send it."""
        return self._signed("form", cookie)

    def _signed(self, use: str, text: str) -> str:
        key = _key_of(self._token)
        return hmac.new(key, f"{use}:{text}".encode(), hashlib.sha256).hexdigest()


@lru_cache(maxsize=1)
def _key_of(token: str) -> bytes:
    # Slow on purpose: a stolen cookie is no quick way to guess the token.
    return hashlib.scrypt(token.encode(), salt=b"operator pages", n=2**14, r=8, p=1)


def same(given: str, expected: str) -> bool:
    """Compare in a time that tells nothing of where the two differ."""
    return hmac.compare_digest(given.encode(errors="replace"), expected.encode())
