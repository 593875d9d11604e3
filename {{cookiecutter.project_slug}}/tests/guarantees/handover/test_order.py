"""Rule 6 where events are handed over: none goes out before an earlier one of its key."""

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.building_blocks.brokers.adapter import BrokerMessage
from app.building_blocks.databases.database import Database
from app.building_blocks.feature import Feature
from app.building_blocks.mediator import Mediator
from app.building_blocks.outbox.claims import Claims
from app.building_blocks.outbox.handover import Handover, Receiver
from app.building_blocks.retry_policy import RetryPolicy
from tests.guarantees.conftest import StartPublisher, write_rows
from tests.guarantees.handover.handing_over import all_published, open_publisher
from tests.guarantees.noting import NotedIntegrationEvent, publish
from tests.guarantees.scripted_broker import ScriptedBroker
from tests.mediators import mediator_of, outbox_rows
from tests.waiting import eventually


def event(text: object) -> NotedIntegrationEvent:
    return NotedIntegrationEvent(name="k", text=f"{text}")


def text_of(message: BrokerMessage) -> str:
    return NotedIntegrationEvent.model_validate_json(message.body).text


async def sent_in_order(database: Database, broker: ScriptedBroker, count: int) -> None:
    await all_published(database, count)
    assert [text_of(message) for message in broker.sent] == [f"{n}" for n in range(1, count + 1)]


async def on_its_way(broker: ScriptedBroker) -> None:
    async def asked() -> bool:
        return broker.attempts > 0

    await eventually(asked, what="an event on its way")


async def test_an_event_follows_one_of_its_key_that_has_no_answer_yet(
    database: Database,
    mediator: Mediator,
    handover: Handover,
    broker: ScriptedBroker,
    start_publisher: StartPublisher,
) -> None:
    await open_publisher(start_publisher, handover)
    broker.may_answer.clear()
    await publish(mediator, event(1))
    await on_its_way(broker)
    for number in (2, 3):
        await publish(mediator, event(number))
    # Nobody has to look for them: the publisher has them already.
    assert await Claims(database).claim(10) == []
    assert broker.attempts == 1
    broker.may_answer.set()
    await sent_in_order(database, broker, 3)


async def test_an_event_waits_for_a_refused_one_of_its_key(
    database: Database,
    mediator: Mediator,
    handover: Handover,
    broker: ScriptedBroker,
    start_publisher: StartPublisher,
) -> None:
    broker.refuses = lambda message: text_of(message) == "1"
    slow = RetryPolicy(max_retries=9, base_delay=0.3, max_delay=0.3)
    await open_publisher(start_publisher, handover, refusals=slow, poll_interval=0.02)
    broker.may_answer.clear()
    await publish(mediator, event(1))
    await on_its_way(broker)
    await publish(mediator, event(2))
    broker.may_answer.set()

    async def refused_once() -> bool:
        return any(row.attempts for row in await outbox_rows(database))

    await eventually(refused_once, what="the refusal")
    await publish(mediator, event(3))
    broker.refuses = lambda message: False
    await sent_in_order(database, broker, 3)


async def test_an_event_whose_forerunner_came_back_before_its_commit_is_given_back(
    database: Database,
    mediator: Mediator,
    handover: Handover,
    broker: ScriptedBroker,
    start_publisher: StartPublisher,
) -> None:
    # With one writer at a time the refusal is written down after the commit: another way to go.
    broker.refuses = lambda message: True
    slow = RetryPolicy(max_retries=9, base_delay=1.0, max_delay=1.0)
    await open_publisher(start_publisher, handover, refusals=slow, poll_interval=0.02)
    broker.may_answer.clear()
    await publish(mediator, event(1))
    await on_its_way(broker)
    async with mediator.unit_of_work() as uow:
        uow.publish(event(2))
        await uow.flush()
        assert [row.key for row in uow.claimed] == ["k"]
        broker.may_answer.set()

        async def came_back() -> bool:
            return bool((await outbox_rows(database))[0].attempts)

        if isinstance(database.dialect.writers_turn(), nullcontext):
            await eventually(came_back, what="the refusal")
    broker.refuses = lambda message: False
    await sent_in_order(database, broker, 2)


async def test_an_event_waits_for_one_that_was_committed_and_never_handed_over(
    database: Database,
    broker: ScriptedBroker,
    start_publisher: StartPublisher,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    handover = Handover(database.dialect, lease=0.5)
    mediator = mediator_of(database, Feature("tests"), handover=handover)
    await open_publisher(start_publisher, handover, poll_interval=0.02)
    with monkeypatch.context() as patch:
        # As when the request was cancelled while it waited for the commit.
        patch.setattr(handover, "give", lambda rows: None)
        await publish(mediator, event(1))
    await publish(mediator, event(2))
    await sent_in_order(database, broker, 2)


async def test_events_of_one_transaction_keep_their_order_when_one_has_a_time(
    database: Database,
    mediator: Mediator,
    handover: Handover,
    broker: ScriptedBroker,
    start_publisher: StartPublisher,
) -> None:
    await open_publisher(start_publisher, handover, poll_interval=0.02)
    async with mediator.unit_of_work() as uow:
        uow.publish(event(1), deliver_at=datetime.now(UTC) - timedelta(hours=1))
        uow.publish(event(2))
    await sent_in_order(database, broker, 2)


async def test_a_key_that_has_to_wait_holds_up_no_other_key_of_its_transaction(
    database: Database, handover: Handover
) -> None:
    await write_rows(database, ("waits", "1"))
    handover.open(Receiver(lambda rows: None, lambda: 10, lambda keys: []))
    rows: list[dict[str, Any]] = [
        {"message_id": key, "topic": "t.v1", "key": key, "headers": {}, "payload": "2"}
        for key in ("waits", "goes")
    ]
    async with database.begin() as connection:
        assert [row.key for row in await handover.claim(connection, rows)] == ["goes"]
