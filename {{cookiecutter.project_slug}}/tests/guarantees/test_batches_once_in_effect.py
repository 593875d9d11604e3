"""Batches: a message takes effect once, whoever gets it however often, and whatever is cut off."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import registry

from app.building_blocks.brokers.adapter import BrokerMessage
from app.building_blocks.databases.database import Database
from app.building_blocks.inbox.table import HANDLED
from app.building_blocks.mediator import Mediator
from app.building_blocks.metrics import Metrics
from app.building_blocks.outbox.table import outbox
from tests.guarantees.batching import (
    CountedIntegrationEvent,
    Counter,
    consumer_of,
    counted,
    deliver,
    effects,
    inbox_rows,
    leave_effects,
    states,
)
from tests.waiting import eventually

Events = list[CountedIntegrationEvent]


async def test_a_duplicate_within_a_batch_takes_effect_once(database: Database) -> None:
    metrics, counter = Metrics(), Counter()
    consumer = consumer_of(database, counter.handle, metrics=metrics)
    messages = [counted(number) for number in range(10)]
    assert await deliver(consumer, *messages, messages[4]) == [None] * 11
    assert await effects(database) == list(range(10))
    labels = (consumer.topic, consumer.name)
    assert metrics.duplicates.labels(*labels)._value.get() == 1
    assert metrics.handled.labels(*labels)._value.get() == 10


async def test_a_batch_with_known_messages_handles_the_others(database: Database) -> None:
    consumer = consumer_of(database, Counter().handle)
    messages = [counted(number) for number in range(10)]
    await deliver(consumer, *messages[:5])
    assert await deliver(consumer, *messages) == [None] * 10
    assert await effects(database) == list(range(10))


async def test_batches_of_several_replicas_with_the_same_messages_take_effect_once(
    database: Database,
) -> None:
    messages = [counted(number) for number in range(60)]
    replicas = [consumer_of(database, Counter().handle, batch=20) for _ in range(3)]

    async def until_acknowledged(replica: int, message: BrokerMessage) -> None:
        # As the broker does, which brings back what was given back.
        while True:
            [outcome] = await deliver(replicas[replica], message)
            if outcome is None:
                return

    deliveries = [
        until_acknowledged(replica, message)
        for replica in range(3)
        for message in random.sample(messages, len(messages))
    ]
    async with asyncio.timeout(60):
        await asyncio.gather(*deliveries)
    assert await effects(database) == list(range(60))
    assert await states(database) == ["handled"] * 60


async def test_what_is_acknowledged_is_committed(database: Database) -> None:
    consumer = consumer_of(database, Counter().handle, batch=10)
    messages = [counted(number) for number in range(30)]

    async def receive(message: BrokerMessage) -> None:
        await consumer.receive(message)
        committed = {row.message_id for row in await inbox_rows(database)}
        assert message.headers["ce-id"] in committed

    await asyncio.gather(*(receive(message) for message in messages))


async def test_a_stop_in_the_middle_leaves_nothing_and_the_redelivery_has_the_effect(
    database: Database,
) -> None:
    started = asyncio.Event()

    async def hang(events: Events, mediator: Mediator) -> None:
        leave_effects(events, mediator)
        started.set()
        await asyncio.Event().wait()

    messages = [counted(number) for number in range(10)]
    consumer = consumer_of(database, hang, batch=6)
    deliveries = [asyncio.create_task(consumer.receive(message)) for message in messages]
    await started.wait()
    for delivery in deliveries:
        delivery.cancel()
    outcomes = await asyncio.gather(*deliveries, return_exceptions=True)
    assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes)
    assert (await effects(database), await inbox_rows(database)) == ([], [])

    # That no lock of it is left is what this one shows, too.
    assert await deliver(consumer_of(database, Counter().handle), *messages) == [None] * 10
    assert await effects(database) == list(range(10))


async def test_a_delivery_that_is_cut_off_costs_the_others_nothing(database: Database) -> None:
    started, may_end = asyncio.Event(), asyncio.Event()

    async def wait(events: Events, mediator: Mediator) -> None:
        leave_effects(events, mediator)
        started.set()
        await may_end.wait()

    consumer = consumer_of(database, wait)
    messages = [counted(number) for number in range(5)]
    deliveries = [asyncio.create_task(consumer.receive(message)) for message in messages]
    await started.wait()
    deliveries[2].cancel()
    with pytest.raises(asyncio.CancelledError):
        await deliveries[2]
    may_end.set()
    assert await asyncio.gather(*deliveries[:2], *deliveries[3:]) == [None] * 4
    # It comes again, because it was not acknowledged, and is known by then.
    await consumer.receive(messages[2])
    assert await effects(database) == list(range(5))


async def test_a_handler_that_cancels_itself_takes_nobody_along(database: Database) -> None:
    async def cancel_itself(events: Events, mediator: Mediator) -> None:
        leave_effects(events, mediator)
        task = asyncio.current_task()
        assert task is not None
        if len(events) > 1:
            task.cancel()
            await asyncio.Event().wait()

    consumer = consumer_of(database, cancel_itself)
    assert await deliver(consumer, *(counted(number) for number in range(5))) == [None] * 5
    assert await effects(database) == list(range(5))


async def test_what_waits_is_handled_after_a_batch_that_was_stopped(database: Database) -> None:
    started, calls = asyncio.Event(), list[list[int]]()

    async def hang_at_first(events: Events, mediator: Mediator) -> None:
        calls.append([event.number for event in events])
        if len(calls) == 1:
            started.set()
            await asyncio.Event().wait()

    consumer = consumer_of(database, hang_at_first, batch=2)
    stopped = [asyncio.create_task(consumer.receive(counted(number))) for number in range(2)]
    await started.wait()
    later = asyncio.create_task(deliver(consumer, counted(2), counted(3)))
    await asyncio.sleep(0)
    for delivery in stopped:
        delivery.cancel()
    assert await later == [None, None]
    assert calls == [[0, 1], [2, 3]]


async def test_batches_that_wait_for_each_other_lose_a_moment_not_their_work(
    database: Database,
) -> None:
    """One database calls it a deadlock, another gives up after a while: both are survived."""
    replicas = [consumer_of(database, Counter().handle) for _ in range(2)]
    messages = [counted(number) for number in range(30)]

    async def all_there() -> bool:
        await asyncio.gather(
            deliver(replicas[0], *messages), deliver(replicas[1], *reversed(messages))
        )
        return await effects(database) == list(range(30))

    await eventually(all_there, deadline=60, what="all effects")
    assert await states(database) == ["handled"] * 30


class Broken:
    """A row that no database takes."""


registry().map_imperatively(Broken, outbox)


async def statement(mediator: Mediator) -> None:
    assert mediator._open is not None
    await mediator._open.session.execute(text("SELECT 1 FROM nowhere"))


async def flush(mediator: Mediator) -> None:
    assert mediator._open is not None
    mediator._open.session.add(Broken())
    await mediator._open.session.flush()


@pytest.mark.parametrize("fail", [statement, flush])
@pytest.mark.parametrize("many", [1, 5])
async def test_an_error_that_a_handler_swallows_loses_nothing(
    database: Database, fail: Callable[[Mediator], Awaitable[None]], many: int
) -> None:
    async def handle(events: Events, mediator: Mediator) -> None:
        leave_effects(events, mediator)
        if 0 in [event.number for event in events]:
            with suppress(DBAPIError):
                await fail(mediator)

    consumer = consumer_of(database, handle)
    assert await deliver(consumer, *(counted(number) for number in range(many))) == [None] * many
    rows = await inbox_rows(database)
    assert len(rows) == many
    handled = [json.loads(row.payload)["number"] for row in rows if row.state == HANDLED]
    assert await effects(database) == sorted(handled)
    assert set(handled) >= set(range(1, many))
