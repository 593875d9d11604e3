"""The server as another program sees it."""

import aio_pika

from tests.broker.bench import Bench

Server = aio_pika.abc.AbstractChannel


async def is_queued(server: Server, bench: Bench, count: int) -> bool:
    """Whether `count` messages are ready in the queue, held by no consumer."""
    queue = await server.declare_queue(bench.consumer, passive=True)
    return queue.declaration_result.message_count == count
