"""A stop lets handlers finish for a while, and gives back what they did not handle."""

import asyncio

import pytest

from app.building_blocks.brokers.adapter import BrokerMessage, BrokerUnavailableError
from app.building_blocks.brokers.memory.broker import MemoryBroker
from tests.memory_broker.bench import MESSAGE, TOPIC, Gate, adapter, running

FOREVER = 3600.0


async def test_stop_cuts_the_wait_before_a_nack_short() -> None:
    broker, failed = adapter(retry_pause=FOREVER, graceful_timeout=FOREVER), asyncio.Event()

    async def receive(message: BrokerMessage) -> None:
        failed.set()
        raise ConnectionError("the database is down")

    broker.subscribe(TOPIC, "failing", receive)
    async with running(broker):
        publish = asyncio.create_task(broker.publish(MESSAGE))
        await failed.wait()
        await broker.stop()
        with pytest.raises(BrokerUnavailableError):
            await publish


async def test_stop_lets_a_running_delivery_finish_and_takes_no_new_message() -> None:
    broker, gate = adapter(), Gate()
    broker.subscribe(TOPIC, "slow", gate)
    async with running(broker):
        publish = asyncio.create_task(broker.publish(MESSAGE))
        await gate.reached.wait()
        stop = asyncio.create_task(broker.stop())
        await asyncio.sleep(0)
        assert not await broker.is_connected()
        with pytest.raises(BrokerUnavailableError):
            await broker.publish(MESSAGE)
        assert not stop.done()
        gate.opened.set()
        await stop
        await publish
    assert gate.passed


async def test_stop_cancels_what_outlives_the_graceful_time() -> None:
    broker, gate = adapter(graceful_timeout=0.01), Gate()
    broker.subscribe(TOPIC, "endless", gate)
    async with running(broker):
        publish = asyncio.create_task(broker.publish(MESSAGE))
        await gate.reached.wait()
        await broker.stop()
        with pytest.raises(BrokerUnavailableError, match="endless"):
            await publish
    assert gate.cancelled


async def test_a_handler_that_swallows_its_cancellation_neither_acknowledges_nor_blocks_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.building_blocks.brokers.memory.subscriber.CANCELLATION_TIMEOUT", 0.01)
    broker, gate, ended = adapter(graceful_timeout=0.01), Gate(), asyncio.Event()

    async def receive(message: BrokerMessage) -> None:
        try:
            await gate(message)
        except asyncio.CancelledError:
            await gate.opened.wait()
        ended.set()

    broker.subscribe(TOPIC, "stubborn", receive)
    async with running(broker):
        publish = asyncio.create_task(broker.publish(MESSAGE))
        await gate.reached.wait()
        await broker.stop()
        assert not ended.is_set()
        with pytest.raises(BrokerUnavailableError):
            await publish
        gate.opened.set()
        await ended.wait()


async def test_messages_that_wait_their_turn_are_given_back_by_stop() -> None:
    broker, reached, opened = MemoryBroker(prefetch=1), asyncio.Event(), asyncio.Event()

    @broker.subscriber(TOPIC)
    async def handle(number: int) -> None:
        reached.set()
        await opened.wait()

    async with running(broker):
        publishes = [asyncio.create_task(broker.publish(n, TOPIC)) for n in range(5)]
        await reached.wait()
        stop = asyncio.create_task(broker.stop())
        for waiting in publishes[1:]:
            with pytest.raises(BrokerUnavailableError):
                await waiting
        opened.set()
        await stop
        await publishes[0]
