"""Three ways of an event to whoever receives it, each on a topic of its own.

`direct` publishes through the adapter, without an outbox; `outbox` commits a command that
publishes, and both end where the adapter hands the message over. `inbox` is `outbox` on to the
start of an integration event handler, behind its inbox row.
"""

import asyncio
import json
import time
from typing import Any

from app.building_blocks.brokers.adapter import BrokerMessage
from app.building_blocks.feature import Feature
from app.building_blocks.integration_event import IntegrationEvent
from app.building_blocks.mediator import Mediator
from app.building_blocks.messages import Command
from app.building_blocks.outbox.envelope import Envelope
from app.building_blocks.unit_of_work import UnitOfWork
from app.main import create_app
from app.settings import Settings
from rows import MAX_PAYLOAD_BYTES, SERVICE


class DirectIntegrationEvent(IntegrationEvent):
    topic = "bench.direct.v1"
    number: int


class OutboxIntegrationEvent(IntegrationEvent):
    topic = "bench.outbox.v1"
    number: int


class InboxIntegrationEvent(IntegrationEvent):
    topic = "bench.inbox.v1"
    number: int


class Tell(Command[None]):
    number: int
    through_inbox: bool


async def tell_it(command: Tell, uow: UnitOfWork) -> None:
    kind = InboxIntegrationEvent if command.through_inbox else OutboxIntegrationEvent
    uow.publish(kind(number=command.number))


class Paths:
    """The service with these three, and the seconds from sending each number to receiving it."""

    def __init__(self, settings: Settings) -> None:
        self.feature = Feature("bench")
        self.feature.handle(Tell, tell_it)
        self.feature.subscribe(InboxIntegrationEvent, self._handle)
        self.app = create_app(settings, [self.feature])
        self._broker = self.app.state.broker
        for event in (DirectIntegrationEvent, OutboxIntegrationEvent):
            self._broker.subscribe(event.topic, f"{SERVICE}.{event.__name__}", self._receive)
        self._next = 0
        self._sent: dict[int, float] = {}
        self._received: dict[int, asyncio.Future[float]] = {}
        self.send = {"direct": self._direct, "outbox": self._outbox, "inbox": self._inbox}

    async def is_connected(self) -> bool:
        connected: bool = await self._broker.is_connected()
        return connected

    async def _direct(self) -> float:
        number = self._expect()
        row = Envelope(DirectIntegrationEvent(number=number)).row(SERVICE, MAX_PAYLOAD_BYTES)
        message = BrokerMessage(row["topic"], row["payload"].encode(), row["headers"])
        self._sent[number] = time.perf_counter()
        await self._broker.publish(message)
        return await self._seconds(number)

    async def _outbox(self) -> float:
        return await self._commit(through_inbox=False)

    async def _inbox(self) -> float:
        return await self._commit(through_inbox=True)

    async def _commit(self, *, through_inbox: bool) -> float:
        number = self._expect()
        await self.app.state.mediator.send(Tell(number=number, through_inbox=through_inbox))
        self._sent[number] = time.perf_counter()
        return await self._seconds(number)

    def _expect(self) -> int:
        self._next += 1
        self._received[self._next] = asyncio.get_running_loop().create_future()
        return self._next

    async def _seconds(self, number: int) -> float:
        """It may be there before the caller hears of its own commit."""
        try:
            received = await self._received[number]
            return max(0.0, received - self._sent[number])
        finally:
            del self._received[number], self._sent[number]

    async def _receive(self, message: BrokerMessage) -> None:
        self._arrived(json.loads(message.body)["number"])

    async def _handle(self, event: InboxIntegrationEvent, _mediator: Mediator) -> None:
        self._arrived(event.number)

    def _arrived(self, number: int) -> None:
        waiting: Any = self._received.get(number)
        if waiting is not None and not waiting.done():
            waiting.set_result(time.perf_counter())
