"""An event of this process goes out without being looked for, and is as safe as any other."""

import asyncio
import random
from collections import defaultdict
from datetime import timedelta

import pytest

from app.building_blocks.brokers.adapter import BrokerMessage
from app.building_blocks.databases.database import Database
from app.building_blocks.feature import Feature
from app.building_blocks.mediator import Mediator
from app.building_blocks.outbox.claimed_row import ClaimedRow
from app.building_blocks.outbox.claims import Claims
from app.building_blocks.outbox.handover import Handover
from app.building_blocks.retry_policy import RetryPolicy
from app.building_blocks.wake_up import WakeUp
from tests.guarantees.conftest import StartPublisher, count_published, count_waiting
from tests.guarantees.noting import NotedIntegrationEvent, publish
from tests.guarantees.scripted_broker import ScriptedBroker
from tests.guarantees.statements import statements_of
from tests.guarantees.test_rule_6_order_per_key import UnsteadyBroker
from tests.mediators import mediator_of, outbox_rows
from tests.waiting import eventually

HOUR = 3600.0
PATIENT = RetryPolicy(max_retries=50, base_delay=0.01, max_delay=0.02)


@pytest.fixture
def handover(database: Database) -> Handover:
    return Handover(database.dialect)


@pytest.fixture
def mediator(database: Database, handover: Handover) -> Mediator:
    return mediator_of(database, Feature("tests"), handover=handover)


def named(broker: ScriptedBroker) -> list[str | None]:
    return [message.key for message in broker.sent]


def text_of(message: BrokerMessage) -> str:
    return NotedIntegrationEvent.model_validate_json(message.body).text


async def open_publisher(start: StartPublisher, handover: Handover, **options: object) -> None:
    """Start one that never looks by itself, and wait until it takes what is handed over."""
    await start(**({"handover": handover, "poll_interval": HOUR} | options))

    async def is_open() -> bool:
        return handover.is_open

    await eventually(is_open, what="the handover open")


async def test_an_event_goes_out_after_its_commit_without_a_search(
    database: Database,
    mediator: Mediator,
    handover: Handover,
    broker: ScriptedBroker,
    start_publisher: StartPublisher,
) -> None:
    await open_publisher(start_publisher, handover)
    broker.may_answer.clear()
    with statements_of(database) as sent:
        await publish(mediator, NotedIntegrationEvent(name="one"))

        async def on_its_way() -> bool:
            return broker.attempts == 1

        await eventually(on_its_way, what="the event on its way")
    # Whether its key is free, and the row: nothing after the commit.
    assert [statement.split()[0] for statement in sent] == ["SELECT", "INSERT"]
    broker.may_answer.set()

    async def marked() -> bool:
        return await count_published(database) == 1

    await eventually(marked, what="the mark")
    assert named(broker) == ["one"]


async def test_nothing_goes_out_of_a_transaction_that_was_rolled_back(
    database: Database,
    mediator: Mediator,
    handover: Handover,
    broker: ScriptedBroker,
    start_publisher: StartPublisher,
) -> None:
    await open_publisher(start_publisher, handover)
    with pytest.raises(ValueError, match="no"):
        async with mediator.unit_of_work() as uow:
            uow.publish(NotedIntegrationEvent(name="lost"))
            await uow.flush()
            raise ValueError("no")
    async with mediator.unit_of_work() as uow:
        uow.publish(NotedIntegrationEvent(name="kept"))
        with pytest.raises(ValueError, match="no"):
            async with uow.savepoint():
                uow.publish(NotedIntegrationEvent(name="lost, too"))
                await uow.flush()
                raise ValueError("no")

    async def drained() -> bool:
        return await count_published(database) == 1

    await eventually(drained, what="the event that was committed")
    assert named(broker) == ["kept"]


async def test_an_event_waits_for_an_earlier_one_of_its_key(
    database: Database,
    mediator: Mediator,
    handover: Handover,
    broker: ScriptedBroker,
    start_publisher: StartPublisher,
) -> None:
    refused, patient = 2, RetryPolicy(max_retries=9, base_delay=0.3, max_delay=0.3)

    def refuses_twice(message: object) -> bool:
        nonlocal refused
        refused -= 1
        return refused >= 0

    broker.refuses = refuses_twice
    await open_publisher(start_publisher, handover, refusals=patient, poll_interval=0.02)
    await publish(mediator, NotedIntegrationEvent(name="k", text="1"))

    async def refused_once() -> bool:
        return any(row.attempts for row in await outbox_rows(database))

    await eventually(refused_once, what="the refusal")
    for number in (2, 3):
        await publish(mediator, NotedIntegrationEvent(name="k", text=f"{number}"))

    async def drained() -> bool:
        return await count_published(database) == 3

    await eventually(drained, what="all three")
    assert [text_of(message) for message in broker.sent] == ["1", "2", "3"]


async def test_what_a_process_that_died_had_claimed_goes_out_after_the_lease(
    database: Database, broker: ScriptedBroker, start_publisher: StartPublisher
) -> None:
    taken: list[ClaimedRow] = []
    dying = Handover(database.dialect, lease=0.3)
    dying.open(taken.extend, lambda: True)
    mediator = mediator_of(database, Feature("tests"), handover=dying)
    await publish(mediator, NotedIntegrationEvent(name="one"))
    assert await Claims(database).claim(10) == []
    assert [row.key for row in taken] == ["one"]
    await start_publisher()

    async def drained() -> bool:
        return await count_published(database) == 1

    await eventually(drained, what="the event of the dead process")


async def test_what_is_too_late_to_send_within_its_lease_is_given_back(
    database: Database, broker: ScriptedBroker, start_publisher: StartPublisher
) -> None:
    handover = Handover(database.dialect, lease=0.0)
    mediator = mediator_of(database, Feature("tests"), handover=handover)
    await open_publisher(start_publisher, handover)
    await publish(mediator, NotedIntegrationEvent(name="one"))

    async def out() -> bool:
        return named(broker) == ["one"]

    # It is free again, and found like any other.
    await eventually(out, what="the event")


async def test_without_a_connection_events_wait_unclaimed_and_go_out_later(
    database: Database,
    mediator: Mediator,
    handover: Handover,
    broker: ScriptedBroker,
    start_publisher: StartPublisher,
) -> None:
    await open_publisher(start_publisher, handover, poll_interval=0.02)
    broker.is_away = True
    await publish(mediator, NotedIntegrationEvent(name="meets the outage"))

    async def is_closed() -> bool:
        return not handover.is_open

    await eventually(is_closed, what="the handover closed")
    await publish(mediator, NotedIntegrationEvent(name="behind it"))
    rows = {row.key: row for row in await outbox_rows(database)}
    assert rows["behind it"].claim_token is None
    assert {row.attempts for row in rows.values()} == {0}
    broker.is_away = False

    async def drained() -> bool:
        return await count_published(database) == 2

    await eventually(drained, what="both")


async def test_only_what_goes_out_at_once_is_handed_over(
    database: Database, mediator: Mediator, handover: Handover, start_publisher: StartPublisher
) -> None:
    await open_publisher(start_publisher, handover)
    await publish(mediator, NotedIntegrationEvent(name="later"), delay=timedelta(hours=1))
    [row] = await outbox_rows(database)
    assert (row.claim_token, row.claimed_until) == (None, None)


async def test_a_publisher_that_is_full_or_stopped_is_given_nothing(
    database: Database,
    mediator: Mediator,
    handover: Handover,
    broker: ScriptedBroker,
    start_publisher: StartPublisher,
) -> None:
    wake_up = WakeUp()
    broker.may_answer.clear()
    await open_publisher(start_publisher, handover, batch_size=1, wake_up=wake_up)
    for number in range(4):
        await publish(mediator, NotedIntegrationEvent(name=f"{number}"))
    assert [bool(row.claim_token) for row in await outbox_rows(database)] == [
        True, True, False, False,
    ]  # fmt: skip
    broker.may_answer.set()
    wake_up.close()

    async def is_closed() -> bool:
        return not handover.is_open

    await eventually(is_closed, what="the handover closed")
    await publish(mediator, NotedIntegrationEvent(name="after the end"))
    assert (await outbox_rows(database))[-1].claim_token is None


async def test_four_processes_that_write_and_publish_keep_the_order_of_each_key(
    database: Database, start_publisher: StartPublisher
) -> None:
    broker, chance = UnsteadyBroker(seed=7), random.Random(7)
    turns = defaultdict[str, asyncio.Lock](asyncio.Lock)
    count = defaultdict[str, int](int)
    mediators = []
    for _ in range(4):
        handover = Handover(database.dialect)
        mediators.append(mediator_of(database, Feature("tests"), handover=handover))
        await open_publisher(
            start_publisher, handover, broker=broker, refusals=PATIENT, poll_interval=0.02
        )

    async def write(mediator: Mediator) -> None:
        for _ in range(30):
            name = f"k{chance.randrange(5)}"
            # As the aggregate's own lock has it: one transaction after the other.
            async with turns[name]:
                count[name] += 1
                await publish(mediator, NotedIntegrationEvent(name=name, text=f"{count[name]}"))

    await asyncio.gather(*(write(mediator) for mediator in mediators for _ in range(2)))

    async def drained() -> bool:
        return await count_waiting(database) == 0

    await eventually(drained, deadline=60, what="an empty outbox")
    order = defaultdict[str | None, list[int]](list)
    for message in broker.sent:
        number = int(text_of(message))
        if number not in order[message.key]:
            order[message.key].append(number)
    assert order == {name: list(range(1, last + 1)) for name, last in count.items()}
