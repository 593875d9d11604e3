"""The broker of `BROKER_URL=memory://`: nothing to install, nothing kept over a restart."""

from collections.abc import Sequence
from typing import Any

from faststream import AckPolicy, StreamMessage
from faststream.exceptions import NackMessage
from prometheus_client import CollectorRegistry

from app.building_blocks.brokers.adapter import Binding, BrokerMessage, Receive
from app.building_blocks.brokers.deliveries import Deliveries
from app.building_blocks.brokers.memory.broker import MemoryBroker
from app.building_blocks.brokers.memory.prometheus import MemoryPrometheusMiddleware
from app.building_blocks.brokers.together import Outcomes, publish_each


class MemoryAdapter:
    """The `BrokerAdapter` over a MemoryBroker. The outbox row is the only durable copy.

    `retry_pause` is how long a failed delivery is kept, in seconds.
    """

    binding = Binding("memory", "ce-", "memory")
    # A message is confirmed when it was handled, which may take long: no other waits for that.
    publish_at_once = 1

    def __init__(
        self,
        url: str,
        service: str,
        *,
        registry: CollectorRegistry | None = None,
        retry_pause: float = 1.0,
        graceful_timeout: float = 15.0,
    ) -> None:
        metrics = MemoryPrometheusMiddleware
        self.broker = MemoryBroker(
            url,
            graceful_timeout=graceful_timeout,
            middlewares=[metrics(registry=registry, app_name=service)] if registry else [],
            description=f"Inside the {service} process",
        )
        self._deliveries = Deliveries(retry_pause)

    def declare(self, topic: str) -> None:
        """Any topic can be published on."""

    def subscribe(
        self,
        topic: str,
        consumer: str,
        receive: Receive,
        *,
        ordered: bool = False,
        at_once: int | None = None,
    ) -> None:
        """Raises RuntimeError once the broker runs: it would never hear of the topic."""
        if self.broker.running:
            raise RuntimeError(f"{consumer} subscribes to {topic} too late: do it before start().")

        async def deliver(body: bytes) -> None:
            # A Context("message") parameter would be resolved in a thread, which costs time
            # and mixes up the order in which deliveries start.
            message: StreamMessage[Any] = self.broker.context.get_local("message")
            headers = {name: str(value) for name, value in message.headers.items()}
            received = BrokerMessage(topic, body, headers, headers.get("ce-subject"))
            if not await self._deliveries.run(consumer, receive, received):
                # FastStream's own word for it: anything else would be logged a second time.
                raise NackMessage

        self.broker.subscriber(
            topic,
            group=consumer,
            # A cancelled delivery is neither acknowledged nor rejected under this policy.
            ack_policy=AckPolicy.NACK_ON_ERROR,
            decoder=_body_as_it_is,
            title=f"{topic}:{consumer}",
            prefetch=at_once,
        )(deliver)

    async def start(self) -> None:
        """Nothing to connect to; may be called again, also after `stop`."""
        if not self.broker.running:
            self._deliveries.open()
        await self.broker.start()

    async def stop(self) -> None:
        """Let running deliveries finish in the graceful time, then cancel them."""
        self._deliveries.close()
        await self.broker.stop()

    async def publish(self, message: BrokerMessage) -> None:
        """Return once every consumer has acknowledged; at once when nobody listens.

        Raises BrokerUnavailableError when one did not, or when the broker is not running.
        """
        await self.broker.publish(message.body, message.topic, headers=message.headers)

    async def publish_all(self, messages: Sequence[BrokerMessage]) -> Outcomes:
        return await publish_each(self.publish, messages)

    async def is_connected(self) -> bool:
        return await self.broker.ping()


async def _body_as_it_is(message: StreamMessage[Any]) -> bytes:
    body: bytes = message.body
    return body
