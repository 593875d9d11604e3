"""An event with a delay goes out when it is due, and not before."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select, update

from app.building_blocks.databases.database import Database
from app.building_blocks.errors import EventRefusedError
from app.building_blocks.mediator import Mediator
from app.building_blocks.operations.times import in_utc
from app.building_blocks.outbox.claims import Claims
from app.building_blocks.outbox.table import outbox
from tests.guarantees.conftest import StartPublisher, count_published, count_waiting, write_rows
from tests.guarantees.noting import NotedIntegrationEvent, publish
from tests.guarantees.scripted_broker import ScriptedBroker
from tests.waiting import eventually


async def test_a_delayed_event_goes_out_when_it_is_due_and_not_before(
    database: Database,
    mediator: Mediator,
    broker: ScriptedBroker,
    start_publisher: StartPublisher,
) -> None:
    now = datetime.now(UTC)
    await publish(mediator, NotedIntegrationEvent(name="later"), delay=timedelta(hours=1))
    await publish(mediator, NotedIntegrationEvent(name="at"), deliver_at=now + timedelta(hours=1))
    await publish(mediator, NotedIntegrationEvent(name="past"), deliver_at=now - timedelta(hours=1))
    await publish(mediator, NotedIntegrationEvent(name="soon"), delay=timedelta(seconds=0.2))
    await start_publisher()

    async def two_out() -> bool:
        return await count_published(database) == 2

    await eventually(two_out, what="what is due")
    assert [message.key for message in broker.sent] == ["past", "soon"]
    assert await count_waiting(database) == 2


@pytest.mark.parametrize("hours", [-9, 5])
async def test_a_time_of_another_zone_is_the_same_moment(
    database: Database, mediator: Mediator, hours: int
) -> None:
    moment = datetime(2030, 1, 1, 12, tzinfo=timezone(timedelta(hours=hours)))
    await publish(mediator, NotedIntegrationEvent(name="at"), deliver_at=moment)
    async with database.reader.connect() as connection:
        due = await connection.scalar(select(outbox.c.available_at))
    assert in_utc(due) == moment


async def test_a_delayed_event_is_not_early_after_a_crash(database: Database) -> None:
    await write_rows(database, ("k", "later"), available_at=database.dialect.later(3600))
    async with database.begin() as connection:
        await connection.execute(
            update(outbox).values(claim_token="gone", claimed_until=database.dialect.later(-1))
        )
    assert await Claims(database).claim(10) == []


async def test_a_naive_deliver_at_is_refused(mediator: Mediator) -> None:
    with pytest.raises(EventRefusedError, match="time zone"):
        await publish(
            mediator,
            NotedIntegrationEvent(name="n"),
            deliver_at=datetime(2030, 1, 1),  # noqa: DTZ001
        )
