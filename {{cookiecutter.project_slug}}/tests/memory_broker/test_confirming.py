"""A publish is confirmed when every group has acknowledged, and not before."""

import asyncio

import pytest

from app.building_blocks.brokers.adapter import BrokerAdapter, BrokerMessage, BrokerUnavailableError
from tests.memory_broker.bench import MESSAGE, TOPIC, Gate, adapter, collect_into, fail, running


def test_it_is_a_broker_adapter() -> None:
    conforming: BrokerAdapter = adapter()
    assert conforming


async def test_publish_returns_after_every_group_has_acknowledged() -> None:
    broker, gates = adapter(), [Gate(), Gate()]
    for number, gate in enumerate(gates):
        broker.subscribe(TOPIC, f"consumer-{number}", gate)
    async with running(broker):
        publish = asyncio.create_task(broker.publish(MESSAGE))
        for gate in gates:
            await gate.reached.wait()
            assert not publish.done()
            gate.opened.set()
        await publish
    assert all(gate.passed for gate in gates)


async def test_a_topic_that_nobody_listens_to_confirms_at_once() -> None:
    broker, received = adapter(), list[BrokerMessage]()
    broker.subscribe("payments.payment-taken.v1", "orders.pay", collect_into(received))
    async with running(broker):
        await broker.publish(MESSAGE)
    assert received == []


async def test_a_group_that_fails_fails_the_publish_and_the_others_still_get_the_message() -> None:
    broker, received = adapter(), list[BrokerMessage]()
    broker.subscribe(TOPIC, "before", collect_into(received))
    broker.subscribe(TOPIC, "failing", fail)
    broker.subscribe(TOPIC, "after", collect_into(received))
    async with running(broker):
        with pytest.raises(BrokerUnavailableError, match=f"{TOPIC} .* by failing:"):
            await broker.publish(MESSAGE)
    assert len(received) == 2


async def test_500_concurrent_publishes_reach_each_of_two_groups_once() -> None:
    broker, groups = adapter(), (list[BrokerMessage](), list[BrokerMessage]())
    for number, received in enumerate(groups):
        broker.subscribe(TOPIC, f"consumer-{number}", collect_into(received))
    bodies = [str(number).encode() for number in range(500)]
    async with running(broker):
        await asyncio.gather(*(broker.publish(BrokerMessage(TOPIC, body, {})) for body in bodies))
    for received in groups:
        assert [message.body for message in received] == bodies


async def test_a_cancelled_handler_never_acknowledges() -> None:
    broker = adapter()

    async def receive(message: BrokerMessage) -> None:
        raise asyncio.CancelledError

    broker.subscribe(TOPIC, "cancelled", receive)
    async with running(broker):
        with pytest.raises(BrokerUnavailableError, match="cancelled"):
            await broker.publish(MESSAGE)


async def test_a_publish_that_is_cancelled_leaves_the_delivery_alone() -> None:
    broker, gate = adapter(), Gate()
    broker.subscribe(TOPIC, "slow", gate)
    async with running(broker):
        publish = asyncio.create_task(broker.publish(MESSAGE))
        await gate.reached.wait()
        publish.cancel()
        with pytest.raises(asyncio.CancelledError):
            await publish
        gate.opened.set()
        await broker.publish(MESSAGE)
    assert gate.passed
