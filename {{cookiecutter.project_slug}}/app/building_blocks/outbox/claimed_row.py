"""An outbox row that this publisher may publish."""

import asyncio
from typing import NamedTuple

# Longer than any broker's adapter waits for an answer.
_LONGEST_SEND = 6.0


class ClaimedRow(NamedTuple):
    """It belongs to whoever knows its `token`, while the lease lasts.

    A send of it begins before `send_before`, by the clock of the event loop.
    """

    token: str
    message_id: str
    topic: str
    key: str | None
    headers: dict[str, str]
    payload: str
    attempts: int
    send_before: float


def last_moment(lease: float) -> float:
    """Until when a send may begin in a lease of so many seconds that begins now.

    None is to outlive the lease, and at least half of it is used.
    """
    return asyncio.get_running_loop().time() + max(lease - _LONGEST_SEND, lease / 2)
