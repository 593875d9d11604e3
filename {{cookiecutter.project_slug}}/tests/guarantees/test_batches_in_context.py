"""Batches: no message takes on what another has carried here."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from app.building_blocks.carriers import Carrier, Carriers
from app.building_blocks.context import current_context
from app.building_blocks.databases.database import Database
from app.building_blocks.inbox.environments import Environments
from app.building_blocks.mediator import Mediator
from app.building_blocks.outbox.table import outbox
from tests.guarantees.batching import (
    CountedIntegrationEvent,
    consumer_of,
    counted,
    deliver,
    inbox_rows,
    leave_effects,
    states,
)

Events = list[CountedIntegrationEvent]
TENANT = Carriers([Carrier("tenant")])
SPAN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Contexts:
    """A handler that keeps what each call got, and in which context."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.contexts: list[Mapping[str, str]] = []

    async def handle(self, events: Events, mediator: Mediator) -> None:
        leave_effects(events, mediator)
        self.calls.append([event.number for event in events])
        self.contexts.append(dict(current_context()))


async def test_a_batch_holds_messages_of_one_tenant(database: Database) -> None:
    seen = Contexts()
    consumer = consumer_of(database, seen.handle, carriers=TENANT)
    tenants = ["acme", "acme", "other", "acme", "other"]
    messages = [counted(number, tenant=tenant) for number, tenant in enumerate(tenants)]
    assert await deliver(consumer, *messages, counted(5), counted(6)) == [None] * 7
    assert seen.calls == [[0, 1, 3], [2, 4], [5, 6]]
    assert [context.get("tenant") for context in seen.contexts] == ["acme", "other", None]
    assert await headers_by_tenant(database) == {"acme": 3, "other": 2, None: 2}


async def test_several_requests_leave_their_ids_to_none_of_the_batch(database: Database) -> None:
    seen = Contexts()
    consumer = consumer_of(database, seen.handle)
    ids = {"correlation-id": "request-1", "traceparent": SPAN}
    messages = [counted(0, **ids), counted(1, **{"correlation-id": "request-2"})]
    await deliver(consumer, *messages)
    [context] = seen.contexts
    assert "causation-id" not in context
    assert context.get("traceparent") != SPAN
    assert context["correlation-id"] not in ("request-1", "request-2")
    rows = await inbox_rows(database)
    # Each message is still found by the request that it came of.
    assert sorted(row.correlation_id for row in rows) == ["request-1", "request-2"]


async def test_what_one_request_caused_keeps_its_correlation_id(database: Database) -> None:
    seen = Contexts()
    consumer = consumer_of(database, seen.handle)
    await deliver(consumer, *(counted(n, **{"correlation-id": "an import"}) for n in range(3)))
    assert [context["correlation-id"] for context in seen.contexts] == ["an import"]


async def test_a_message_that_comes_alone_has_its_own_context(database: Database) -> None:
    seen = Contexts()
    message = counted(0, **{"correlation-id": "request-1"})
    await consumer_of(database, seen.handle).receive(message)
    [context] = seen.contexts
    assert context["correlation-id"] == "request-1"
    assert context["causation-id"] == message.headers["ce-id"]


async def test_messages_of_another_environment_are_handed_over(database: Database) -> None:
    seen = Contexts()
    consumer = consumer_of(database, seen.handle, environments=Environments("canary"))
    messages = [counted(n, **({"environment": "canary"} if n % 2 else {})) for n in range(6)]
    assert await deliver(consumer, *messages) == [None] * 6
    assert seen.calls == [[1, 3, 5]]
    assert await states(database) == ["handled"] * 3 + ["retrying"] * 3
    assert {row.environment for row in await inbox_rows(database) if row.attempts} == {"canary"}


async def headers_by_tenant(database: Database) -> dict[Any, int]:
    async with database.reader.connect() as connection:
        found = list(await connection.scalars(select(outbox.c.headers)))
    tenants = [headers.get("tenant") for headers in found]
    return {tenant: tenants.count(tenant) for tenant in tenants}
