"""Ids travel with what happens: from the request through every hop, and no further."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import redirect_stderr
from typing import Any

import pytest
import pytest_asyncio
import structlog
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from sqlalchemy import Row, select

from app.building_blocks.context import carrying, current_context
from app.building_blocks.databases.database import Database
from app.building_blocks.feature import Feature
from app.building_blocks.mediator import Mediator
from app.building_blocks.outbox.table import published
from app.features import FEATURES
from app.features.orders.integration_events import OrderCreatedIntegrationEvent
from app.main import create_app
from app.settings import Settings
from tests.waiting import eventually

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
HOPS = ["orders.order-created.v1", "payments.payment-taken.v1", "orders.order-paid.v1"]


class Witness:
    """A subscriber that notes which context it ran in, and logs a line."""

    def __init__(self) -> None:
        self.contexts: dict[str, dict[str, str]] = {}
        self.feature = Feature("witness")
        self.feature.subscribe(OrderCreatedIntegrationEvent, self.when_order_created)

    async def when_order_created(
        self, event: OrderCreatedIntegrationEvent, mediator: Mediator
    ) -> None:
        structlog.get_logger("witness").warning("seen", order_id=str(event.order_id))
        self.contexts[str(event.order_id)] = dict(current_context())


@pytest.fixture
def witness() -> Witness:
    return Witness()


@pytest.fixture
def log() -> io.StringIO:
    return io.StringIO()


@pytest_asyncio.fixture
async def app(
    settings: Settings, database: Database, witness: Witness, log: io.StringIO
) -> AsyncIterator[FastAPI]:
    """The service with a witness; its log lines are JSON and go to `log`."""
    settings = settings.model_copy(update={"log_format": "json"})
    with redirect_stderr(log):
        app = create_app(settings, [*FEATURES, witness.feature])
    async with app.router.lifespan_context(app):
        yield app


async def post(client: AsyncClient, **headers: str) -> str:
    order = {"customer": "ada", "amount": "1.00"}
    answer = await client.post("/orders", json=order, headers=headers)
    return str(answer.json()["id"])


async def hops(database: Database, order_id: str) -> Sequence[Row[Any]]:
    """The three published messages of an order's way, in order."""

    async def all_out() -> Sequence[Row[Any]]:
        async with database.reader.connect() as connection:
            rows = await connection.execute(
                select(published).where(published.c.key == order_id).order_by(published.c.id)
            )
            found = rows.all()
        return found if len(found) == len(HOPS) else []

    rows = await eventually(all_out, what="three hops")
    assert [row.topic for row in rows] == HOPS
    return rows


async def test_the_request_id_arrives_in_every_hop(client: AsyncClient, database: Database) -> None:
    order_id = await post(client, **{"X-Request-ID": "seven"})
    ids = [row.headers["correlation-id"] for row in await hops(database, order_id)]
    assert ids == ["seven", "seven", "seven"]


async def test_each_message_names_the_one_that_caused_it(
    client: AsyncClient, database: Database
) -> None:
    created, taken, paid = await hops(database, await post(client))
    assert "causation-id" not in created.headers
    assert taken.headers["causation-id"] == created.message_id
    assert paid.headers["causation-id"] == taken.message_id


async def test_the_trace_context_arrives_in_every_hop(
    client: AsyncClient, database: Database
) -> None:
    order_id = await post(client, traceparent=TRACE, tracestate="vendor=1")
    for row in await hops(database, order_id):
        assert (row.headers["traceparent"], row.headers["tracestate"]) == (TRACE, "vendor=1")


async def test_a_handler_runs_in_the_context_of_its_message(
    client: AsyncClient, database: Database, witness: Witness
) -> None:
    order_id = await post(client, **{"X-Request-ID": "seven", "traceparent": TRACE})
    created, *_ = await hops(database, order_id)

    async def seen() -> dict[str, str]:
        return witness.contexts.get(order_id, {})

    assert await eventually(seen, what="a witness") == {
        "correlation-id": "seven",
        "causation-id": created.message_id,
        "traceparent": TRACE,
    }


async def test_the_log_lines_of_a_handler_tell_whose_they_are(
    client: AsyncClient, database: Database, witness: Witness, log: io.StringIO
) -> None:
    order_id = await post(client, **{"X-Request-ID": "seven"})
    created, *_ = await hops(database, order_id)

    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    [line] = [line for line in lines if line["event"] == "seen"]
    told = {name: line[name] for name in ("order_id", "correlation_id", "message_id", "consumer")}
    assert told == {
        "order_id": order_id,
        "correlation_id": "seven",
        "message_id": created.message_id,
        "consumer": "test-service.witness.when_order_created",
    }


async def test_nothing_leaks_into_the_next_message(client: AsyncClient, database: Database) -> None:
    names = [f"request {number}" for number in range(20)]
    plain = await post(client, **{"X-Request-ID": "first", "traceparent": TRACE})
    await hops(database, plain)
    order_ids = await asyncio.gather(*(post(client, **{"X-Request-ID": name}) for name in names))
    for name, order_id in zip(names, order_ids, strict=True):
        for row in await hops(database, order_id):
            assert row.headers["correlation-id"] == name
            assert "traceparent" not in row.headers
    assert current_context() == {}


async def test_requests_without_an_id_never_share_one(
    app: FastAPI, client: AsyncClient, database: Database
) -> None:
    async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as other:
        order_ids = [await post(one) for one in (client, other)]
    ids = {row.headers["correlation-id"] for id in order_ids for row in await hops(database, id)}
    assert len(ids) == 2


def test_what_was_carried_before_comes_back() -> None:
    with carrying({"correlation-id": "outer", "traceparent": TRACE}):
        with carrying({"correlation-id": "inner", "x-secret": "not carried"}, consumer="me"):
            assert current_context() == {"correlation-id": "inner"}
            assert structlog.contextvars.get_contextvars()["consumer"] == "me"
        assert current_context() == {"correlation-id": "outer", "traceparent": TRACE}
        assert "consumer" not in structlog.contextvars.get_contextvars()
    assert current_context() == {}
    assert structlog.contextvars.get_contextvars() == {}
