"""An event of this process goes out without being looked for, and only if it was committed."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta

import pytest

from app.building_blocks.brokers.adapter import BrokerMessage
from app.building_blocks.context import carrying, current_context
from app.building_blocks.databases.database import Database
from app.building_blocks.mediator import Mediator
from app.building_blocks.outbox.handover import Handover
from tests.guarantees.conftest import StartPublisher
from tests.guarantees.handover.handing_over import all_published, open_publisher
from tests.guarantees.noting import NotedIntegrationEvent, publish
from tests.guarantees.scripted_broker import ScriptedBroker
from tests.guarantees.statements import statements_of
from tests.mediators import outbox_rows
from tests.waiting import eventually


def named(broker: ScriptedBroker) -> list[str | None]:
    return [message.key for message in broker.sent]


async def test_an_event_goes_out_after_its_commit_without_a_search(
    database: Database,
    mediator: Mediator,
    handover: Handover,
    broker: ScriptedBroker,
    start_publisher: StartPublisher,
) -> None:
    with statements_of(database) as looked:
        await open_publisher(start_publisher, handover)

        async def has_looked() -> bool:
            return bool(looked)

        await eventually(has_looked, what="its one look at the start")
    broker.may_answer.clear()
    with statements_of(database) as sent:
        await publish(mediator, NotedIntegrationEvent(name="one"))

        async def on_its_way() -> bool:
            return broker.attempts == 1

        await eventually(on_its_way, what="the event on its way")
    # Whether its key is free, and the row: nothing after the commit.
    assert [statement.split()[0] for statement in sent] == ["SELECT", "INSERT"]
    broker.may_answer.set()
    await all_published(database, 1)
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
    await all_published(database, 1)
    assert named(broker) == ["kept"]


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
    await all_published(database, 4)


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
    await all_published(database, 1)
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
    with carrying({"correlation-id": "of ada"}):
        await publish(mediator, NotedIntegrationEvent(name="one"))

    async def out() -> bool:
        return named(witness) == ["one"]

    await eventually(out, what="the event")
    assert witness.seen == {}
