"""A broker that does what a test tells it to."""

import asyncio
from collections.abc import Callable, Sequence

from app.building_blocks.brokers.adapter import (
    Binding,
    BrokerMessage,
    BrokerUnavailableError,
    MessageRefusedError,
    Receive,
)
from app.building_blocks.brokers.together import Outcomes, publish_each


class ScriptedBroker:
    """Keeps what it confirmed, in order. Refuses topics, loses its connection, or stalls."""

    binding = Binding("scripted", "ce-", "scripted")
    publish_at_once = 1

    def __init__(self) -> None:
        self.sent: list[BrokerMessage] = []
        self.is_away = False
        self.refuses: Callable[[BrokerMessage], bool] = lambda message: False
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.attempts = 0
        self.looks = 0

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
        """Nothing is delivered: these tests look at what goes out."""

    async def start(self) -> None:
        """Always there, unless a test says otherwise."""

    async def stop(self) -> None:
        """Nothing to stop."""

    async def publish(self, message: BrokerMessage) -> None:
        self.attempts += 1
        await self.may_answer.wait()
        if self.is_away:
            raise BrokerUnavailableError("the cable is cut")
        if self.refuses(message):
            raise MessageRefusedError("too large")
        self.sent.append(message)

    async def publish_all(self, messages: Sequence[BrokerMessage]) -> Outcomes:
        return await publish_each(self.publish, messages)

    async def is_connected(self) -> bool:
        self.looks += 1
        return not self.is_away

    @property
    def bodies(self) -> list[str]:
        return [message.body.decode() for message in self.sent]
