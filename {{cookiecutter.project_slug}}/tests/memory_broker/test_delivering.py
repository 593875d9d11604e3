"""Messages come whole, in order, a few at a time, and a failure is told once."""

import asyncio
import logging
from contextvars import ContextVar

import pytest

from app.building_blocks.brokers.adapter import BrokerMessage, BrokerUnavailableError
from app.building_blocks.brokers.memory.broker import MemoryBroker
from tests.memory_broker.bench import MESSAGE, TOPIC, adapter, collect_into, fail, running


async def test_deliveries_start_in_arrival_order_and_one_slow_handler_holds_up_no_other() -> None:
    broker, started, slow = MemoryBroker(prefetch=2), list[int](), asyncio.Event()

    @broker.subscriber(TOPIC)
    async def handle(number: int) -> None:
        started.append(number)
        if number == 0:
            await slow.wait()

    async with running(broker):
        first = asyncio.create_task(broker.publish(0, TOPIC))
        await asyncio.gather(*(broker.publish(number, TOPIC) for number in range(1, 50)))
        assert not first.done()
        slow.set()
        await first
    assert started == sorted(started)
    assert len(started) == 50


async def test_no_more_than_prefetch_messages_of_a_group_are_handled_at_a_time() -> None:
    broker, now, most = MemoryBroker(prefetch=3), 0, 0

    @broker.subscriber(TOPIC)
    async def handle(number: int) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0)
        now -= 1

    async with running(broker):
        await asyncio.gather(*(broker.publish(number, TOPIC) for number in range(50)))
    assert most == 3


async def test_a_context_variable_set_by_one_delivery_is_not_seen_by_the_next() -> None:
    broker, tenant, seen = adapter(), ContextVar("tenant", default="nobody"), list[str]()

    async def receive(message: BrokerMessage) -> None:
        seen.append(tenant.get())
        tenant.set("ada")

    broker.subscribe(TOPIC, "orders.pay", receive)
    async with running(broker):
        await broker.publish(MESSAGE)
        await broker.publish(MESSAGE)
    assert seen == ["nobody", "nobody"]


async def test_a_failure_is_logged_once_with_its_consumer_topic_and_cause(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broker = adapter()
    broker.subscribe(TOPIC, "orders.pay", fail)
    with caplog.at_level(logging.INFO):
        async with running(broker):
            with pytest.raises(BrokerUnavailableError):
                await broker.publish(MESSAGE)
    (record,) = caplog.records
    assert record.name == "app.broker"
    assert record.levelno == logging.ERROR
    assert "orders.pay" in record.getMessage()
    assert TOPIC in record.getMessage()
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ConnectionError)


async def test_a_message_that_is_handled_is_not_worth_a_line_at_info(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broker = adapter()
    broker.subscribe(TOPIC, "orders.pay", collect_into([]))
    with caplog.at_level(logging.INFO):
        async with running(broker):
            await broker.publish(MESSAGE)
    assert caplog.records == []


async def test_a_failed_message_is_held_for_the_wait_before_it_is_given_back() -> None:
    broker = adapter(retry_pause=0.1)
    broker.subscribe(TOPIC, "failing", fail)
    clock = asyncio.get_running_loop().time
    async with running(broker):
        pass
    async with running(broker):
        begin = clock()
        with pytest.raises(BrokerUnavailableError):
            await broker.publish(MESSAGE)
        # Half the wait is the least that jitter leaves; timers may fire a clock tick early.
        assert clock() - begin > 0.045


@pytest.mark.parametrize(
    "body",
    [b"", b'{"half": ', b"\xff\xfe\x00", "\U0001f980 für Ada".encode(), b"\x00\xff" * 2**19],
    ids=["empty", "malformed json", "not utf-8", "unicode", "1 MiB"],
)
async def test_a_message_arrives_byte_for_byte_with_the_headers_that_were_sent(body: bytes) -> None:
    broker, received = adapter(), list[BrokerMessage]()
    broker.subscribe(TOPIC, "orders.pay", collect_into(received))
    headers = {"content-type": "application/json", "ce-id": "1", "ce-subject": "order-7"}
    async with running(broker):
        await broker.publish(BrokerMessage(TOPIC, body, headers, key="order-7"))
        await broker.publish(BrokerMessage(TOPIC, body, {}))
    assert received == [
        BrokerMessage(TOPIC, body, headers, key="order-7"),
        BrokerMessage(TOPIC, body, {}, key=None),
    ]
