"""An outbox row that this publisher may publish."""

import asyncio
from typing import NamedTuple

# Longer than the adapters wait for an answer of their servers.
_LONGEST_SEND = 6.0


class ClaimedRow(NamedTuple):
    """It belongs to whoever knows its `token`, while the lease lasts.

    A send of it begins before `send_before`. Both times are by the event loop's clock.
    """

    token: str
    message_id: str
    topic: str
    key: str | None
    headers: dict[str, str]
    payload: str
    attempts: int
    claimed_at: float
    send_before: float


def times_of(lease: float) -> tuple[float, float]:
    """Now, and until when a send may begin in a lease of so many seconds that begins now.

    None is to outlive the lease, and at least half of it is used.
    """
    now = asyncio.get_running_loop().time()
    return now, now + max(lease - _LONGEST_SEND, lease / 2)
