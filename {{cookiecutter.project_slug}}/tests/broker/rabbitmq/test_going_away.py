"""What becomes of channels and connections that break, fall silent or begin badly."""

import asyncio
from uuid import uuid4

import aio_pika
import pytest

from app.building_blocks.brokers.adapter import BrokerUnavailableError
from app.building_blocks.brokers.rabbitmq.adapter import RabbitAdapter
from app.building_blocks.brokers.rabbitmq.publishing import MAX_SHARED_BODY_BYTES
from tests.broker.bench import DEADLINE, Bench, until
from tests.broker.proxy import Proxy
from tests.broker.rabbitmq.outsider import Server


async def test_publishing_goes_on_over_a_channel_that_the_server_closed(bench: Bench) -> None:
    adapter = bench.listener()
    await adapter.start()
    assert isinstance(adapter, RabbitAdapter)
    assert adapter._publishing is not None
    shared = adapter._publishing.shared
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


async def test_what_goes_alone_is_given_up_together_when_the_server_is_silent(
    bench: Bench, proxy: Proxy
) -> None:
    adapter = bench.publisher(proxy.url, timeout=1.0)
    await adapter.start()
    proxy.silence()
    large = [bench.message(bytes(MAX_SHARED_BODY_BYTES + 1)) for _ in range(8)]
    # One timeout for each would take twice as long.
    async with asyncio.timeout(4):
        outcomes = await adapter.publish_all(large)
    assert [type(outcome) for outcome in outcomes] == [BrokerUnavailableError] * 8
