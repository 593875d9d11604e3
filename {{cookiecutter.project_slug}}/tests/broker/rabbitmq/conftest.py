"""What the tests of RabbitMQ share."""

from collections.abc import AsyncIterator

import aio_pika
import pytest_asyncio

from tests.broker.bench import Bench
from tests.broker.rabbitmq.outsider import Server


@pytest_asyncio.fixture
async def server(bench: Bench) -> AsyncIterator[Server]:
    """The server as another program sees it."""
    async with await aio_pika.connect(bench.url, timeout=5) as connection:
        channel = await connection.channel()
        yield channel
        await bench.stop()
        await channel.queue_delete(bench.consumer)
