"""In which ways RabbitMQ can be gone, and how it refuses a message."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from aio_pika import exceptions
from aiormq.exceptions import ChannelAccessRefused

from app.building_blocks.brokers.adapter import BrokerUnavailableError

REFUSALS = (exceptions.ChannelPreconditionFailed, ChannelAccessRefused)


@contextmanager
def told_as_unavailable() -> Iterator[None]:
    """Turn every way in which RabbitMQ can be gone into BrokerUnavailableError.

    So it does with a negative confirm, which tells of a full queue or a cluster without its
    majority: time mends that, and no message is to blame.
    """
    try:
        yield
    except Exception as error:
        # aiormq ends what is in flight with a bare Exception when nobody gave it a reason ...
        if type(error) is not Exception and not isinstance(error, exceptions.CONNECTION_EXCEPTIONS):
            raise
        raise BrokerUnavailableError(f"RabbitMQ cannot be reached, try later: {error!r}") from error
    except asyncio.CancelledError as error:
        # ... and with a CancelledError when the connection goes, though nobody cancelled the task.
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise BrokerUnavailableError("The connection to RabbitMQ was dropped") from error


@asynccontextmanager
async def reaching_rabbitmq(seconds: float) -> AsyncIterator[None]:
    """The same, also when nothing comes of it within `seconds`."""
    with told_as_unavailable():
        async with asyncio.timeout(seconds):
            yield
