"""One consumer on Kafka: its place in its group, and its deliveries."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

from aiokafka import (  # type: ignore[import-untyped]
    AIOKafkaConsumer,
    ConsumerRebalanceListener,
    TopicPartition,
)
from faststream import AckPolicy, kafka
from faststream.kafka.message import FAKE_CONSUMER

from app.building_blocks.brokers.adapter import Subscription
from app.building_blocks.brokers.deliveries import Deliveries
from app.building_blocks.brokers.kafka.connection import milliseconds
from app.building_blocks.brokers.kafka.flight import IN_FLIGHT, Flight
from app.building_blocks.brokers.kafka.offsets import Offsets
from app.building_blocks.brokers.kafka.wire import decode
from app.building_blocks.brokers.together import cancel

log = logging.getLogger("app.broker")

GOODBYE_TIMEOUT = 5.0


class KafkaReader(ConsumerRebalanceListener):  # type: ignore[misc]
    """Delivers the records of a topic to one consumer, the members of whose group share them.

    `timeout` is what the last commit may take, in seconds.
    """

    # The least that a server accepts by default, in seconds. Others take over from a replica that
    # is gone after this time, and what they get a second time does no harm: the inbox knows it.
    session_timeout = 6.0

    def __init__(
        self,
        broker: kafka.KafkaBroker,
        subscription: Subscription,
        deliveries: Deliveries,
        timeout: float,
    ) -> None:
        self._topic, self._name = subscription.topic, subscription.consumer
        self._receive = subscription.receive
        self._deliveries, self._offsets = deliveries, Offsets(self._commit, timeout)
        self._joined = False
        self._reading: list[asyncio.Task[None]] = []
        self._committing: list[asyncio.Task[None]] = []
        self._subscriber = broker.subscriber(
            self._topic,
            group_id=self._name,
            auto_offset_reset="earliest",
            # What a transaction took back was never sent.
            isolation_level="read_committed",
            ack_policy=AckPolicy.MANUAL,
            session_timeout_ms=milliseconds(self.session_timeout),
            heartbeat_interval_ms=milliseconds(self.session_timeout / 6),
            listener=self,
            parser=_parsed,
            decoder=_undecoded,
            no_reply=True,
        )
        self._subscriber(self._deliver)
        self._flight = Flight(
            self._subscriber, deliveries, self._offsets, subscription.at_once or IN_FLIGHT
        )

    async def start(self) -> None:
        """Join the group. Raises KafkaError."""
        await self._join()
        self._reading = [asyncio.create_task(self._read())]

    async def stop(self) -> None:
        """Let running deliveries finish, commit how far they have come, leave the group."""
        await cancel(*self._reading)
        await self._flight.land()
        await self._offsets.settle()
        await self._leave()

    async def is_reading(self) -> bool:
        """Whether it is a member of its group, whose server answers. Raises KafkaError."""
        if not self._joined:
            return False
        await self._client.committed(TopicPartition(self._topic, 0))
        return True

    async def on_partitions_revoked(self, _: Iterable[TopicPartition]) -> None:
        """Any of them may become another's."""
        self._joined = False
        await self._offsets.settle()
        self._offsets.assign(())

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self._offsets.assign(assigned)
        self._joined = True

    @property
    def _client(self) -> AIOKafkaConsumer:
        return self._subscriber.consumer

    async def _join(self) -> None:
        await self._subscriber.start()
        # FastStream's own loop would deliver one record after the other.
        await cancel(*self._subscriber.tasks)
        self._subscriber.tasks.clear()
        self._committing = [asyncio.create_task(self._offsets.keep_committing())]

    async def _leave(self) -> None:
        self._joined = False
        self._offsets.assign(())
        consumer, leaving = self._client, asyncio.create_task(self._subscriber.stop())
        for _ in range(3):
            await asyncio.wait({leaving}, timeout=GOODBYE_TIMEOUT)
            if consumer is not None:
                # What waits for a silent server ends with the connection; and aiokafka can end
                # itself by a cancellation before it has disconnected.
                await consumer._client.close()
            if leaving.done():
                break
        await cancel(leaving, *self._committing)

    async def _read(self) -> None:
        while True:
            try:
                while True:
                    await self._flight.board(self._client)
            except Exception as error:
                # aiokafka reconnects by itself; what it raises is beyond it.
                log.warning("%s joins its group again: %r", self._name, error)
            await self._rejoin()

    async def _rejoin(self) -> None:
        await self._leave()
        while not self._joined:
            await self._deliveries.rest()
            try:
                await self._join()
            except Exception as error:
                log.debug("%s cannot join its group: %r", self._name, error)
                await self._leave()

    async def _commit(self, offsets: dict[TopicPartition, int]) -> None:
        await self._client.commit(offsets)

    async def _deliver(self, message: kafka.KafkaMessage) -> bool:
        return await self._deliveries.run(self._name, self._receive, decode(message.raw_message))


async def _parsed(record: Any) -> kafka.KafkaMessage:
    # FastStream's own parser fails on headers that are not text, and the record is gone.
    message = decode(record)
    return kafka.KafkaMessage(
        raw_message=record, body=message.body, headers=message.headers, consumer=FAKE_CONSUMER
    )


async def _undecoded(message: kafka.KafkaMessage) -> kafka.KafkaMessage:
    return message
