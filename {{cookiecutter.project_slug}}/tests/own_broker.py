"""The broker of this service, as its tests reach it."""

from tests.urls import broker_url

DROPS_DUPLICATES = False
"""Whether it knows a message by its id and drops the second, before a consumer sees it."""


def own_broker_url() -> str:
    """Skips the test when no server answers."""
    return broker_url()


def redirected(answer: bytes, port: int) -> bytes:
    """What the server says, for a client behind a proxy on `port`."""
    return answer
