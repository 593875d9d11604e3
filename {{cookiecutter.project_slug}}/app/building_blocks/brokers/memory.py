"""The broker of `BROKER_URL=memory://`: nothing to install, nothing kept over a restart."""

import asyncio
import logging
import random
from contextlib import suppress
from typing import Any

from faststream import AckPolicy, StreamMessage
from faststream.exceptions import NackMessage

from app.building_blocks.brokers.adapter import BrokerMessage, Receive
from app.building_blocks.brokers.memory_broker import MemoryBroker

_log = logging.getLogger("app.broker")


class MemoryAdapter:
    """The `BrokerAdapter` over a MemoryBroker. The outbox row is the only durable copy.

    `nack_wait` is how long, in seconds and give or take a half, a message that failed is held
    before it is given back: a failing database must not become a hot loop.
    """

    def __init__(
        self, url: str, service: str, *, nack_wait: float = 1.0, graceful_timeout: float = 15.0
    ) -> None:
        self.broker = MemoryBroker(
            url, graceful_timeout=graceful_timeout, description=f"Inside the {service} process"
        )
        self._nack_wait = nack_wait
        self._stopping = asyncio.Event()

    def subscribe(
        self, topic: str, consumer: str, receive: Receive, *, ordered: bool = False
    ) -> None:
        """Raises RuntimeError once the broker runs: it would never hear of the topic."""
        if self.broker.running:
            raise RuntimeError(f"{consumer} subscribes to {topic} too late: do it before start().")

        async def deliver(body: bytes) -> None:
            # A Context("message") parameter would be resolved in a thread, which costs time
            # and mixes up the order in which deliveries start.
            message: StreamMessage[Any] = self.broker.context.get_local("message")
            headers = {name: str(value) for name, value in message.headers.items()}
            try:
                await receive(BrokerMessage(topic, body, headers, headers.get("ce-subject")))
            except Exception as error:
                _log.exception("%s failed on a message of %s: it is given back", consumer, topic)
                await self._wait_before_nack()
                # FastStream's own word for it: anything else would be logged a second time.
                raise NackMessage from error

        self.broker.subscriber(
            topic,
            group=consumer,
            # A cancelled delivery is neither acknowledged nor rejected under this policy.
            ack_policy=AckPolicy.NACK_ON_ERROR,
            decoder=_body_as_it_is,
            title=f"{topic}:{consumer}",
        )(deliver)

    async def start(self) -> None:
        """Nothing to connect to; may be called again, also after `stop`."""
        if not self.broker.running:
            self._stopping = asyncio.Event()
        await self.broker.start()

    async def stop(self) -> None:
        """Let running deliveries finish in the graceful time, then cancel them."""
        self._stopping.set()
        await self.broker.stop()

    async def publish(self, message: BrokerMessage) -> None:
        """Return once every consumer has acknowledged; at once when nobody listens.

        Raises BrokerUnavailableError when one did not, or when the broker is not running.
        """
        await self.broker.publish(message.body, message.topic, headers=message.headers)

    async def is_connected(self) -> bool:
        return await self.broker.ping()

    async def _wait_before_nack(self) -> None:
        jittered = self._nack_wait * random.uniform(0.5, 1.5)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), jittered)


async def _body_as_it_is(message: StreamMessage[Any]) -> bytes:
    body: bytes = message.body
    return body
