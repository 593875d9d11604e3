"""What is written to the outbox: limits, headers, odd data, delays; and how long it stays."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import func, select, update

from app.building_blocks.databases.database import Database
from app.building_blocks.errors import EventRefusedError
from app.building_blocks.feature import Feature
from app.building_blocks.inbox.table import inbox
from app.building_blocks.integration_event import IntegrationEvent
from app.building_blocks.mediator import Mediator
from app.building_blocks.operations.times import in_utc
from app.building_blocks.outbox.claims import Claims
from app.building_blocks.outbox.table import outbox, published
from app.building_blocks.retention import Retention
from app.building_blocks.wake_up import WakeUp
from tests.guarantees.conftest import (
    StartPublisher,
    count_published,
    count_waiting,
    outbox_row,
    write_rows,
)
from tests.guarantees.consuming import consumer_of, order_created, take_payment
from tests.guarantees.scripted_broker import ScriptedBroker
from tests.mediators import mediator_of
from tests.waiting import eventually


class NotedIntegrationEvent(IntegrationEvent):
    topic = "tests.noted.v1"
    key = "name"

    name: str
    text: str = ""


@pytest.fixture
def mediator(database: Database) -> Mediator:
    return mediator_of(database, Feature("tests"))


async def publish(mediator: Mediator, event: IntegrationEvent, **options: Any) -> None:
    async with mediator.unit_of_work() as uow:
        uow.publish(event, **options)


async def test_a_payload_above_the_limit_is_refused_with_both_sizes(
    database: Database, mediator: Mediator
) -> None:
    with pytest.raises(EventRefusedError, match=r"NotedIntegrationEvent has \d{7} bytes.*1048576"):
        await publish(mediator, NotedIntegrationEvent(name="n", text="x" * (1 << 20)))
    await publish(mediator, NotedIntegrationEvent(name="n", text="x" * (1 << 19)))
    assert await count_waiting(database) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"ce-id": "mine"},
        {"content-type": "text/plain"},
        {"correlation-id": "mine"},
        {"Upper": "case"},
        {"": "empty"},
        {"x-note": "two\r\nlines"},
        {"x-note": "\x00"},
    ],
)
async def test_a_header_that_is_reserved_or_unprintable_is_refused(
    database: Database, mediator: Mediator, headers: dict[str, str]
) -> None:
    with pytest.raises(EventRefusedError):
        await publish(mediator, NotedIntegrationEvent(name="n"), headers=headers)
    assert await count_waiting(database) == 0


async def test_a_header_of_ones_own_travels_along(
    database: Database,
    mediator: Mediator,
    broker: ScriptedBroker,
    start_publisher: StartPublisher,
) -> None:
    await publish(mediator, NotedIntegrationEvent(name="n"), headers={"x-colour": "blå"})
    await start_publisher()

    async def out() -> bool:
        return len(broker.sent) == 1

    await eventually(out, what="the event")
    assert broker.sent[0].headers["x-colour"] == "blå"


@pytest.mark.parametrize(
    "text", ["🎉👩‍👩‍👧", "שלום עולם", "a\x00b", '"\\\n\t', "\u2028\ufeff", "é" * 1000]
)
async def test_text_of_every_kind_comes_out_as_it_went_in(
    database: Database,
    mediator: Mediator,
    broker: ScriptedBroker,
    start_publisher: StartPublisher,
    text: str,
) -> None:
    event = NotedIntegrationEvent(name="n", text=text)
    await publish(mediator, event)
    await start_publisher()

    async def out() -> bool:
        return len(broker.sent) == 1

    await eventually(out, what="the event")
    assert NotedIntegrationEvent.model_validate_json(broker.sent[0].body) == event


async def test_a_lone_surrogate_is_refused_when_it_is_written(
    database: Database, mediator: Mediator
) -> None:
    unsafe = NotedIntegrationEvent.model_construct(name="n", text="\ud800")
    with pytest.raises(EventRefusedError, match="cannot be written as JSON"):
        await publish(mediator, unsafe)
    assert await count_waiting(database) == 0


@pytest.mark.parametrize("key", ["", "x" * 256, "a\x00b", "a\nb"])
async def test_a_key_that_not_every_database_keeps_is_refused(
    database: Database, mediator: Mediator, key: str
) -> None:
    with pytest.raises(EventRefusedError, match="key"):
        await publish(mediator, NotedIntegrationEvent(name=key))
    assert await count_waiting(database) == 0


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


async def test_published_rows_are_deleted_after_their_hours_and_dead_ones_stay(
    database: Database, broker: ScriptedBroker, start_publisher: StartPublisher
) -> None:
    broker.refuses = lambda message: message.body == b"poison"
    await write_rows(database, *((None, f"{n}") for n in range(30)), (None, "poison"))
    await start_publisher()

    async def settled() -> bool:
        row = await outbox_row(database, "poison")
        return row.state == "dead" and await count_published(database) == 30

    await eventually(settled, what="all published or dead")
    retention = Retention(database, WakeUp(), outbox_hours=1, batch_size=7)
    assert await retention.delete_once() == 0
    async with database.begin() as connection:
        await connection.execute(
            update(published).values(published_at=database.dialect.later(-3601))
        )
    assert await retention.delete_once() == 30
    assert (await outbox_row(database, "poison")).state == "dead"


async def test_with_no_retention_a_published_row_is_gone_at_once(
    database: Database, broker: ScriptedBroker, start_publisher: StartPublisher
) -> None:
    await write_rows(database, ("k", "1"))
    await start_publisher(keep_published=False)

    async def gone() -> bool:
        return bool(broker.sent) and await count_waiting(database) == 0

    await eventually(gone, what="the row gone")
    assert await count_published(database) == 0


async def test_handled_inbox_rows_are_deleted_after_their_hours_and_dead_ones_stay(
    database: Database,
) -> None:
    consumer = consumer_of(database, take_payment)
    dead = order_created(None, **{"ce-type": "unknown.v1"})
    for message in [*(order_created() for _ in range(10)), dead]:
        await consumer.receive(message)
    retention = Retention(database, WakeUp(), outbox_hours=1, inbox_hours=1, batch_size=3)
    assert await retention.delete_once() == 0
    async with database.begin() as connection:
        await connection.execute(
            update(inbox)
            .where(inbox.c.state == "handled")
            .values(handled_at=database.dialect.later(-3601))
        )
    assert await retention.delete_once() == 10
    async with database.reader.connect() as connection:
        left = await connection.scalar(select(func.count()).select_from(inbox))
    assert left == 1


async def test_replicas_that_clean_up_at_once_do_not_deadlock(database: Database) -> None:
    consumer = consumer_of(database, take_payment)
    for _ in range(40):
        await consumer.receive(order_created())
    async with database.begin() as connection:
        await connection.execute(update(inbox).values(handled_at=database.dialect.later(-3601)))
    replicas = [
        Retention(database, WakeUp(), outbox_hours=1, inbox_hours=1, batch_size=5) for _ in range(4)
    ]
    async with asyncio.timeout(20):
        deleted = await asyncio.gather(*(replica.delete_once() for replica in replicas))
    # A batch that all of its rows were taken from ends one replica's round; the next finds them.
    assert sum(deleted) + await replicas[0].delete_once() == 40
