"""An event of this process goes out without being looked for, and is as safe as any other."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import pytest

from app.building_blocks.brokers.adapter import BrokerMessage
from app.building_blocks.context import carrying, current_context
from app.building_blocks.databases.database import Database
from app.building_blocks.feature import Feature
from app.building_blocks.mediator import Mediator
from app.building_blocks.outbox.claimed_row import ClaimedRow
from app.building_blocks.outbox.claims import Claims
from app.building_blocks.outbox.handover import Handover, Receiver
from app.building_blocks.retry_policy import RetryPolicy
from app.building_blocks.wake_up import WakeUp
from tests.guarantees.conftest import StartPublisher, count_published, write_rows
from tests.guarantees.handing_over import open_publisher
from tests.guarantees.noting import NotedIntegrationEvent, publish
from tests.guarantees.scripted_broker import ScriptedBroker
from tests.guarantees.statements import statements_of
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


async def test_what_a_process_that_died_had_claimed_goes_out_after_the_lease(
    database: Database, broker: ScriptedBroker, start_publisher: StartPublisher
) -> None:
    taken: list[ClaimedRow] = []
    dying = Handover(database.dialect, lease=0.3)
    dying.open(Receiver(taken.extend, lambda: 9, lambda keys: ()))
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
    with statements_of(database) as sent:
        await publish(mediator, NotedIntegrationEvent(name="one"))

        async def out() -> bool:
            return named(broker) == ["one"]

        await eventually(out, what="the event")
    # It was given back, and found and claimed like any other.
    assert len([statement for statement in sent if statement.startswith("UPDATE outbox")]) == 2


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


async def test_a_publisher_that_is_full_is_given_nothing_more(
    database: Database,
    mediator: Mediator,
    handover: Handover,
    broker: ScriptedBroker,
    start_publisher: StartPublisher,
) -> None:
    broker.may_answer.clear()
    await open_publisher(start_publisher, handover, batch_size=1)
    async with mediator.unit_of_work() as uow:
        for number in range(4):
            uow.publish(NotedIntegrationEvent(name=f"{number}"))
    assert [bool(row.claim_token) for row in await outbox_rows(database)] == [
        True, False, False, False,
    ]  # fmt: skip
    broker.may_answer.set()

    async def drained() -> bool:
        return await count_published(database) == 4

    await eventually(drained, what="all of them")


async def test_a_publisher_that_stopped_is_given_nothing(
    database: Database, mediator: Mediator, handover: Handover, start_publisher: StartPublisher
) -> None:
    wake_up = WakeUp()
    await open_publisher(start_publisher, handover, wake_up=wake_up)
    wake_up.close()

    async def is_closed() -> bool:
        return not handover.is_open

    await eventually(is_closed, what="the handover closed")
    await publish(mediator, NotedIntegrationEvent(name="after the end"))
    [row] = await outbox_rows(database)
    assert row.claim_token is None


async def test_what_was_committed_while_the_publisher_started_again_is_given_back_at_once(
    database: Database,
    mediator: Mediator,
    handover: Handover,
    broker: ScriptedBroker,
    start_publisher: StartPublisher,
) -> None:
    wake_up = WakeUp()
    await open_publisher(start_publisher, handover, wake_up=wake_up)
    async with mediator.unit_of_work() as uow:
        uow.publish(NotedIntegrationEvent(name="one"))
        await uow.flush()
        assert len(uow.claimed) == 1
        handover.close()
    await open_publisher(start_publisher, handover)

    async def out() -> bool:
        return named(broker) == ["one"]

    await eventually(out, deadline=5, what="the event, long before its lease ends")


async def test_what_a_savepoint_undid_does_not_go_out(
    database: Database,
    mediator: Mediator,
    handover: Handover,
    broker: ScriptedBroker,
    start_publisher: StartPublisher,
) -> None:
    await open_publisher(start_publisher, handover)
    async with mediator.unit_of_work() as uow:
        with suppress(ValueError):
            async with uow.session.begin_nested():
                uow.publish(NotedIntegrationEvent(name="ghost"))
                await uow.flush()
                raise ValueError("no")
        uow.publish(NotedIntegrationEvent(name="kept"))

    async def out() -> bool:
        return await count_published(database) == 1

    await eventually(out, what="the event that was committed")
    assert named(broker) == ["kept"]


async def test_the_publisher_does_not_work_in_the_context_of_a_request(
    database: Database, mediator: Mediator, handover: Handover, start_publisher: StartPublisher
) -> None:
    class Witness(ScriptedBroker):
        seen: Mapping[str, str] | None = None

        async def publish(self, message: BrokerMessage) -> None:
            self.seen = dict(current_context())
            await super().publish(message)

    witness = Witness()
    await open_publisher(start_publisher, handover, broker=witness)
    with carrying({"tenant": "ada"}):
        await publish(mediator, NotedIntegrationEvent(name="one"))

    async def out() -> bool:
        return named(witness) == ["one"]

    await eventually(out, what="the event")
    assert witness.seen == {}


async def test_a_backlog_drains_after_an_outage_while_commands_keep_coming(
    database: Database, mediator: Mediator, handover: Handover, start_publisher: StartPublisher
) -> None:
    class Slow(ScriptedBroker):
        async def publish(self, message: BrokerMessage) -> None:
            await asyncio.sleep(0.01)
            await super().publish(message)

    broker = Slow()
    broker.is_away = True
    await write_rows(database, *((f"k{n % 9}" if n % 2 else "hot", f"{n}") for n in range(40)))
    await start_publisher(handover=handover, broker=broker, batch_size=10)

    async def pauses() -> bool:
        return broker.looks > 0

    await eventually(pauses, what="the outage")
    broker.is_away = False
    is_over = asyncio.Event()

    async def keep_coming() -> None:
        while not is_over.is_set():
            await publish(mediator, NotedIntegrationEvent(name=str(uuid4())))

    coming = [asyncio.create_task(keep_coming()) for _ in range(3)]

    async def drained() -> bool:
        return {f"{n}" for n in range(40)} <= set(broker.bodies)

    try:
        await eventually(drained, deadline=30, what="the backlog out")
    finally:
        is_over.set()
        await asyncio.gather(*coming)
