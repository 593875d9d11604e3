"""In which ways Redis can be gone."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from redis.exceptions import (
    AskError,
    ClusterDownError,
    ConnectionError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    TimeoutError,
    TryAgainError,
)

from app.building_blocks.brokers.adapter import BrokerUnavailableError

GONE = (
    ConnectionError,
    TimeoutError,
    OSError,
    ReadOnlyError,
    OutOfMemoryError,
    ClusterDownError,
    TryAgainError,
    AskError,
)
# redis-py has no classes for these: no disk, no replicas, a script that does not end.
GONE_CODES = ("MISCONF ", "NOREPLICAS ", "BUSY ")


@contextmanager
def told_as_unavailable() -> Iterator[None]:
    """Turn every way in which Redis can be gone into BrokerUnavailableError.

    So it does when Redis has no room or may not write: time mends that, no message is to blame.
    """
    try:
        yield
    except GONE as error:
        reason = f"{type(error).__name__}: {error}"
        raise BrokerUnavailableError(f"Redis cannot be reached, try later: {reason}") from error
    except ResponseError as error:
        if not str(error).startswith(GONE_CODES):
            raise
        raise BrokerUnavailableError(f"Redis takes nothing now, try later: {error}") from error


@asynccontextmanager
async def reaching_redis(seconds: float) -> AsyncIterator[None]:
    """The same, also when nothing comes of it within `seconds`."""
    task = asyncio.current_task()
    cancellations = task.cancelling() if task else 0
    with told_as_unavailable():
        async with asyncio.timeout(seconds):
            yield
    # The wait_for of Python 3.11, which redis-py sends with, swallows some cancellations.
    if task and task.cancelling() > cancellations:
        raise asyncio.CancelledError
