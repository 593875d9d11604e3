"""How the in-memory broker delivers: one group of one topic, several messages at a time."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

from faststream import AckPolicy, StreamMessage
from faststream._internal.configs import (
    BrokerConfig,
    SubscriberSpecificationConfig,
    SubscriberUsecaseConfig,
)
from faststream._internal.endpoint.publisher import PublisherProto
from faststream._internal.endpoint.subscriber import SubscriberSpecification, SubscriberUsecase
from faststream._internal.endpoint.subscriber.call_item import CallsCollection
from faststream.exceptions import FeatureNotSupportedException
from faststream.specification.asyncapi.utils import resolve_payloads
from faststream.specification.schema import Message, Operation, SubscriberSpec

from app.building_blocks.brokers.memory.message import Envelope, MemoryProducer, decode, parse

CANCELLATION_TIMEOUT = 1.0
"""Seconds that a cancelled delivery has to clean up before `stop` goes on without it."""


@dataclass(kw_only=True)
class MemoryBrokerConfig(BrokerConfig):
    """Of the whole broker. `prefetch` is that of subscribers which say nothing else."""

    producer: MemoryProducer = field(default_factory=MemoryProducer)
    prefetch: int = 16


@dataclass(kw_only=True)
class MemorySubscriberConfig(SubscriberUsecaseConfig):
    """Of one subscriber: what it receives."""

    _outer_config: MemoryBrokerConfig
    topic: str
    group: str
    prefetch: int | None = None

    def __post_init__(self) -> None:
        self.parser, self.decoder = parse, decode

    @property
    def ack_policy(self) -> AckPolicy:
        return self._ack_policy


@dataclass(kw_only=True)
class MemorySpecificationConfig(SubscriberSpecificationConfig):
    """Of one subscriber, for the AsyncAPI page."""

    topic: str


class MemorySpecification(SubscriberSpecification[MemoryBrokerConfig, MemorySpecificationConfig]):
    """What the AsyncAPI page shows of a subscriber."""

    @property
    def channel_labels(self) -> list[str]:
        return [f"{self._outer_config.prefix}{self.config.topic}"]

    def get_schema(self) -> dict[str, SubscriberSpec]:
        payload = resolve_payloads(self.get_payloads())
        message = Message(title=f"{self.name}:Message", payload=payload)
        return {
            self.name: SubscriberSpec(
                address=self.channel_labels[0],
                description=self.description,
                operation=Operation(message=message, bindings=None),
                bindings=None,
            )
        }


class MemorySubscriber(SubscriberUsecase[Envelope]):
    """Starts the messages of its group in arrival order, at most `prefetch` at a time."""

    _outer_config: MemoryBrokerConfig

    def __init__(
        self,
        config: MemorySubscriberConfig,
        specification: SubscriberSpecification[Any, Any],
        calls: CallsCollection[Envelope],
    ) -> None:
        super().__init__(config, specification, calls)
        self._topic = config.topic
        self._group = config.group
        self._prefetch = config.prefetch
        self._feeder: asyncio.Task[None] | None = None
        self._deliveries: dict[asyncio.Task[None], Envelope] = {}

    @property
    def topic(self) -> str:
        return f"{self._outer_config.prefix}{self._topic}"

    async def start(self) -> None:
        """Raises SetupError when another subscriber of the topic has the same group."""
        await super().start()
        queue = self._outer_config.producer.join(self.topic, self._group)
        self._post_start()
        self._feeder = asyncio.create_task(self._feed(queue))

    async def stop(self) -> None:
        """Give back what waits, let what runs finish in `graceful_timeout`, cancel the rest."""
        if self._feeder is None:
            return
        feeder, self._feeder = self._feeder, None
        feeder.cancel()
        self._outer_config.producer.leave(self.topic, self._group)
        try:
            await super().stop()
        finally:
            cancelled = self._cancel_deliveries()
        await asyncio.wait([feeder, *cancelled], timeout=CANCELLATION_TIMEOUT)

    async def _feed(self, queue: asyncio.Queue[Envelope]) -> None:
        free = asyncio.Semaphore(self._prefetch or self._outer_config.prefetch)

        def finish(delivery: asyncio.Task[None]) -> None:
            free.release()
            # Ended without a word, by a cancellation for one: that is no acknowledgement.
            self._deliveries.pop(delivery).settle(acknowledged=False)

        while True:
            await free.acquire()
            envelope = await queue.get()
            # A task for each, so that no context variable leaks into the next message.
            delivery = asyncio.create_task(self.consume(envelope))
            self._deliveries[delivery] = envelope
            delivery.add_done_callback(finish)

    def _cancel_deliveries(self) -> list[asyncio.Task[None]]:
        # A handler that raises StopConsume stops its subscriber from inside its delivery.
        running = [task for task in self._deliveries if task is not asyncio.current_task()]
        for delivery in running:
            # Settled first: a handler that swallows the cancellation has not acknowledged.
            self._deliveries[delivery].settle(acknowledged=False)
            delivery.cancel()
        return running

    def _make_response_publisher(self, message: StreamMessage[Envelope]) -> list[PublisherProto]:
        return []

    async def get_one(self, *, timeout: float = 5) -> NoReturn:  # noqa: ASYNC109 - their name
        raise FeatureNotSupportedException("MemoryBroker cannot be polled: decorate a handler.")

    def __aiter__(self) -> AsyncIterator[StreamMessage[Any]]:
        raise FeatureNotSupportedException("MemoryBroker cannot be polled: decorate a handler.")
