"""Which reader of a group gets an entry, and when another does."""

import asyncio
import socket

import pytest
from redis.asyncio import Redis

from app.building_blocks.brokers.adapter import BrokerMessage
from app.building_blocks.brokers.redis import group
from app.building_blocks.brokers.redis.reader import PREFETCH
from tests.broker.bench import DEADLINE, Bench, Held, until
from tests.broker.redis.outsider import is_all_acknowledged, leave_to_the_dead, pending


async def test_deliveries_run_side_by_side_up_to_the_prefetch(bench: Bench, redis: Redis) -> None:
    held = Held(bench)
    adapter = bench.listener(held)
    await adapter.start()
    await asyncio.gather(*(adapter.publish(bench.message()) for _ in range(PREFETCH + 3)))
    await until(lambda: held.running == PREFETCH == 20)
    assert await pending(redis, bench) == PREFETCH
    held.may_end.set()
    await until(lambda: len(bench.received) == PREFETCH + 3)


async def test_what_a_dead_reader_held_is_claimed(bench: Bench, redis: Redis) -> None:
    await redis.xgroup_create(bench.topic, bench.consumer, id="0", mkstream=True)
    publisher = bench.publisher()
    await publisher.start()
    bodies = [b"%03d" % number for number in range(50)]
    for body in bodies:
        await publisher.publish(bench.message(body))
    await redis.xreadgroup(bench.consumer, "dead", {bench.topic: ">"}, count=45)
    await bench.listener(claim_after=1.0).start()
    await until(lambda: bench.bodies() == bodies)
    await until(lambda: is_all_acknowledged(redis, bench))


async def test_what_a_stop_interrupts_goes_to_another_at_once(bench: Bench, redis: Redis) -> None:
    failed = asyncio.Event()

    async def fail(message: BrokerMessage) -> None:
        failed.set()
        raise RuntimeError("no")

    first = bench.listener(fail, retry_pause=60, claim_after=20.0)
    await first.start()
    await first.publish(bench.message(b"1"))
    await asyncio.wait_for(failed.wait(), DEADLINE)
    await bench.listener(claim_after=20.0).start()
    stopped = asyncio.get_running_loop().time()
    await first.stop()
    await until(lambda: bench.bodies() == [b"1"])
    assert asyncio.get_running_loop().time() - stopped < 5


async def test_a_handler_that_takes_longer_than_the_claim_time_runs_once(
    bench: Bench, redis: Redis
) -> None:
    begun, release = list[bytes](), asyncio.Event()

    async def take_long(message: BrokerMessage) -> None:
        begun.append(message.body)
        await release.wait()
        await bench.keep(message)

    first = bench.listener(take_long, claim_after=0.6)
    await first.start()
    # It has no room for more, so that only the other one claims.
    bodies = [b"%02d" % number for number in range(PREFETCH)]
    for body in bodies:
        await first.publish(bench.message(body))
    await until(lambda: len(begun) == PREFETCH)
    await bench.listener(claim_after=0.6).start()
    await leave_to_the_dead(redis, bench, b"left")
    # Of the entries that are due, those that came first are claimed first.
    await until(lambda: b"left" in bench.bodies())
    assert bench.bodies() == [b"left"]
    release.set()
    await until(lambda: len(bench.received) == PREFETCH + 1)
    await until(lambda: is_all_acknowledged(redis, bench))
    assert sorted(begun) == bodies


async def test_a_reader_leaves_no_name_behind_and_forgets_those_of_the_dead(
    bench: Bench, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def names() -> list[bytes]:
        return [each["name"] for each in await redis.xinfo_consumers(bench.topic, bench.consumer)]

    async def all_idle() -> bool:
        members = await redis.xinfo_consumers(bench.topic, bench.consumer)
        return all(each["idle"] > 0 for each in members)

    adapter = bench.listener(claim_after=DEADLINE)
    await adapter.start()
    # Its first read gives it a name.
    await until(names)
    [own] = await names()
    assert own.startswith(socket.gethostname().encode())
    await redis.xgroup_createconsumer(bench.topic, bench.consumer, "dead")
    await adapter.stop()
    assert await names() == [b"dead"]
    await redis.xgroup_createconsumer(bench.topic, bench.consumer, "holds an entry")
    await redis.xadd(bench.topic, {"data": "1"})
    await redis.xreadgroup(bench.consumer, "holds an entry", {bench.topic: ">"})
    monkeypatch.setattr(group, "DAY_MS", 0)
    await until(all_idle)
    await adapter.start()
    assert b"dead" not in await names()
    assert b"holds an entry" in await names()
