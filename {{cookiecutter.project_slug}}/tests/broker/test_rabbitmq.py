"""What is RabbitMQ's own: its wire format, its queues, what it refuses, how it goes away."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import aio_pika
import pytest
import pytest_asyncio

from app.building_blocks.brokers.adapter import (
    BrokerMessage,
    BrokerUnavailableError,
    MessageRefusedError,
)
from app.building_blocks.brokers.rabbitmq.adapter import (
    EXCHANGE,
    MAX_SHARED_BODY_BYTES,
    PREFETCH,
    RabbitAdapter,
)
from tests.broker.bench import DEADLINE, Bench, until
from tests.broker.proxy import Proxy

Server = aio_pika.abc.AbstractChannel


@pytest_asyncio.fixture
async def server(bench: Bench) -> AsyncIterator[Server]:
    """The server as another program sees it."""
    async with await aio_pika.connect(bench.url, timeout=5) as connection:
        channel = await connection.channel()
        yield channel
        await bench.stop()
        await channel.queue_delete(bench.consumer)


async def is_queued(server: Server, bench: Bench, count: int) -> bool:
    """Whether `count` messages are ready in the queue, held by no consumer."""
    queue = await server.declare_queue(bench.consumer, passive=True)
    return queue.declaration_result.message_count == count


async def test_the_wire_format_is_the_cloudevents_amqp_binding(
    bench: Bench, server: Server
) -> None:
    adapter = bench.publisher()
    await adapter.start()
    queue = await server.declare_queue(bench.consumer)
    await queue.bind(EXCHANGE.name, bench.topic)
    headers = {"ce-id": "7", "content-type": "text/x", "x-a": "b"}
    await adapter.publish(BrokerMessage(bench.topic, b"{}", headers))
    incoming = await queue.get()
    await incoming.ack()
    assert incoming.headers == {"cloudEvents:id": "7", "x-a": "b"}
    assert (incoming.content_type, incoming.message_id) == ("text/x", "7")
    assert incoming.delivery_mode == aio_pika.DeliveryMode.PERSISTENT


async def test_a_foreign_program_may_use_either_prefix_and_any_type(
    bench: Bench, server: Server
) -> None:
    adapter = bench.listener()
    await adapter.start()
    replies = await server.declare_queue(exclusive=True)
    foreign = aio_pika.Message(
        b"",
        content_type="application/json",
        reply_to=replies.name,
        headers={
            "cloudEvents_id": "1",
            "cloudEvents:subject": "k",
            "n": 5,
            "raw": bytearray(b"\xff"),
            "at": datetime(2024, 1, 1, tzinfo=UTC),
        },
    )
    exchange = await server.get_exchange(EXCHANGE.name, ensure=False)
    await exchange.publish(foreign, bench.topic)
    await until(lambda: bench.received)
    await adapter.stop()
    assert await replies.get(fail=False) is None
    [message] = bench.received
    assert message.key == "k"
    assert message.headers == {
        "ce-id": "1",
        "ce-subject": "k",
        "content-type": "application/json",
        "n": "5",
        "raw": "\N{REPLACEMENT CHARACTER}",
        "at": "2024-01-01 00:00:00+00:00",
    }


async def test_deliveries_run_side_by_side_up_to_the_prefetch(bench: Bench, server: Server) -> None:
    running, release = 0, asyncio.Event()

    async def receive(message: BrokerMessage) -> None:
        nonlocal running
        running += 1
        await release.wait()
        await bench.keep(message)

    adapter = bench.listener(receive)
    await adapter.start()
    await asyncio.gather(*(adapter.publish(bench.message()) for _ in range(23)))
    await until(lambda: is_queued(server, bench, 3))
    await until(lambda: running == PREFETCH == 20)
    release.set()
    await until(lambda: len(bench.received) == 23)


async def test_a_refused_message_names_itself_and_stops_no_other(bench: Bench) -> None:
    adapter = bench.listener()
    await adapter.start()
    refused = [
        BrokerMessage("é" * 200, b"", {}),
        bench.message(headers={"x-long": "x" * 200_000}),
        bench.message(headers={"x" * 129: "name"}),
        bench.message(headers={"x-half": "\ud800"}),
        bench.message(headers={"content-type": "x" * 256}),
        bench.message(bytes(128 * 1024 * 1024 + 1)),
    ]
    healthy = [bench.message(b"%03d" % number) for number in range(100)]
    healthy.append(bench.message(b"z" * (MAX_SHARED_BODY_BYTES + 1)))
    messages = [*healthy[:50], *refused, *healthy[50:]]
    outcomes = await asyncio.gather(*map(adapter.publish, messages), return_exceptions=True)
    by_outcome = [type(outcome) for outcome in outcomes]
    assert by_outcome.count(MessageRefusedError) == len(refused), outcomes
    assert by_outcome.count(type(None)) == len(healthy)
    await until(lambda: len(bench.received) == len(healthy))
    assert bench.bodies() == sorted(message.body for message in healthy)


async def test_publishing_goes_on_over_a_channel_that_the_server_closed(bench: Bench) -> None:
    adapter = bench.listener()
    await adapter.start()
    assert isinstance(adapter, RabbitAdapter)
    assert adapter._link is not None
    assert isinstance(adapter._link[1], aio_pika.RobustExchange)
    shared = adapter._link[1].channel
    unknown = await shared.get_exchange(uuid4().hex, ensure=False)
    with pytest.raises(aio_pika.exceptions.ChannelNotFoundEntity):
        await unknown.publish(aio_pika.Message(b""), "")
    await asyncio.gather(*(adapter.publish(bench.message(b"1")) for _ in range(50)))
    await until(lambda: len(bench.received) == 50)
    await until(lambda: not shared.is_closed)
    await adapter.publish(bench.message(b"2"))
    await until(lambda: len(bench.received) == 51)


async def test_a_start_that_fails_half_way_leaves_no_connection(
    bench: Bench, server: Server, proxy: Proxy
) -> None:
    await server.declare_queue(bench.consumer, durable=True)
    adapter = bench.listener(url=proxy.url)
    with pytest.raises(BrokerUnavailableError, match="x-queue-type"):
        await adapter.start()
    await until(lambda: proxy.connections == 0)


async def test_what_a_cut_interrupts_is_delivered_again(bench: Bench, proxy: Proxy) -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def receive(message: BrokerMessage) -> None:
        if begun.is_set():
            await bench.keep(message)
            return
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    adapter = bench.listener(receive, url=proxy.url)
    await adapter.start()
    await adapter.publish(bench.message(b"1"))
    await asyncio.wait_for(begun.wait(), DEADLINE)
    proxy.cut()
    await asyncio.wait_for(cancelled.wait(), DEADLINE)
    await proxy.open()
    await until(lambda: bench.bodies() == [b"1"])


async def test_publishing_over_either_channel_ends_when_the_server_is_silent(
    bench: Bench, proxy: Proxy
) -> None:
    adapter = bench.listener(url=f"{proxy.url}?heartbeat=1", timeout=DEADLINE)
    await adapter.start()
    proxy.silence()
    messages = [bench.message(), bench.message(bytes(MAX_SHARED_BODY_BYTES + 1))]
    publishing = asyncio.gather(*map(adapter.publish, messages), return_exceptions=True)
    await until(lambda: proxy.lost)
    async with asyncio.timeout(DEADLINE):
        await adapter.stop()
        outcomes = await publishing
    assert [type(outcome) for outcome in outcomes] == [BrokerUnavailableError] * 2
    await until(lambda: proxy.connections == 0)
