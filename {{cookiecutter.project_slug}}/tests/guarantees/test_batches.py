"""Batches: many messages in one transaction, and every promise of one message kept."""

import asyncio
from uuid import uuid4

import pytest
from sqlalchemy.exc import DBAPIError

from app.building_blocks.brokers.adapter import BrokerMessage
from app.building_blocks.databases.database import Database
from app.building_blocks.errors import ConflictError
from app.building_blocks.inbox.gathering import LARGEST_BATCH_BYTES
from app.building_blocks.mediator import Mediator
from app.building_blocks.retry_policy import RetryPolicy
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
from tests.guarantees.statements import statements_of
from tests.waiting import eventually

Events = list[CountedIntegrationEvent]


async def test_many_messages_take_one_transaction_and_one_insert(database: Database) -> None:
    counter = Counter()
    consumer = consumer_of(database, counter.handle)
    with statements_of(database) as sent:
        assert await deliver(consumer, *(counted(number) for number in range(100))) == [None] * 100
    assert counter.calls == [list(range(100))]
    assert len([one for one in sent if one.startswith("INSERT INTO inbox")]) == 1
    # Besides it the effects, and the question for the time where that is one.
    assert len([one for one in sent if "SAVEPOINT" not in one]) <= 3, sent
    assert await effects(database) == list(range(100))
    assert {(row.state, row.attempts) for row in await inbox_rows(database)} == {("handled", 1)}


async def test_what_comes_while_a_batch_runs_is_the_next_one(database: Database) -> None:
    may_end, calls = asyncio.Event(), list[list[int]]()

    async def handle(events: Events, mediator: Mediator) -> None:
        calls.append([event.number for event in events])
        await may_end.wait()

    consumer = consumer_of(database, handle, batch=3)
    first = asyncio.create_task(consumer.receive(counted(0)))

    async def runs() -> bool:
        return bool(calls)

    await eventually(runs, what="the first batch")
    others = asyncio.create_task(deliver(consumer, *(counted(number) for number in range(1, 8))))
    await asyncio.sleep(0)
    may_end.set()
    await first
    assert await others == [None] * 7
    assert calls == [[0], [1, 2, 3], [4, 5, 6], [7]]


async def test_a_poison_message_harms_only_itself(database: Database) -> None:
    counter = Counter()
    counter.fails = {7}
    consumer = consumer_of(database, counter.handle)
    assert await deliver(consumer, *(counted(number) for number in range(20))) == [None] * 20
    assert await effects(database) == [number for number in range(20) if number != 7]
    [failed] = [row for row in await inbox_rows(database) if row.state != "handled"]
    assert (failed.state, failed.attempts) == ("retrying", 1)
    assert failed.last_error == "ValueError: one of them cannot be counted"

    counter.fails = set()

    async def handled() -> bool:
        return await consumer.retry(failed.message_id)

    await eventually(handled, what="the retry")
    assert counter.calls[-1] == [7]
    assert await effects(database) == list(range(20))


async def test_an_unreadable_message_is_a_dead_letter_and_harms_no_other(
    database: Database,
) -> None:
    counter = Counter()
    consumer = consumer_of(database, counter.handle)
    headers = {"ce-id": str(uuid4()), "ce-type": CountedIntegrationEvent.topic}
    unreadable = BrokerMessage(CountedIntegrationEvent.topic, b"{", headers)
    assert await deliver(consumer, counted(1), unreadable, counted(2)) == [None] * 3
    assert await effects(database) == [1, 2]
    assert await states(database) == ["dead", "handled", "handled"]


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError("the mail server"),
        ConflictError("somebody else changed it"),
        asyncio.CancelledError("by somebody else"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_whatever_a_batch_meets_each_message_is_handled_alone(
    database: Database, error: BaseException
) -> None:
    async def handle(events: Events, mediator: Mediator) -> None:
        leave_effects(events, mediator)
        if len(events) > 1:
            raise error

    consumer = consumer_of(database, handle)
    assert await deliver(consumer, *(counted(number) for number in range(10))) == [None] * 10
    assert await effects(database) == list(range(10))
    assert {(row.state, row.attempts) for row in await inbox_rows(database)} == {("handled", 1)}


async def test_a_batch_that_takes_too_long_is_handled_one_by_one(database: Database) -> None:
    async def hang_on_three(events: Events, mediator: Mediator) -> None:
        leave_effects(events, mediator)
        if any(event.number == 3 for event in events):
            await asyncio.Event().wait()

    patient = RetryPolicy(max_retries=1, base_delay=3600, max_delay=3600, timeout=0.2)
    consumer = consumer_of(database, hang_on_three, retry=patient)
    assert await deliver(consumer, *(counted(number) for number in range(6))) == [None] * 6
    assert await effects(database) == [0, 1, 2, 4, 5]
    assert await states(database) == ["handled"] * 5 + ["retrying"]


async def test_a_database_that_goes_away_takes_the_batch_back_to_the_broker(
    database: Database,
) -> None:
    is_away, runs = True, 0

    async def handle(events: Events, mediator: Mediator) -> None:
        nonlocal runs
        runs += 1
        leave_effects(events, mediator)
        if is_away:
            gone = ConnectionResetError("the database went away")
            raise DBAPIError("SELECT 1", {}, gone, connection_invalidated=True)

    consumer = consumer_of(database, handle)
    messages = [counted(number) for number in range(10)]
    outcomes = await deliver(consumer, *messages)
    assert all(isinstance(outcome, DBAPIError) for outcome in outcomes)
    # Together, and one that has to get ahead if it was the batch that the database did not bear.
    assert runs == 2
    assert (await effects(database), await inbox_rows(database)) == ([], [])
    is_away = False
    assert await deliver(consumer, *messages) == [None] * 10
    assert await effects(database) == list(range(10))
    assert {row.attempts for row in await inbox_rows(database)} == {1}


async def test_large_messages_come_in_several_batches(database: Database) -> None:
    counter = Counter()
    consumer = consumer_of(database, counter.handle)
    padding = b" " * (LARGEST_BATCH_BYTES // 3)
    large = [
        BrokerMessage(message.topic, message.body + padding, message.headers)
        for message in (counted(number) for number in range(5))
    ]
    assert await deliver(consumer, *large) == [None] * 5
    assert [len(call) for call in counter.calls] == [2, 2, 1]
