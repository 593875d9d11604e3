"""Before its start and after its stop it takes nothing; it can start again."""

import asyncio
from typing import Any

import pytest
from faststream.exceptions import SetupError

from app.building_blocks.brokers.adapter import BrokerMessage, BrokerUnavailableError
from tests.memory_broker.bench import MESSAGE, TOPIC, adapter, collect_into, fail, running


def other_tasks() -> set[asyncio.Task[Any]]:
    current = asyncio.current_task()
    return {task for task in asyncio.all_tasks() if task is not current}


async def test_publish_before_start_and_after_stop_is_refused_and_start_works_again() -> None:
    broker, received = adapter(), list[BrokerMessage]()
    broker.subscribe(TOPIC, "orders.pay", collect_into(received))
    with pytest.raises(BrokerUnavailableError):
        await broker.publish(MESSAGE)
    for round_number in (1, 2):
        async with running(broker):
            await broker.start()
            assert await broker.is_connected()
            await broker.publish(MESSAGE)
        assert len(received) == round_number
        assert not await broker.is_connected()
        assert not other_tasks()
        with pytest.raises(BrokerUnavailableError):
            await broker.publish(MESSAGE)


async def test_one_adapter_serves_two_event_loops_one_after_the_other() -> None:
    broker = adapter(retry_pause=0.001)
    broker.subscribe(TOPIC, "failing", fail)

    async def publish_once() -> None:
        async with running(broker):
            with pytest.raises(BrokerUnavailableError, match="failing"):
                await broker.publish(MESSAGE)

    for _ in range(2):
        await asyncio.to_thread(asyncio.run, publish_once())


async def test_one_consumer_name_cannot_be_bound_twice_to_a_topic() -> None:
    broker, received = adapter(), list[BrokerMessage]()
    broker.subscribe(TOPIC, "orders.pay", collect_into(received))
    broker.subscribe(TOPIC, "orders.pay", collect_into(received))
    with pytest.raises(SetupError, match=f"{TOPIC} .* orders.pay"):
        await broker.start()
    assert not await broker.is_connected()
    assert not other_tasks()


async def test_a_subscription_after_start_is_refused() -> None:
    broker = adapter()
    async with running(broker):
        with pytest.raises(RuntimeError, match="before start"):
            broker.subscribe(TOPIC, "late", fail)
