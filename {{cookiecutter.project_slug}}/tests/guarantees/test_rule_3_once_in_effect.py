"""Rule 3: a message takes effect once for each consumer, however often it is delivered."""

import asyncio
from contextlib import suppress
from uuid import UUID

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import DBAPIError

from app.building_blocks.databases.database import Database
from app.building_blocks.feature import Feature
from app.building_blocks.mediator import Mediator
from app.building_blocks.messages import Command
from app.building_blocks.outbox.table import outbox
from app.building_blocks.unit_of_work import UnitOfWork
from app.features import FEATURES
from app.features.orders.integration_events import OrderCreatedIntegrationEvent
from tests.guarantees.consuming import (
    consumer_of,
    count_effects,
    inbox_row,
    order_created,
    take_payment,
)
from tests.mediators import outbox_rows

COLLIDING = {"message_id": "one", "topic": "t", "payload": "{}"}


class Collide(Command[None]):
    """Inserts the same row twice, and swallows what comes of it."""


async def test_a_duplicate_has_no_second_effect(database: Database) -> None:
    consumer, message = consumer_of(database, take_payment), order_created()
    for _ in range(3):
        await consumer.receive(message)
    assert await count_effects(database) == (1, 1)


async def test_concurrent_duplicates_have_one_effect(database: Database) -> None:
    replicas = [consumer_of(database, take_payment) for _ in range(4)]
    message = order_created()
    await asyncio.gather(*(replica.receive(message) for replica in replicas for _ in range(3)))
    assert await count_effects(database) == (1, 1)


async def test_two_consumers_of_one_event_each_take_effect_once(database: Database) -> None:
    one = consumer_of(database, take_payment, name="one")
    other = consumer_of(database, take_payment, name="other")
    message = order_created()
    for consumer in (one, other, one, other):
        await consumer.receive(message)
    assert await count_effects(database) == (2, 2)


async def test_a_crash_before_the_commit_leaves_nothing_and_the_redelivery_has_the_effect(
    database: Database,
) -> None:
    async def crash(event: OrderCreatedIntegrationEvent, mediator: Mediator) -> None:
        await take_payment(event, mediator)
        raise SystemExit

    message = order_created()
    with pytest.raises(SystemExit):
        await consumer_of(database, crash).receive(message)
    assert await count_effects(database) == (0, 0)

    consumer = consumer_of(database, take_payment)
    await consumer.receive(message)
    assert await count_effects(database) == (1, 1)


async def test_a_shutdown_in_the_middle_costs_no_attempt(database: Database) -> None:
    started = asyncio.Event()

    async def hang(event: OrderCreatedIntegrationEvent, mediator: Mediator) -> None:
        await take_payment(event, mediator)
        started.set()
        await asyncio.Event().wait()

    consumer, message = consumer_of(database, hang), order_created()
    delivery = asyncio.create_task(consumer.receive(message))
    await started.wait()
    delivery.cancel()
    with pytest.raises(asyncio.CancelledError):
        await delivery
    assert await inbox_row(database, message, consumer) is None
    assert await count_effects(database) == (0, 0)


async def test_the_loser_of_two_deliveries_never_turns_a_finished_row_into_a_retry(
    database: Database,
) -> None:
    runs = 0

    async def fail_first(event: OrderCreatedIntegrationEvent, mediator: Mediator) -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            await asyncio.sleep(0.05)
            raise ValueError("first")
        await take_payment(event, mediator)

    consumer, message = consumer_of(database, fail_first), order_created()
    await asyncio.gather(consumer.receive(message), consumer.receive(message))
    row = await inbox_row(database, message, consumer)
    # Whoever came first failed, and the other handled it before that was written down.
    assert (row.state, row.attempts, runs) == ("handled", 1, 2)
    assert await count_effects(database) == (1, 1)


async def test_an_id_with_a_space_is_not_taken_for_another_with_its_source(
    database: Database,
) -> None:
    consumer = consumer_of(database, take_payment)
    for attributes in ({"ce-id": "a b"}, {"ce-id": "a", "ce-source": "b"}):
        for _ in range(2):
            await consumer.receive(order_created(UUID(int=len(attributes)), **attributes))
    assert await count_effects(database) == (2, 2)


async def test_what_a_failed_run_changed_is_rolled_back(database: Database) -> None:
    async def change_and_fail(event: OrderCreatedIntegrationEvent, mediator: Mediator) -> None:
        await take_payment(event, mediator)
        raise ValueError("after the effect")

    consumer, message = consumer_of(database, change_and_fail), order_created()
    await consumer.receive(message)
    assert await count_effects(database) == (0, 0)
    assert (await inbox_row(database, message, consumer)).state == "retrying"


async def test_a_handler_that_swallows_an_error_of_its_database_does_not_lose_its_message(
    database: Database,
) -> None:
    async def swallow(event: OrderCreatedIntegrationEvent, mediator: Mediator) -> None:
        await mediator.send(Collide())

    async def collide(command: Collide, uow: UnitOfWork) -> None:
        for _ in range(2):
            with suppress(DBAPIError):
                await (await uow.connection()).execute(insert(outbox), COLLIDING)

    collisions = Feature("collisions")
    collisions.handle(Collide, collide)
    consumer = consumer_of(database, swallow, features=(*FEATURES, collisions))
    message = order_created()
    await consumer.receive(message)
    row = await inbox_row(database, message, consumer)
    # Some databases keep what came before the statement that failed; no other takes it for done.
    stored = len(await outbox_rows(database))
    assert (row.state, stored) in (("handled", 1), ("retrying", 0))


@pytest.mark.parametrize("at_once", [3, 6])
async def test_deliveries_at_the_same_time_of_what_fails_end_well(
    database: Database, at_once: int
) -> None:
    async def fail(event: OrderCreatedIntegrationEvent, mediator: Mediator) -> None:
        # Long enough for the others to wait for its row.
        await asyncio.sleep(0.05)
        raise ValueError("no")

    consumer, message = consumer_of(database, fail), order_created()
    await asyncio.gather(*(consumer.receive(message) for _ in range(at_once)))
    assert (await inbox_row(database, message, consumer)).state == "retrying"
