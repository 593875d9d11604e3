"""What the holder of a lease reads, and what it no longer may."""

import asyncio

from redis.asyncio import Redis

from app.building_blocks.brokers.adapter import BrokerMessage
from app.building_blocks.brokers.redis.group import Member
from app.building_blocks.brokers.redis.lease import Lease
from app.building_blocks.brokers.redis.reader import PREFETCH
from tests.broker.bench import Bench, until
from tests.broker.redis.outsider import is_all_acknowledged, leave_to_the_dead


async def test_a_holder_that_stood_still_reads_nothing_more(bench: Bench, redis: Redis) -> None:
    await redis.xgroup_create(bench.topic, bench.consumer, id="0", mkstream=True)
    late = Lease(Member(redis, bench.topic, bench.consumer), 0.2)
    successor = Lease(Member(redis, bench.topic, bench.consumer), 5.0)
    assert await late.take()
    assert not await successor.take()
    await until(successor.take)
    await redis.xadd(bench.topic, {"data": "1"})
    assert await late.read(20, 0.1) == []
    assert not late.held
    assert [fields for _, fields in await successor.read(20, 0.1)] == [{b"data": b"1"}]
    assert await successor.read(20, 0.1) == []
    await successor.release()


async def test_a_holder_waits_for_new_entries_whoever_read_the_last(
    bench: Bench, redis: Redis
) -> None:
    await redis.xgroup_create(bench.topic, bench.consumer, id="0", mkstream=True)
    first = Lease(Member(redis, bench.topic, bench.consumer), 5.0)
    other = Member(redis, bench.topic, bench.consumer)
    assert await first.take()
    await redis.xadd(bench.topic, {"data": "1"})
    assert len(await first.read(20, 0.1)) == 1
    # Read by another: a successor, or this holder before the answer was lost.
    await redis.xadd(bench.topic, {"data": "2"})
    assert len(await other.read(">", 20, 0.1)) == 1
    clock = asyncio.get_running_loop().time
    assert await first.read(20, 0.3) == []
    begin = clock()
    assert await first.read(20, 0.3) == []
    assert clock() - begin > 0.2
    await first.release()
    assert await first.take()
    begin = clock()
    assert await first.read(20, 0.3) == []
    assert clock() - begin > 0.2
    await first.release()


async def test_a_holder_that_lost_its_lease_while_it_caught_up_claims_nothing_more(
    bench: Bench, redis: Redis
) -> None:
    bodies = [b"%03d" % number for number in range(2 * PREFETCH)]
    begun, too_soon, release = list[bytes](), list[bytes](), asyncio.Event()

    async def receive(message: BrokerMessage) -> None:
        begun.append(message.body)
        if release.is_set() and await redis.get(lease) == successor.name.encode():
            too_soon.append(message.body)
        await release.wait()

    adapter = bench.listener(receive, ordered=True, claim_after=60.0)
    await redis.xgroup_create(bench.topic, bench.consumer, id="0", mkstream=True)
    for body in bodies:
        await leave_to_the_dead(redis, bench, body)
    await adapter.start()
    await until(lambda: len(begun) == PREFETCH)
    # It stands still for as long as its lease lasts, and another replica takes over.
    [lease] = await redis.keys(f"{bench.topic}:*")
    await redis.delete(lease)
    successor = Member(redis, bench.topic, bench.consumer)
    assert await Lease(successor, 1.0).take()
    await successor.claim(await successor.left(0, len(bodies)))
    release.set()
    # The successor dies, so that all is left to the first in the end.
    await until(lambda: begun == bodies)
    assert not too_soon
    await until(lambda: is_all_acknowledged(redis, bench))
