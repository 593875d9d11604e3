"""RabbitMQ: one durable topic exchange, a quorum queue per consumer, confirmed publishing."""

import asyncio
import logging
from contextlib import suppress

import aio_pika
from aio_pika import exceptions
from faststream import AckPolicy, rabbit
from faststream.rabbit.schemas.queue import QuorumQueueArgs
from yarl import URL

from app.building_blocks.brokers.adapter import (
    BrokerMessage,
    BrokerUnavailableError,
    MessageRefusedError,
    Receive,
)
from app.building_blocks.brokers.deliveries import Deliveries
from app.building_blocks.brokers.rabbitmq.errors import REFUSALS, reaching_rabbitmq
from app.building_blocks.brokers.rabbitmq.wire import decode, encode

EXCHANGE = rabbit.RabbitExchange("integration-events", type=rabbit.ExchangeType.TOPIC, durable=True)
# RabbitMQ 4 deletes a message after 20 deliveries unless told otherwise; 3.x knows no -1.
UNLIMITED_DELIVERIES = 1_000_000_000
# The server refuses by closing the channel under all that is in flight there. What size alone
# could get refused therefore travels on a channel of its own.
MAX_SHARED_BODY_BYTES = 1024 * 1024
PREFETCH = 20
START_TIMEOUT, GRACEFUL_TIMEOUT, GOODBYE_TIMEOUT = 30.0, 15.0, 5.0

Side = tuple[rabbit.RabbitBroker, aio_pika.RobustConnection]
Link = tuple[aio_pika.RobustConnection, aio_pika.abc.AbstractExchange]


class RabbitAdapter:
    """Publishes over one connection and consumes over another; both recover by themselves.

    Two, because a server short of memory stops reading from a connection that publishes, and the
    acknowledgements that would free its memory must still get through. `timeout` bounds a
    connect and a send, `retry_pause` is how long a failed delivery is kept; both in seconds.
    """

    attribute_prefix = "cloudEvents:"

    def __init__(
        self, url: str, service: str, *, timeout: float = 5.0, retry_pause: float = 1.0
    ) -> None:
        self._url, self._service = URL(url), service
        self._timeout, self._deliveries = timeout, Deliveries(retry_pause)
        self._subscriptions: list[tuple[str, str, Receive, bool]] = []
        self._brokers: list[Side] = []
        self._link: Link | None = None
        self._alone = asyncio.Lock()

    def declare(self, topic: str) -> None:
        """The exchange takes every topic."""

    def subscribe(
        self, topic: str, consumer: str, receive: Receive, *, ordered: bool = False
    ) -> None:
        self._subscriptions.append((topic, consumer, receive, ordered))

    async def start(self) -> None:
        if self._link:
            return
        self._deliveries.open()
        # It logs a stack trace for each connection that ends; the machinery tells of it in a line.
        logging.getLogger("aiormq").setLevel(logging.CRITICAL)
        try:
            async with reaching_rabbitmq(START_TIMEOUT):
                publishing, connection = await self._connect("publishing")
                exchange = await publishing.declare_exchange(EXCHANGE)
                if self._subscriptions:
                    consuming, _ = await self._connect("consuming")
                    for subscription in self._subscriptions:
                        self._consume(consuming, *subscription)
                    await consuming.start()
        except BaseException:
            await self.stop()
            raise
        self._link = connection, exchange

    async def stop(self) -> None:
        self._deliveries.close()
        brokers, self._brokers, self._link = self._brokers, [], None
        await asyncio.gather(*(_disconnect(*each) for each in brokers))

    async def publish(self, message: BrokerMessage) -> None:
        outgoing = encode(message, self._service)
        async with reaching_rabbitmq(self._timeout):
            connection, exchange = self._connected()
            if outgoing.body_size <= MAX_SHARED_BODY_BYTES:
                with suppress(*REFUSALS, exceptions.ChannelInvalidStateError):
                    await exchange.publish(outgoing, message.topic, mandatory=False)
                    return
            async with self._alone, aio_pika.Channel(connection) as channel:
                own = await channel.get_exchange(EXCHANGE.name, ensure=False)
                try:
                    await own.publish(outgoing, message.topic, mandatory=False)
                except REFUSALS as error:
                    raise MessageRefusedError(f"RabbitMQ refuses this message: {error}") from error

    async def is_connected(self) -> bool:
        """Ask the server: a connection can look open long after its other end has gone."""
        if not all(connection.connected.is_set() for _, connection in self._brokers):
            return False
        with suppress(BrokerUnavailableError):
            async with reaching_rabbitmq(self._timeout), aio_pika.Channel(self._connected()[0]):
                return True
        return False

    def _connected(self) -> Link:
        if self._link is None or not self._link[0].connected.is_set():
            raise BrokerUnavailableError("RabbitMQ is not connected: try again later")
        return self._link

    async def _connect(self, purpose: str) -> Side:
        # A silent connection is given up after three heartbeats; the default is a minute each.
        heartbeat = str(max(1, round(2 * self._timeout)))
        query = {"heartbeat": heartbeat, "name": f"{self._service} {purpose}", **self._url.query}
        broker = rabbit.RabbitBroker(
            self._url.with_query(query),
            timeout=self._timeout,
            reconnect_interval=1.0,
            graceful_timeout=GRACEFUL_TIMEOUT,
            apply_types=False,
            logger=None,
        )
        self._brokers.append((broker, await broker.connect()))
        return self._brokers[-1]

    def _consume(
        self,
        broker: rabbit.RabbitBroker,
        topic: str,
        consumer: str,
        receive: Receive,
        ordered: bool,
    ) -> None:
        arguments: QuorumQueueArgs = {"x-delivery-limit": UNLIMITED_DELIVERIES}
        if ordered:
            arguments["x-single-active-consumer"] = True
        # MANUAL, because every other policy settles each delivery: one that a stop or a lost
        # connection interrupts must stay unsettled, so that the server delivers it again.
        subscriber = broker.subscriber(
            rabbit.RabbitQueue(
                consumer,
                queue_type=rabbit.QueueType.QUORUM,
                arguments=arguments,
                routing_key=topic,
            ),
            EXCHANGE,
            channel=rabbit.Channel(prefetch_count=PREFETCH),
            ack_policy=AckPolicy.MANUAL,
            decoder=_undecoded,
            no_reply=True,
        )
        # Otherwise a delivery that overtakes the end of FastStream's start is dropped, unsettled.
        subscriber.running = True

        @subscriber
        async def deliver(message: rabbit.RabbitMessage) -> None:
            if await self._deliveries.run(consumer, receive, decode(topic, message)):
                await message.ack()
            elif not self._deliveries.stopping:
                await message.nack(requeue=True)


async def _disconnect(broker: rabbit.RabbitBroker, connection: aio_pika.RobustConnection) -> None:
    """Let running deliveries finish, then close, whether or not the server still answers."""
    for goodbye in (broker.stop, connection.close):
        with suppress(Exception):
            async with reaching_rabbitmq(GRACEFUL_TIMEOUT + GOODBYE_TIMEOUT):
                await goodbye()


async def _undecoded(message: rabbit.RabbitMessage) -> rabbit.RabbitMessage:
    return message
