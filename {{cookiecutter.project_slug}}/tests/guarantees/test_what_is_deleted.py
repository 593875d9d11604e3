"""What is done stays for its hours, and what is dead stays until somebody acts."""

import asyncio

from sqlalchemy import func, select, update

from app.building_blocks.databases.database import Database
from app.building_blocks.inbox.table import inbox
from app.building_blocks.outbox.table import published
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
from tests.waiting import eventually


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
