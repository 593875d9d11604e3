"""What was handed over to a publisher that dies, stops or meets an outage goes out all the same."""

import asyncio
from uuid import uuid4

from app.building_blocks.brokers.adapter import BrokerMessage
from app.building_blocks.databases.database import Database
from app.building_blocks.feature import Feature
from app.building_blocks.mediator import Mediator
from app.building_blocks.outbox.claimed_row import ClaimedRow
from app.building_blocks.outbox.claims import Claims
from app.building_blocks.outbox.handover import Handover, Receiver
from app.building_blocks.wake_up import WakeUp
from tests.guarantees.conftest import StartPublisher, write_rows
from tests.guarantees.handover.handing_over import all_published, open_publisher
from tests.guarantees.noting import NotedIntegrationEvent, publish
from tests.guarantees.scripted_broker import ScriptedBroker
from tests.guarantees.statements import statements_of
from tests.mediators import mediator_of, outbox_rows
from tests.waiting import eventually


def named(broker: ScriptedBroker) -> list[str | None]:
    return [message.key for message in broker.sent]


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
    await all_published(database, 1)


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
    await all_published(database, 2)


async def test_a_publisher_that_stops_is_given_nothing_more(
    database: Database,
    mediator: Mediator,
    handover: Handover,
    broker: ScriptedBroker,
    start_publisher: StartPublisher,
) -> None:
    wake_up = WakeUp()
    await open_publisher(start_publisher, handover, wake_up=wake_up)
    broker.may_answer.clear()
    await publish(mediator, NotedIntegrationEvent(name="in flight"))
    wake_up.close()
    assert not handover.is_open, "although it waits for what is in flight"
    await publish(mediator, NotedIntegrationEvent(name="after the end"))
    rows = {row.key: row for row in await outbox_rows(database)}
    assert rows["after the end"].claim_token is None
    broker.may_answer.set()
    await all_published(database, 1)


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
