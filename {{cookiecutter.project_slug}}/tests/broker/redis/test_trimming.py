"""What a stream keeps, and what becomes of an entry that it no longer has."""

import asyncio

from redis.asyncio import Redis

from tests.broker.bench import Bench, until
from tests.broker.redis.outsider import contents, is_all_acknowledged


async def test_a_stream_is_trimmed_by_age(bench: Bench, redis: Redis) -> None:
    seconds, _ = await redis.time()
    for number in range(250):
        await redis.xadd(bench.topic, {"old": number}, id=f"{(seconds - 9000) * 1000}-{number}")
    patient, hasty = bench.publisher(), bench.publisher(f"{bench.url}?keep_hours=2.4")
    await patient.start()
    await hasty.start()
    await patient.publish(bench.message())
    assert await redis.xlen(bench.topic) == 251
    await hasty.publish(bench.message())
    # Whole nodes go at a time, of 100 entries unless the server says otherwise.
    kept = await contents(redis, bench)
    assert len(kept) < 151
    assert [b"data" in fields for fields in kept[-2:]] == [True, True]


async def test_a_stream_is_trimmed_by_length(bench: Bench, redis: Redis) -> None:
    adapter = bench.publisher(f"{bench.url}?keep_entries=100&socket_timeout=3")
    await adapter.start()
    await asyncio.gather(*(adapter.publish(bench.message()) for _ in range(500)))
    assert 100 <= await redis.xlen(bench.topic) <= 200


async def test_a_trimmed_entry_that_was_never_handled_is_let_go(bench: Bench, redis: Redis) -> None:
    await redis.xgroup_create(bench.topic, bench.consumer, id="0", mkstream=True)
    entry_id = await redis.xadd(bench.topic, {"data": "gone"})
    await redis.xreadgroup(bench.consumer, "dead", {bench.topic: ">"})
    await redis.xdel(bench.topic, entry_id)
    adapter = bench.listener(claim_after=0.5)
    await adapter.start()
    await adapter.publish(bench.message(b"1"))
    await until(lambda: is_all_acknowledged(redis, bench))
    await until(lambda: bench.bodies() == [b"1"])
