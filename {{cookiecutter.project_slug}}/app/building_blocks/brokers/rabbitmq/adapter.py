"""RabbitMQ: one durable topic exchange, a quorum queue per consumer, confirmed publishing."""

import asyncio
import logging
from contextlib import suppress
from urllib.parse import urlsplit

import aio_pika
from aio_pika import exceptions
from faststream.rabbit.prometheus import RabbitPrometheusMiddleware
from prometheus_client import CollectorRegistry

from app.building_blocks.brokers.adapter import (
    Binding,
    BrokerMessage,
    BrokerUnavailableError,
    MessageRefusedError,
    Receive,
    Subscription,
)
from app.building_blocks.brokers.deliveries import Deliveries
from app.building_blocks.brokers.rabbitmq.connection import Connection
from app.building_blocks.brokers.rabbitmq.errors import REFUSALS, reaching_rabbitmq
from app.building_blocks.brokers.rabbitmq.queue import EXCHANGE, consume
from app.building_blocks.brokers.rabbitmq.wire import encode

# The server refuses by closing the channel under all that is in flight there. What size alone
# could get refused therefore travels on a channel of its own.
MAX_SHARED_BODY_BYTES = 1024 * 1024
START_TIMEOUT = 30.0


class RabbitAdapter:
    """Publishes over one connection and consumes over another; both recover by themselves.

    Two, because a server short of memory stops reading from a connection that publishes, and the
    acknowledgements that would free its memory must still get through. `timeout` bounds a
    connect and a send, `retry_pause` is how long a failed delivery is kept; both in seconds.
    """

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
        self._exchange: aio_pika.abc.AbstractExchange | None = None
        self._alone = asyncio.Lock()

    def declare(self, topic: str) -> None:
        """The exchange takes every topic."""

    def subscribe(
        self, topic: str, consumer: str, receive: Receive, *, ordered: bool = False
    ) -> None:
        self._subscriptions.append(Subscription(topic, consumer, receive, ordered))

    async def start(self) -> None:
        if self._exchange:
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
        self._exchange = exchange

    async def stop(self) -> None:
        self._deliveries.close()
        connections, self._connections, self._exchange = self._connections, [], None
        await asyncio.gather(*(each.close() for each in connections))

    async def publish(self, message: BrokerMessage) -> None:
        outgoing = encode(message, self._service)
        async with reaching_rabbitmq(self._timeout):
            connection, exchange = self._connected()
            if outgoing.body_size <= MAX_SHARED_BODY_BYTES:
                with suppress(*REFUSALS, exceptions.ChannelInvalidStateError):
                    await exchange.publish(outgoing, message.topic, mandatory=False)
                    return
            async with self._alone, connection.channel() as channel:
                own = await channel.get_exchange(EXCHANGE.name, ensure=False)
                try:
                    await own.publish(outgoing, message.topic, mandatory=False)
                except REFUSALS as error:
                    raise MessageRefusedError(f"RabbitMQ refuses this message: {error}") from error

    async def is_connected(self) -> bool:
        """Ask the server: a connection can look open long after its other end has gone."""
        if not all(each.is_open for each in self._connections):
            return False
        with suppress(BrokerUnavailableError):
            connection, _ = self._connected()
            async with reaching_rabbitmq(self._timeout), connection.channel():
                return True
        return False

    def _connected(self) -> tuple[Connection, aio_pika.abc.AbstractExchange]:
        if self._exchange is None or not self._connections[0].is_open:
            raise BrokerUnavailableError("RabbitMQ is not connected: try again later")
        return self._connections[0], self._exchange

    async def _connect(self, purpose: str) -> Connection:
        connection = Connection(
            self._url, f"{self._service} {purpose}", self._timeout, self._middlewares
        )
        self._connections.append(connection)
        await connection.open()
        return connection
