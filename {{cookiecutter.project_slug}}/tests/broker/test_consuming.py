"""What an adapter promises when it delivers, the same for every broker over a network."""

import asyncio
import logging
import time

import pytest

from app.building_blocks.brokers.adapter import BrokerMessage
from tests.broker.bench import DEADLINE, Bench, Held, until


async def test_each_consumer_gets_each_message(bench: Bench) -> None:
    adapter, others = bench.listener(), list[BrokerMessage]()

    async def keep(message: BrokerMessage) -> None:
        others.append(message)

    adapter.subscribe(bench.topic, f"{bench.consumer}_too", keep)
    await adapter.start()
    bodies = [b"%03d" % number for number in range(30)]
    await asyncio.gather(*(adapter.publish(bench.message(body)) for body in bodies))
    await until(lambda: len(bench.received) == len(others) == 30)
    assert bench.bodies() == sorted(message.body for message in others) == bodies


async def test_replicas_share_the_messages_of_their_consumer(bench: Bench) -> None:
    first, second = bench.listener(), bench.listener()
    await first.start()
    await first.publish(bench.message(b"000"))
    await until(lambda: bench.received)
    await second.start()
    bodies = [b"%03d" % number for number in range(100)]
    await asyncio.gather(*(first.publish(bench.message(body)) for body in bodies[1:]))
    await until(lambda: {message.body for message in bench.received} == set(bodies))


async def test_deliveries_run_side_by_side(bench: Bench) -> None:
    held = Held(bench)
    adapter = bench.listener(held)
    await adapter.start()
    await asyncio.gather(*(adapter.publish(bench.message()) for _ in range(10)))
    await until(lambda: held.running == 10)
    held.may_end.set()
    await until(lambda: len(bench.received) == 10)


async def test_as_many_deliveries_run_side_by_side_as_were_asked_for(bench: Bench) -> None:
    held = Held(bench)
    adapter = bench.listener(held, at_once=50)
    await adapter.start()
    await asyncio.gather(*(adapter.publish(bench.message()) for _ in range(60)))
    await until(lambda: held.running == 50)
    held.may_end.set()
    await until(lambda: len(bench.received) == 60)


async def test_a_failed_delivery_is_logged_once_and_comes_back_after_a_pause(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    times: list[float] = []

    async def receive(message: BrokerMessage) -> None:
        times.append(time.monotonic())
        if len(times) == 1:
            raise RuntimeError("the database is away")
        await bench.keep(message)

    adapter = bench.listener(receive, retry_pause=0.2)
    await adapter.start()
    with caplog.at_level(logging.INFO):
        await adapter.publish(bench.message())
        await until(lambda: bench.received)
    assert times[1] - times[0] >= 0.1
    [record] = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert record.name == "app.broker"
    assert bench.consumer in record.message
    assert bench.topic in record.message


async def test_others_go_on_while_one_delivery_fails(bench: Bench) -> None:
    async def receive(message: BrokerMessage) -> None:
        if message.body == b"bad" and len(bench.received) < 10:
            raise RuntimeError("not yet")
        await bench.keep(message)

    adapter = bench.listener(receive, retry_pause=0.1)
    await adapter.start()
    await adapter.publish(bench.message(b"bad"))
    bodies = [b"%03d" % number for number in range(10)]
    for body in bodies:
        await adapter.publish(bench.message(body))
    await until(lambda: b"bad" in bench.bodies())
    assert set(bench.bodies()) == {b"bad", *bodies}


async def test_stop_ends_the_pause_and_leaves_the_message_with_the_broker(bench: Bench) -> None:
    failed = asyncio.Event()

    async def receive(message: BrokerMessage) -> None:
        failed.set()
        raise RuntimeError("no")

    adapter = bench.listener(receive, retry_pause=60)
    await adapter.start()
    await adapter.publish(bench.message(b"1"))
    await asyncio.wait_for(failed.wait(), DEADLINE)
    async with asyncio.timeout(5):
        await adapter.stop()
    await bench.listener().start()
    await until(lambda: bench.bodies() == [b"1"])


async def test_stop_lets_a_running_delivery_finish_and_start_works_again(bench: Bench) -> None:
    begun, release = asyncio.Event(), asyncio.Event()

    async def receive(message: BrokerMessage) -> None:
        begun.set()
        await release.wait()
        await bench.keep(message)

    adapter = bench.listener(receive)
    await adapter.start()
    await adapter.publish(bench.message(b"1"))
    await asyncio.wait_for(begun.wait(), DEADLINE)
    stopping = asyncio.create_task(adapter.stop())
    await asyncio.wait({stopping}, timeout=0.1)
    assert not stopping.done()
    release.set()
    await stopping
    assert bench.bodies() == [b"1"]
    await adapter.start()
    await adapter.publish(bench.message(b"2"))
    # Had the first not been acknowledged, it would come before this one or with it.
    await until(lambda: b"2" in bench.bodies())
    assert bench.bodies() == [b"1", b"2"]


async def test_a_cancelled_delivery_is_not_acknowledged(bench: Bench) -> None:
    cancelled = asyncio.Event()

    async def receive(message: BrokerMessage) -> None:
        cancelled.set()
        raise asyncio.CancelledError

    adapter = bench.listener(receive)
    await adapter.start()
    await adapter.publish(bench.message(b"1"))
    await asyncio.wait_for(cancelled.wait(), DEADLINE)
    await adapter.stop()
    await bench.listener().start()
    await until(lambda: bench.bodies() == [b"1"])
