"""Leads an entry through a subscriber of FastStream, so that its middlewares see it."""

from typing import Any

from faststream import AckPolicy
from faststream.redis import RedisBroker, RedisStreamMessage, StreamSub
from faststream.redis.message import FAKE_CONSUMER
from faststream.redis.prometheus import RedisPrometheusMiddleware
from prometheus_client import CollectorRegistry

from app.building_blocks.brokers.adapter import BrokerMessage, Subscription
from app.building_blocks.brokers.deliveries import Deliveries
from app.building_blocks.brokers.redis.reader import Handle
from app.building_blocks.brokers.redis.wire import Fields, decode

_SILENT: Any = None  # FastStream's word for no logger, which its types do not know


def consuming_broker(url: str, service: str, registry: CollectorRegistry | None) -> RedisBroker:
    """What subscribers belong to, not connected yet; its metrics go into `registry`."""
    metrics = RedisPrometheusMiddleware
    measured = [metrics(registry=registry, app_name=service)] if registry else []
    return RedisBroker(url, middlewares=measured, logger=_SILENT, apply_types=False)


def handling(broker: RedisBroker, subscription: Subscription, deliveries: Deliveries) -> Handle:
    """What a reader is to call for each entry.

    FastStream's own loop is not started: it ends for good when the group is gone, and claims
    what a dead reader held one entry at a time, or never.
    """

    topic, consumer = subscription.topic, subscription.consumer

    async def deliver(message: BrokerMessage) -> bool:
        return await deliveries.run(consumer, subscription.receive, message)

    subscriber = broker.subscriber(
        stream=StreamSub(topic, group=consumer, consumer="reader"),
        ack_policy=AckPolicy.MANUAL,
        parser=_parse,
        decoder=_decode,
        no_reply=True,
    )
    subscriber(deliver)
    # Both are what its start would do.
    subscriber._build_fastdepends_model()
    subscriber.running = True

    async def handle(entry_id: bytes, fields: Fields) -> bool:
        raw: Any = {"type": "stream", "channel": topic, "message_ids": [entry_id], "data": fields}
        response = await subscriber.consume(raw)
        if response is None:
            # A middleware has failed.
            await deliveries.rest()
            return False
        return bool(response.body)

    return handle


async def _parse(raw: Any) -> RedisStreamMessage:
    sent = decode(raw["channel"], raw["data"])
    return RedisStreamMessage(
        raw,
        sent.body,
        headers=sent.headers,
        content_type=sent.headers.get("content-type"),
        message_id=sent.headers.get("ce-id"),
        consumer=FAKE_CONSUMER,
        group=None,
    )


async def _decode(message: RedisStreamMessage) -> BrokerMessage:
    topic, headers = message.raw_message["channel"], message.headers
    return BrokerMessage(topic, message.body, headers, headers.get("ce-subject"))
