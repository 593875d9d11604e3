"""RabbitMQ: one durable topic exchange, a quorum queue per consumer, confirmed publishing."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import cast
from urllib.parse import urlsplit

import aio_pika
from faststream.rabbit.prometheus import RabbitPrometheusMiddleware
from prometheus_client import CollectorRegistry

from app.building_blocks.brokers.adapter import (
    Binding,
    BrokerMessage,
    BrokerUnavailableError,
    Receive,
    Subscription,
)
from app.building_blocks.brokers.deliveries import Deliveries
from app.building_blocks.brokers.rabbitmq.connection import Connection
from app.building_blocks.brokers.rabbitmq.errors import reaching_rabbitmq
from app.building_blocks.brokers.rabbitmq.publishing import Publishing
from app.building_blocks.brokers.rabbitmq.queue import EXCHANGE, consume
from app.building_blocks.brokers.rabbitmq.wire import encode
from app.building_blocks.brokers.together import Outcomes, publish_one

START_TIMEOUT = 30.0


class RabbitAdapter:
    """Publishes over one connection and consumes over another; both recover by themselves.

    Two, because a server short of memory stops reading from a connection that publishes, and the
    acknowledgements that would free its memory must still get through. `timeout` bounds a
    connect and a send, `retry_pause` is how long a failed delivery is kept; both in seconds.
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
        self.binding = Binding(urlsplit(url).scheme, "cloudEvents:", "rabbitmq")
        self._url, self._service = url, service
        metrics = RabbitPrometheusMiddleware
        self._middlewares = [metrics(registry=registry, app_name=service)] if registry else []
        self._timeout, self._deliveries = timeout, Deliveries(retry_pause)
        self._subscriptions: list[Subscription] = []
        self._connections: list[Connection] = []
        self._publishing: Publishing | None = None

    def declare(self, topic: str) -> None:
        """The exchange takes every topic."""

    def subscribe(
        self,
        topic: str,
        consumer: str,
        receive: Receive,
        *,
        ordered: bool = False,
        at_once: int | None = None,
    ) -> None:
        self._subscriptions.append(Subscription(topic, consumer, receive, ordered, at_once))

    async def start(self) -> None:
        if self._publishing:
            return
        self._deliveries.open()
        # It logs a stack trace for each connection that ends; the machinery tells of it in a line.
        logging.getLogger("aiormq").setLevel(logging.CRITICAL)
        try:
            async with reaching_rabbitmq(START_TIMEOUT):
                publishing = await self._connect("publishing")
                exchange = await publishing.broker.declare_exchange(EXCHANGE)
                if self._subscriptions:
                    consuming = await self._connect("consuming")
                    for subscription in self._subscriptions:
                        consume(consuming.broker, subscription, self._deliveries)
                    await consuming.broker.start()
        except BaseException:
            await self.stop()
            raise
        shared = cast("aio_pika.Exchange", exchange).channel
        self._publishing = Publishing(publishing, shared, self._timeout)

    async def stop(self) -> None:
        self._deliveries.close()
        connections, self._connections, self._publishing = self._connections, [], None
        await asyncio.gather(*(each.close() for each in connections))

    async def publish(self, message: BrokerMessage) -> None:
        await publish_one(self.publish_all, message)

    async def publish_all(self, messages: Sequence[BrokerMessage]) -> Outcomes:
        outgoing = [encode(message, self._service) for message in messages]
        return await self._connected().send_all(outgoing)

    async def is_connected(self) -> bool:
        """Ask the server: a connection can look open long after its other end has gone."""
        if not all(each.is_open for each in self._connections):
            return False
        with suppress(BrokerUnavailableError):
            async with reaching_rabbitmq(self._timeout), self._connected().connection.channel():
                return True
        return False

    def _connected(self) -> Publishing:
        if self._publishing is None:
            raise BrokerUnavailableError("RabbitMQ is not connected: try again later")
        return self._publishing

    async def _connect(self, purpose: str) -> Connection:
        connection = Connection(
            self._url, f"{self._service} {purpose}", self._timeout, self._middlewares
        )
        self._connections.append(connection)
        await connection.open()
        return connection
