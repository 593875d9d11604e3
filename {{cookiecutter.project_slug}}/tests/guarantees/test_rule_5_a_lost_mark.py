"""Rule 5: a mark that could not be written is made up for; nothing stays in flight for ever."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import select

from app.building_blocks.background import BackgroundTask
from app.building_blocks.brokers.adapter import BrokerMessage
from app.building_blocks.databases.database import Database
from app.building_blocks.feature import Feature
from app.building_blocks.metrics import Metrics
from app.building_blocks.outbox.claimed_row import ClaimedRow
from app.building_blocks.outbox.claims import Claims
from app.building_blocks.outbox.handover import Handover
from app.building_blocks.outbox.publisher import Publisher
from app.building_blocks.outbox.table import published
from app.building_blocks.retry_policy import RetryPolicy
from app.building_blocks.wake_up import WakeUp
from tests.guarantees.conftest import count_published, count_waiting, write_rows
from tests.guarantees.noting import NotedIntegrationEvent, publish
from tests.guarantees.scripted_broker import ScriptedBroker
from tests.mediators import mediator_of
from tests.waiting import eventually


class Away(Claims):
    """Cannot write down what was confirmed, ten times."""

    failures = 0

    async def mark_published(self, rows: Sequence[ClaimedRow]) -> Any:
        if self.failures < 10:
            self.failures += 1
            raise ConnectionError("the database is away")
        return await super().mark_published(rows)


async def test_a_mark_that_could_not_be_written_is_told_at_once(
    database: Database, broker: ScriptedBroker
) -> None:
    publisher = Publisher(
        Away(database), broker, WakeUp(), Metrics(), refusals=RetryPolicy(), poll_interval=3600
    )
    await write_rows(database, ("k", "1"))
    with pytest.raises(ConnectionError):
        async with asyncio.timeout(10):
            await publisher.run()


async def test_the_publisher_goes_on_after_it_could_not_write_down_what_went_out(
    database: Database, broker: ScriptedBroker
) -> None:
    wake_up = WakeUp()
    publisher = Publisher(
        Away(database, lease=0.1), broker, wake_up, Metrics(),
        refusals=RetryPolicy(), poll_interval=0.02, batch_size=4,
    )  # fmt: skip
    await write_rows(database, *((f"k{n}", f"{n}") for n in range(3)))
    task = BackgroundTask("publisher", publisher.run, wake_up, first_pause=0.01, longest_pause=0.05)
    async with task:

        async def drained() -> bool:
            return await count_waiting(database) == 0

        await eventually(drained, what="an empty outbox")


class AwayForOne(Claims):
    """Cannot write down that the event "1" was confirmed, the first time; that takes a while."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, lease=0.5)
        self.is_asked, self.may_fail = asyncio.Event(), asyncio.Event()

    async def mark_published(self, rows: Sequence[ClaimedRow]) -> int:
        if not self.may_fail.is_set() and any('"1"' in row.payload for row in rows):
            self.is_asked.set()
            await self.may_fail.wait()
            raise ConnectionError("the database is away")
        return await super().mark_published(rows)


class HoldsOne(ScriptedBroker):
    """Takes its time with the event "2"."""

    async def publish(self, message: BrokerMessage) -> None:
        if b'"2"' in message.body:
            self.attempts += 1
            await self.may_answer.wait()
        self.sent.append(message)


async def test_an_event_is_not_marked_before_one_of_its_key_whose_mark_was_lost(
    database: Database,
) -> None:
    claims, broker, wake_up = AwayForOne(database), HoldsOne(), WakeUp()
    broker.may_answer.clear()
    handover = Handover(database.dialect, lease=0.5)
    mediator = mediator_of(database, Feature("tests"), handover=handover)
    publisher = Publisher(
        claims, broker, wake_up, Metrics(),
        refusals=RetryPolicy(), handover=handover, poll_interval=0.02,
    )  # fmt: skip
    async with BackgroundTask("publisher", publisher.run, wake_up, first_pause=0.01):

        async def is_open() -> bool:
            return handover.is_open

        async def on_its_way() -> bool:
            return broker.attempts == 1

        async def both() -> bool:
            return await count_published(database) == 2

        await eventually(is_open, what="the handover open")
        await publish(mediator, NotedIntegrationEvent(name="k", text="1"))
        await claims.is_asked.wait()
        await publish(mediator, NotedIntegrationEvent(name="k", text="2"))
        await eventually(on_its_way, what="the second on its way")
        claims.may_fail.set()
        broker.may_answer.set()
        await eventually(both, what="both marked")
    async with database.reader.connect() as connection:
        payloads = await connection.scalars(select(published.c.payload).order_by(published.c.id))
        assert ['"1"' in payload for payload in payloads] == [True, False]
