"""The stream of a test as another program sees it."""

from typing import Any

from redis.asyncio import Redis

from tests.broker.bench import Bench


async def contents(redis: Redis, bench: Bench) -> list[dict[bytes, bytes]]:
    entries: Any = await redis.xrange(bench.topic)
    return [fields for _, fields in entries]


async def pending(redis: Redis, bench: Bench) -> int:
    """How many entries have been handed out and not acknowledged."""
    summary: dict[str, Any] = await redis.xpending(bench.topic, bench.consumer)
    return int(summary["pending"])


async def is_all_acknowledged(redis: Redis, bench: Bench) -> bool:
    return await pending(redis, bench) == 0


async def leave_to_the_dead(redis: Redis, bench: Bench, body: bytes) -> None:
    """Add an entry, and read it as a replica that dies before it can handle it."""
    # In one transaction, so that no reader that waits for an entry gets it first.
    async with redis.pipeline(transaction=True) as transaction:
        transaction.xadd(bench.topic, {"data": body})
        transaction.xreadgroup(bench.consumer, "dead", {bench.topic: ">"})
        await transaction.execute()
