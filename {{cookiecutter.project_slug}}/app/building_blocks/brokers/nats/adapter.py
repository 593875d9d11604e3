"""NATS JetStream: one stream per service, a durable pull consumer per handler, acknowledged."""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from faststream.nats import NatsBroker
from faststream.nats.prometheus import NatsPrometheusMiddleware
from prometheus_client import CollectorRegistry

from app.building_blocks.brokers.adapter import (
    Binding,
    BrokerMessage,
    BrokerUnavailableError,
    Receive,
)
from app.building_blocks.brokers.deliveries import Deliveries
from app.building_blocks.brokers.nats.connection import Server, reaching_nats
from app.building_blocks.brokers.nats.consumer import SIDE_BY_SIDE, NatsConsumer
from app.building_blocks.brokers.nats.link import Link
from app.building_blocks.brokers.nats.publishing import publish, publish_together
from app.building_blocks.brokers.nats.wire import require_subject
from app.building_blocks.brokers.together import Outcomes, publish_each


class NatsAdapter:
    """Publishes and consumes over one connection, and makes another when it is lost.

    `timeout` bounds a connect and a send; a delivery without a sign of life for twice as long
    goes to another replica. `retry_pause` is how long a failed one is kept. Both in seconds.
    """

    binding = Binding("nats", "ce-", "nats")
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
        self._timeout = timeout
        self._deliveries = Deliveries(retry_pause)
        metrics = NatsPrometheusMiddleware
        self._broker = NatsBroker(
            middlewares=[metrics(registry=registry, app_name=service)] if registry else [],
            logger=None,
            apply_types=False,
        )
        self._topics = set[str]()
        self._consumers: dict[str, NatsConsumer] = {}
        self._link = Link(
            Server(url), service, self._topics, self._consumers, self._deliveries, timeout
        )

    def declare(self, topic: str) -> None:
        """Raises ValueError when `topic` is no subject of NATS."""
        self._topics.add(require_subject(topic))

    def subscribe(
        self,
        topic: str,
        consumer: str,
        receive: Receive,
        *,
        ordered: bool = False,
        at_once: int | None = None,
    ) -> None:
        """Raises ValueError when NATS has no such name, or it would stand for two consumers."""
        new = NatsConsumer(
            self._broker,
            topic,
            consumer,
            receive,
            self._deliveries,
            ordered=ordered,
            at_once=at_once or SIDE_BY_SIDE,
            ack_wait=2 * self._timeout,
        )
        if self._consumers.setdefault(new.durable, new) is not new:
            raise ValueError(f"{consumer} and another consumer would both be {new.durable} on NATS")

    async def start(self) -> None:
        if not self._link.is_kept:
            self._deliveries.open()
            # What `connect` of the broker would do; but the connection is made here.
            self._broker._setup_logger()
            await self._link.open()

    async def stop(self) -> None:
        await self._link.close()

    async def publish(self, message: BrokerMessage) -> None:
        await self._publish(message, self._timeout)

    async def publish_all(self, messages: Sequence[BrokerMessage]) -> Outcomes:
        if len(messages) == 1:
            return await publish_each(self.publish, messages)
        # Two halves of the timeout; what bounds them both must not take away what they found.
        half = self._timeout / 2
        async with reaching_nats(2 * self._timeout):
            alone = partial(self._publish, seconds=half)
            return await publish_together(messages, self._link.jetstream, alone, half)

    async def _publish(self, message: BrokerMessage, seconds: float) -> None:
        async with reaching_nats(seconds):
            await publish(message, self._link.jetstream)

    async def is_connected(self) -> bool:
        """Ask JetStream: a connection can look open long after its other end has gone."""
        with suppress(BrokerUnavailableError):
            async with reaching_nats(self._timeout):
                await self._link.jetstream.ask("INFO")
            return not self._link.is_broken and not any(
                consumer.problem for consumer in self._consumers.values()
            )
        return False
