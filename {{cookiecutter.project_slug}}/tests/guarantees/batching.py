"""A consumer of batches with a handler of the test's choice, and what became of its messages."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from app.building_blocks.brokers.adapter import BrokerMessage
from app.building_blocks.databases.database import Database
from app.building_blocks.feature import Subscription
from app.building_blocks.inbox.consumer import Consumer
from app.building_blocks.inbox.dead_letters import Announcer
from app.building_blocks.inbox.inbox import Inbox
from app.building_blocks.inbox.table import inbox
from app.building_blocks.integration_event import IntegrationEvent
from app.building_blocks.mediator import Mediator
from app.building_blocks.metrics import Metrics
from app.building_blocks.outbox.outbox import Outbox
from app.building_blocks.outbox.table import outbox
from app.building_blocks.retry_policy import RetryPolicy
from app.building_blocks.routes import Routes
from app.building_blocks.wake_up import WakeUp

QUICK = RetryPolicy(max_retries=10, base_delay=0.01, max_delay=0.02)


class CountedIntegrationEvent(IntegrationEvent):
    topic = "tests.counted.v1"
    number: int


class EffectIntegrationEvent(IntegrationEvent):
    """What a handler leaves behind for each event: a row of the outbox."""

    topic = "tests.effect.v1"
    number: int


Handler = Callable[[list[CountedIntegrationEvent], Mediator], Awaitable[None]]


def leave_effects(events: Sequence[CountedIntegrationEvent], mediator: Mediator) -> None:
    uow = mediator._open
    assert uow is not None
    for event in events:
        uow.publish(EffectIntegrationEvent(number=event.number))


class Counter:
    """A handler that leaves an effect for each event, and raises for those in `fails`."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.fails: set[int] = set()

    async def handle(self, events: list[CountedIntegrationEvent], mediator: Mediator) -> None:
        numbers = [event.number for event in events]
        self.calls.append(numbers)
        leave_effects(events, mediator)
        if self.fails & set(numbers):
            raise ValueError("one of them cannot be counted")


def consumer_of(
    database: Database,
    handler: Handler,
    *,
    batch: int = 100,
    retry: RetryPolicy = QUICK,
    metrics: Metrics | None = None,
    **options: Any,
) -> Consumer:
    """As one replica of the service would build it."""
    subscription = Subscription("tests", CountedIntegrationEvent, handler, retry, batch=batch)
    routes = Routes(commands={}, queries={}, domain_event_handlers={}, converters={})
    mediator = Mediator(routes, database, Outbox(database.dialect, "svc", WakeUp()))
    box, announcer = Inbox(database.dialect), Announcer()
    return Consumer(
        "svc",
        subscription,
        box,
        mediator,
        metrics or Metrics(),
        announcer,
        retry,
        WakeUp(),
        **options,
    )


def counted(number: int, **headers: str) -> BrokerMessage:
    """A message as the broker delivers it."""
    event = CountedIntegrationEvent(number=number)
    attributes = {"ce-id": str(uuid4()), "ce-type": event.topic, **headers}
    return BrokerMessage(event.topic, event.model_dump_json().encode(), attributes)


async def deliver(consumer: Consumer, *messages: BrokerMessage) -> list[BaseException | None]:
    """All at the same time; what each delivery raised, None for one that is acknowledged."""
    return await asyncio.gather(
        *(consumer.receive(message) for message in messages), return_exceptions=True
    )


async def effects(database: Database) -> list[int]:
    """The numbers whose effect is committed, in order."""
    async with database.reader.connect() as connection:
        payloads = await connection.scalars(select(outbox.c.payload))
    return sorted(EffectIntegrationEvent.model_validate_json(each).number for each in payloads)


async def inbox_rows(database: Database) -> list[Any]:
    async with database.reader.connect() as connection:
        return list(await connection.execute(select(inbox)))


async def states(database: Database) -> list[str]:
    return sorted(row.state for row in await inbox_rows(database))
