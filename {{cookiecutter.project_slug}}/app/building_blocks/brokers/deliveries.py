"""What becomes of a delivery: acknowledged, or given back to the broker after a pause."""

import asyncio
import logging
import random
from contextlib import suppress

from app.building_blocks.brokers.adapter import BrokerMessage, Receive

log = logging.getLogger("app.broker")


class Deliveries:
    """Runs deliveries for an adapter until it stops.

    A failed one is held for `pause` seconds, give or take a half, before it is given back: a
    failing database must not become a hot loop between the service and its broker.
    """

    def __init__(self, pause: float) -> None:
        self._pause = pause
        self._stopping = asyncio.Event()

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def open(self) -> None:
        """The adapter starts, perhaps once more after a stop."""
        self._stopping.clear()

    def close(self) -> None:
        """The adapter stops: end the pauses."""
        self._stopping.set()

    async def run(self, consumer: str, receive: Receive, message: BrokerMessage) -> bool:
        """True when the message may be acknowledged, False when it has to come again."""
        try:
            await receive(message)
        except Exception:
            log.exception("%s failed on a message of %s, it comes again", consumer, message.topic)
            await self.rest()
            return False
        return True

    async def rest(self) -> None:
        """Wait for the length of a pause, or until the adapter stops."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._pause * random.uniform(0.5, 1.5)):
                await self._stopping.wait()
