"""How a message looks on RabbitMQ, and which ones are refused."""

from datetime import UTC, datetime

import aio_pika
import pytest

from app.building_blocks.brokers.adapter import BrokerMessage
from app.building_blocks.brokers.rabbitmq import publishing
from app.building_blocks.brokers.rabbitmq.publishing import MAX_SHARED_BODY_BYTES
from app.building_blocks.brokers.rabbitmq.queue import EXCHANGE
from tests.broker.bench import Bench, until
from tests.broker.rabbitmq.outsider import Server
from tests.broker.refusals import refusals_of


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
    large = bench.message(b"z" * (MAX_SHARED_BODY_BYTES + 1))
    await refusals_of(bench, adapter, refused, large)


async def test_a_refusal_that_closes_the_shared_channel_is_that_of_its_message_alone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = bench.listener()
    await adapter.start()
    monkeypatch.setattr(publishing, "MAX_SHARED_BODY_BYTES", 1 << 30)
    await refusals_of(bench, adapter, [bench.message(bytes(128 * 1024 * 1024 + 1))])
