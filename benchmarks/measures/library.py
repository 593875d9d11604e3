"""The broker's own client library publishes the same bytes, confirmed, 500 at a time.

This is what a drain is compared with: no database, no order per key, no metrics. Messages are
encoded before the clock starts.
"""

import argparse
import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit

from app.broker import open_broker
from app.building_blocks.brokers.adapter import BrokerMessage
from app.settings import load_settings
from child import ready, run, tell
from rows import SERVICE, messages

AT_ONCE = 500
Send = Callable[[Sequence[Any]], Awaitable[object]]


async def rabbitmq(url: str, stack: AsyncExitStack, some: list[BrokerMessage]) -> tuple[Send, Any]:
    import aio_pika
    from app.building_blocks.brokers.rabbitmq.wire import encode

    connection = await stack.enter_async_context(await aio_pika.connect(url))
    channel = await connection.channel(publisher_confirms=True)
    exchange = await channel.get_exchange("integration-events")

    def publish(out: Any) -> Awaitable[object]:
        message = aio_pika.Message(
            out.body,
            headers=out.headers,
            content_type=out.content_type,
            message_id=out.message_id,
            app_id=out.app_id,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        return exchange.publish(message, out.topic, mandatory=False)

    return _gathered(publish), [encode(message, SERVICE) for message in some]


async def kafka(url: str, stack: AsyncExitStack, some: list[BrokerMessage]) -> tuple[Send, Any]:
    from aiokafka import AIOKafkaProducer
    from app.building_blocks.brokers.kafka.wire import encode

    producer = AIOKafkaProducer(
        bootstrap_servers=urlsplit(url).netloc or url, acks="all", enable_idempotence=True
    )
    await stack.enter_async_context(producer)

    async def send(batch: Sequence[Any]) -> None:
        confirmations = [
            await producer.send(each.topic, each.value, each.key, headers=each.headers)
            for each in batch
        ]
        await asyncio.gather(*confirmations)

    return send, [encode(message) for message in some]


async def nats(url: str, stack: AsyncExitStack, some: list[BrokerMessage]) -> tuple[Send, Any]:
    import nats as library
    from app.building_blocks.brokers.nats.wire import encode

    client = await library.connect(url)
    stack.push_async_callback(client.close)
    jetstream = client.jetstream(timeout=30, publish_async_max_pending=AT_ONCE)

    def publish(out: tuple[str, bytes, dict[str, str]]) -> Awaitable[object]:
        topic, body, headers = out
        return jetstream.publish(topic, body, headers=headers)

    most = client.max_payload
    return _gathered(publish), [(each.topic, each.body, encode(each, most)) for each in some]


async def redis(url: str, stack: AsyncExitStack, some: list[BrokerMessage]) -> tuple[Send, Any]:
    from app.building_blocks.brokers.redis.address import read_url
    from app.building_blocks.brokers.redis.wire import encode
    from redis.asyncio import Redis

    address, _, retention = read_url(url, 30.0)
    client = await stack.enter_async_context(Redis.from_url(address))
    seconds, _ = await client.time()
    retention.set_clock(seconds)

    async def send(batch: Sequence[Any]) -> None:
        pipeline = client.pipeline(transaction=False)
        oldest, most = retention.oldest(), retention.entries
        for topic, fields in batch:
            pipeline.xadd(topic, fields, minid=oldest, maxlen=most)
        await pipeline.execute()

    return send, [(each.topic, encode(each)) for each in some]


async def memory(url: str, stack: AsyncExitStack, some: list[BrokerMessage]) -> tuple[Send, Any]:
    """It has no library but the service's own: this is a publish without the outbox."""
    broker = open_broker(url, SERVICE)
    await broker.start()
    stack.push_async_callback(broker.stop)
    return _gathered(broker.publish), some


def _gathered(publish: Callable[[Any], Awaitable[object]]) -> Send:
    async def send(batch: Sequence[Any]) -> None:
        await asyncio.gather(*map(publish, batch))

    return send


def _batches(whole: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (whole[start : start + AT_ONCE] for start in range(0, len(whole), AT_ONCE))


LIBRARIES = {"amqp": rabbitmq, "kafka": kafka, "nats": nats, "redis": redis, "memory": memory}


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, required=True)
    rows: int = parser.parse_args().rows
    logging.getLogger("aiormq").setLevel(logging.CRITICAL)
    url = load_settings().broker_url
    async with AsyncExitStack() as stack:
        send, whole = await LIBRARIES[urlsplit(url).scheme](url, stack, messages(rows))
        await ready()
        begun, cpu = time.monotonic(), time.process_time()
        for batch in _batches(whole):
            await send(batch)
        ended, cpu = time.monotonic(), time.process_time() - cpu
        tell(rows=rows, begun=begun, ended=ended, cpu=cpu)


run(main())
