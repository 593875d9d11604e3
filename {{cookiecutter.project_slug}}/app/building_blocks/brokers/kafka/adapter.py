"""Kafka: a topic for each event type, a group for each consumer, idempotent publishing."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress

from faststream.kafka.prometheus import KafkaPrometheusMiddleware
from prometheus_client import CollectorRegistry

from app.building_blocks.brokers.adapter import (
    Binding,
    BrokerMessage,
    BrokerUnavailableError,
    Receive,
    Subscription,
)
from app.building_blocks.brokers.deliveries import Deliveries
from app.building_blocks.brokers.kafka.connection import (
    consuming_broker,
    outcome_of,
    reaching_kafka,
    read_address,
)
from app.building_blocks.brokers.kafka.producer import KafkaProducer
from app.building_blocks.brokers.kafka.reader import KafkaReader
from app.building_blocks.brokers.kafka.topics import create_topics
from app.building_blocks.brokers.kafka.wire import encode
from app.building_blocks.brokers.together import Outcomes, cancel, publish_one

START_TIMEOUT = 30.0


class KafkaAdapter:
    """Publishes with one idempotent producer and reads with one group member for each consumer.

    `timeout` bounds a send, `retry_pause` is how long a failed delivery is kept; both in seconds.
    """

    publish_at_once = 100

    def __init__(
        self,
        url: str,
        service: str,
        *,
        registry: CollectorRegistry | None = None,
        timeout: float = 5.0,
        retry_pause: float = 1.0,
    ) -> None:
        self._address, self._timeout = read_address(url, service), timeout
        is_secure = url.startswith("kafka+ssl:")
        self.binding = Binding("kafka-secure" if is_secure else "kafka", "ce_", "kafka")
        self._deliveries = Deliveries(retry_pause)
        metrics = KafkaPrometheusMiddleware
        self._middlewares = [metrics(registry=registry, app_name=service)] if registry else []
        # aiokafka is to give up before this adapter does, and to say why.
        self._producer = KafkaProducer(self._address, 0.8 * timeout)
        self._topics: set[str] = set()
        self._subscriptions: list[Subscription] = []
        self._readers: list[KafkaReader] = []
        self._started = False

    def declare(self, topic: str) -> None:
        self._topics.add(topic)

    def subscribe(
        self,
        topic: str,
        consumer: str,
        receive: Receive,
        *,
        ordered: bool = False,
        at_once: int | None = None,
    ) -> None:
        """Kafka orders all: a key has its partition, and a partition one reader at a time."""
        self._topics.add(topic)
        self._subscriptions.append(Subscription(topic, consumer, receive, ordered, at_once))

    async def start(self) -> None:
        if self._started:
            return
        self._started = True
        self._deliveries.open()
        self._producer.open()
        library = logging.getLogger("aiokafka")
        library.setLevel(logging.WARNING)
        try:
            async with reaching_kafka(START_TIMEOUT):
                await self._producer.ask()
                await create_topics(self._topics, self._address, self._timeout)
                await self._start_readers()
        except BaseException:
            await self.stop()
            raise
        # It has said why it cannot connect; of later outages the machinery tells in one line.
        library.setLevel(logging.CRITICAL)

    async def stop(self) -> None:
        self._started = False
        self._deliveries.close()
        readers, self._readers = self._readers, []
        await asyncio.gather(self._producer.close(), *(reader.stop() for reader in readers))

    async def publish(self, message: BrokerMessage) -> None:
        await publish_one(self.publish_all, message)

    async def publish_all(self, messages: Sequence[BrokerMessage]) -> Outcomes:
        # aiokafka gathers what is sent at the same time by itself. They share one timeout: one
        # for each takes as long as the sends themselves.
        sends = [asyncio.create_task(self._send(message)) for message in messages]
        try:
            if sends:
                await asyncio.wait(sends, timeout=self._timeout)
        finally:
            await cancel(*sends)
        return [outcome_of(send) for send in sends]

    async def is_connected(self) -> bool:
        """Ask the servers, each by the connection that the work itself goes over."""
        if len(self._readers) < len(self._subscriptions):
            return False
        with suppress(BrokerUnavailableError):
            async with reaching_kafka(self._timeout):
                await self._producer.ask()
                return all(await asyncio.gather(*(each.is_reading() for each in self._readers)))
        return False

    async def _send(self, message: BrokerMessage) -> None:
        await self._producer.send(encode(message))

    async def _start_readers(self) -> None:
        broker = consuming_broker(self._address, KafkaReader.session_timeout, self._middlewares)
        self._readers = [
            KafkaReader(broker, subscription, self._deliveries, self._timeout)
            for subscription in self._subscriptions
        ]
        await broker.connect()
        starts = (reader.start() for reader in self._readers)
        for outcome in await asyncio.gather(*starts, return_exceptions=True):
            if outcome is not None:
                raise outcome
