"""The records of one consumer that are being delivered."""

import asyncio
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition  # type: ignore[import-untyped]
from faststream.kafka.subscriber.usecase import DefaultSubscriber

from app.building_blocks.brokers.deliveries import Deliveries
from app.building_blocks.brokers.kafka.offsets import Offsets, Progress
from app.building_blocks.brokers.together import cancel

IN_FLIGHT = 20
GRACEFUL_TIMEOUT = 15.0


class Flight:
    """Delivers records side by side, at most `at_once`, each until it is handled.

    One that fails is delivered again from here, while those after it go on. Kafka hears of it
    only that the offsets to commit wait for it.
    """

    def __init__(
        self,
        subscriber: DefaultSubscriber,
        deliveries: Deliveries,
        offsets: Offsets,
        at_once: int = IN_FLIGHT,
    ) -> None:
        self._subscriber, self._deliveries, self._offsets = subscriber, deliveries, offsets
        self._room = asyncio.Semaphore(at_once)
        self._running: set[asyncio.Task[None]] = set()

    async def board(self, consumer: AIOKafkaConsumer) -> None:
        """Wait for room and for the next record, and start its delivery."""
        await self._room.acquire()
        try:
            record = await consumer.getone()
            progress = self._offsets.of(TopicPartition(record.topic, record.partition))
        except BaseException:
            self._room.release()
            raise
        progress.begin(record.offset)
        delivery = asyncio.create_task(self._deliver_until_handled(record, progress))
        self._running.add(delivery)
        delivery.add_done_callback(self._running.discard)
        delivery.add_done_callback(lambda _: self._room.release())

    async def land(self) -> None:
        """Let running deliveries finish; those that take too long are cancelled."""
        if self._running:
            await asyncio.wait(self._running, timeout=GRACEFUL_TIMEOUT)
        await cancel(*self._running)

    async def _deliver_until_handled(self, record: Any, progress: Progress) -> None:
        while not await self._attempt(record):
            if self._deliveries.stopping:
                return
        progress.finish(record.offset)
        self._offsets.changed()

    async def _attempt(self, record: Any) -> bool:
        try:
            answer = await self._subscriber.consume(record)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            answer = None
        if answer is None:
            # The handler has cancelled itself, or something in FastStream failed.
            await self._deliveries.rest()
            return False
        return bool(answer.body)
