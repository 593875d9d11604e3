"""What is written to the outbox: limits, headers, odd data."""

import pytest

from app.building_blocks.databases.database import Database
from app.building_blocks.errors import EventRefusedError
from app.building_blocks.mediator import Mediator
from tests.guarantees.conftest import StartPublisher, count_waiting
from tests.guarantees.noting import NotedIntegrationEvent, publish
from tests.guarantees.scripted_broker import ScriptedBroker
from tests.waiting import eventually


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
