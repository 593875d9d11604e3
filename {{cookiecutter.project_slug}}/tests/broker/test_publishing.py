"""What an adapter promises when it publishes, the same for every broker over a network."""

import asyncio

import pytest

from app.building_blocks.brokers.adapter import BrokerMessage, BrokerUnavailableError
from tests.broker.bench import Bench, until


async def test_a_message_arrives_as_it_was_sent(bench: Bench) -> None:
    adapter = bench.listener()
    await adapter.start()
    headers = {
        "ce-id": "1",
        "ce-type": bench.topic,
        "ce-subject": "ключ 🗝",
        "content-type": "application/json",
        "traceparent": "00-a-b-01",
        "x-tenant": "blå 100% \N{SNOWMAN}",
        "x-empty": "",
        "x-spaces": " a  b ",
    }
    body = bytes(range(256)) * 2048 + b"{not json"
    sent = BrokerMessage(bench.topic, body, headers, key="ключ 🗝")
    await adapter.publish(sent)
    await until(lambda: bench.received)
    assert bench.received == [sent]


async def test_an_empty_body_and_no_headers_but_the_id_arrive(bench: Bench) -> None:
    adapter = bench.listener()
    await adapter.start()
    sent = BrokerMessage(bench.topic, b"", {"ce-id": "1"})
    await adapter.publish(sent)
    await until(lambda: bench.received)
    assert bench.received == [sent]


async def test_an_event_that_nobody_listens_to_is_no_error(bench: Bench) -> None:
    adapter = bench.publisher()
    await adapter.start()
    await adapter.publish(bench.message())


async def test_a_topic_that_was_not_declared_can_be_published_on(bench: Bench) -> None:
    adapter = bench.publisher()
    await adapter.start()
    await adapter.publish(BrokerMessage(f"{bench.topic}.v2", b"{}", {"ce-id": "1"}))


async def test_what_was_published_while_the_service_was_down_arrives(bench: Bench) -> None:
    adapter, publisher = bench.listener(), bench.publisher()
    await adapter.start()
    await adapter.stop()
    await publisher.start()
    bodies = [b"%03d" % number for number in range(200)]
    await asyncio.gather(*(publisher.publish(bench.message(body)) for body in bodies))
    assert bench.received == []
    await adapter.start()
    await until(lambda: len(bench.received) >= len(bodies))
    assert bench.bodies() == bodies


async def test_messages_of_a_key_arrive_in_the_order_of_their_confirmation(bench: Bench) -> None:
    adapter = bench.listener(ordered=True)
    await adapter.start()

    async def publish_in_order(key: str) -> None:
        for number in range(30):
            await adapter.publish(bench.message(b"%d" % number, key=key))

    keys = ("a", "b", "ключ")
    await asyncio.gather(*map(publish_in_order, keys))
    await until(lambda: len(bench.received) == 90)
    for key in keys:
        assert [int(m.body) for m in bench.received if m.key == key] == list(range(30))


async def test_nothing_is_published_before_the_start_or_after_a_stop(bench: Bench) -> None:
    adapter = bench.publisher()
    assert not await adapter.is_connected()
    with pytest.raises(BrokerUnavailableError):
        await adapter.publish(bench.message())
    await adapter.start()
    assert await adapter.is_connected()
    await adapter.stop()
    assert not await adapter.is_connected()
    with pytest.raises(BrokerUnavailableError):
        await adapter.publish(bench.message())
