"""One trace from the request through the outbox row, the send and every handler."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanContext, SpanKind, StatusCode
from sqlalchemy import Row, select

from app.building_blocks.context import current_context
from app.building_blocks.databases.database import Database
from app.building_blocks.feature import Feature
from app.building_blocks.mediator import Mediator
from app.building_blocks.outbox.table import published
from app.features import FEATURES
from app.features.orders.integration_events import OrderCreatedIntegrationEvent
from app.main import create_app
from app.settings import Settings
from tests.test_round_trip import final_status, post_order
from tests.waiting import eventually

CALLER_TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = f"00-{CALLER_TRACE}-b7ad6b7169203331-01"
CREATED, TAKEN, PAID = (
    "orders.order-created.v1",
    "payments.payment-taken.v1",
    "orders.order-paid.v1",
)


class Spans:
    """What was exported: every span that has ended, also those of other tests' leftovers."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))

    @property
    def ended(self) -> Sequence[ReadableSpan]:
        return self.exporter.get_finished_spans()

    async def all_of(self, name: str, count: int = 1) -> list[ReadableSpan]:
        """Wait for `count` spans of that name; they come in the order of their ends."""

        async def look() -> list[ReadableSpan]:
            found = [span for span in self.ended if span.name == name]
            return found if len(found) >= count else []

        return await eventually(look, what=f"{count} spans {name}")

    async def one(self, name: str) -> ReadableSpan:
        [span] = await self.all_of(name)
        return span


class Flaky:
    """Fails at its first run, and tells in which context it ran."""

    def __init__(self) -> None:
        self.runs = 0
        self.contexts: list[dict[str, str]] = []
        self.feature = Feature("flaky")
        self.feature.subscribe(OrderCreatedIntegrationEvent, self.when_order_created)

    async def when_order_created(
        self, event: OrderCreatedIntegrationEvent, mediator: Mediator
    ) -> None:
        self.runs += 1
        self.contexts.append(dict(current_context()))
        if self.runs == 1:
            raise LookupError(f"secret of {event.customer}")


@pytest.fixture
def spans() -> Spans:
    return Spans()


@pytest.fixture
def flaky() -> Flaky:
    return Flaky()


@pytest_asyncio.fixture
async def app(
    settings: Settings, database: Database, spans: Spans, flaky: Flaky
) -> AsyncIterator[FastAPI]:
    app = create_app(settings, [*FEATURES, flaky.feature], spans=spans.provider)
    async with app.router.lifespan_context(app):
        yield app


def parent_of(span: ReadableSpan) -> int:
    return span.parent.span_id if span.parent else 0


def context_of(span: ReadableSpan) -> SpanContext:
    context = span.get_span_context()
    assert context is not None
    return context


def id_of(span: ReadableSpan) -> int:
    return context_of(span).span_id


async def published_rows(database: Database) -> dict[str, Row[Any]]:
    """Those of an order's whole way, by topic; a row is marked a moment after its send."""

    async def look() -> dict[str, Row[Any]]:
        async with database.reader.connect() as connection:
            rows = (await connection.execute(select(published))).all()
        return {row.topic: row for row in rows} if len(rows) == 3 else {}

    return await eventually(look, what="three published rows")


async def test_one_trace_leads_from_the_request_to_the_last_handler(
    client: AsyncClient, spans: Spans
) -> None:
    order = await post_order(client, "5.00")
    assert await final_status(client, order) == "paid"
    await spans.one(f"send {PAID}")
    [by_payments, *_] = [
        span
        for span in await spans.all_of(f"process {CREATED}", 2)
        if (span.attributes or {})["messaging.consumer.group.name"]
        == "test-service.payments.when_order_created"
    ]
    way = [
        await spans.one("POST /orders"),
        await spans.one("CreateOrder"),
        await spans.one(f"send {CREATED}"),
        by_payments,
        await spans.one("TakePayment"),
        await spans.one(f"send {TAKEN}"),
        await spans.one(f"process {TAKEN}"),
        await spans.one("PayOrder"),
        await spans.one(f"send {PAID}"),
    ]
    assert way[0].parent is None
    for parent, child in pairwise(way):
        assert parent_of(child) == id_of(parent), f"{child.name} is no child of {parent.name}"
    assert len({context_of(span).trace_id for span in way}) == 1


async def test_the_trace_of_the_caller_goes_on(client: AsyncClient, spans: Spans) -> None:
    order = {"customer": "ada", "amount": "1.00"}
    await client.post("/orders", json=order, headers={"traceparent": CALLER})
    last = await spans.one(f"send {PAID}")
    server = await spans.one("POST /orders")
    assert server.parent is not None
    assert trace.format_span_id(server.parent.span_id) == CALLER.split("-")[2]
    assert trace.format_trace_id(context_of(last).trace_id) == CALLER_TRACE


async def test_spans_are_named_by_the_conventions_for_messaging(
    client: AsyncClient, spans: Spans, database: Database
) -> None:
    await post_order(client, "5.00")
    sent = await spans.one(f"send {TAKEN}")
    processed = await spans.one(f"process {TAKEN}")
    row = (await published_rows(database))[TAKEN]
    common = {
        "messaging.system": "memory",
        "messaging.destination.name": TAKEN,
        "messaging.message.id": row.message_id,
        "messaging.message.conversation_id": row.correlation_id,
    }
    assert sent.kind is SpanKind.PRODUCER
    assert dict(sent.attributes or {}) == common | {
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
    }
    assert processed.kind is SpanKind.CONSUMER
    assert dict(processed.attributes or {}) == common | {
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.consumer.group.name": "test-service.orders.when_payment_taken",
        "app.attempt": 1,
    }
    server = await spans.one("POST /orders")
    assert server.kind is SpanKind.SERVER
    assert (server.attributes or {})["http.route"] == "/orders"


async def test_a_row_names_the_span_of_its_command(
    client: AsyncClient, spans: Spans, database: Database
) -> None:
    await post_order(client, "5.00")
    rows = await published_rows(database)
    for topic, command in ((CREATED, "CreateOrder"), (TAKEN, "TakePayment"), (PAID, "PayOrder")):
        _, _, span_id, _ = rows[topic].headers["traceparent"].split("-")
        assert span_id == trace.format_span_id(id_of(await spans.one(command)))


async def test_each_attempt_is_a_span_beside_the_others(
    client: AsyncClient, spans: Spans, flaky: Flaky
) -> None:
    await post_order(client, "5.00")
    group = "test-service.flaky.when_order_created"
    failed, again = [
        span
        for span in await spans.all_of(f"process {CREATED}", 3)
        if (span.attributes or {})["messaging.consumer.group.name"] == group
    ]
    assert [(span.attributes or {})["app.attempt"] for span in (failed, again)] == [1, 2]
    assert parent_of(failed) == parent_of(again) == id_of(await spans.one(f"send {CREATED}"))
    assert (failed.status.status_code, again.status.status_code) == (
        StatusCode.ERROR,
        StatusCode.UNSET,
    )
    assert (failed.attributes or {})["error.type"] == "LookupError"
    # What the handler carries on, to a log line or another service, is its own span.
    assert [context["traceparent"].split("-")[2] for context in flaky.contexts] == [
        trace.format_span_id(id_of(span)) for span in (failed, again)
    ]


async def test_no_span_holds_a_payload_or_the_text_of_an_error(
    client: AsyncClient, spans: Spans
) -> None:
    await client.post("/orders", json={"customer": "ada-secret", "amount": "1.00"})
    await spans.all_of(f"process {CREATED}", 3)
    told = "".join(span.to_json() for span in spans.ended)
    assert "secret" not in told


async def test_probes_and_scrapes_make_no_spans(client: AsyncClient, spans: Spans) -> None:
    for path in ("/health/live", "/health/ready", "/metrics"):
        await client.get(path)
    await client.get("/orders")
    await spans.one("GET /orders")
    assert [span.name for span in spans.ended if span.kind is SpanKind.SERVER] == ["GET /orders"]


async def test_what_is_published_without_a_request_begins_a_trace(
    app: FastAPI, spans: Spans
) -> None:
    event = OrderCreatedIntegrationEvent(order_id=uuid4(), customer="ada", amount=Decimal(1))
    async with app.state.mediator.unit_of_work() as uow:
        uow.publish(event)
    sent = await spans.one(f"send {CREATED}")
    assert sent.parent is None
    for span in await spans.all_of(f"process {CREATED}", 2):
        assert parent_of(span) == id_of(sent)


@asynccontextmanager
async def running(app: FastAPI) -> AsyncIterator[AsyncClient]:
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=ASGITransport(app), base_url="http://test") as client,
    ):
        yield client


async def test_without_tracing_nothing_is_measured_and_the_caller_still_comes_through(
    settings: Settings, database: Database, spans: Spans
) -> None:
    async with running(create_app(settings)) as client:
        order = {"customer": "ada", "amount": "1.00"}
        answer = await client.post("/orders", json=order, headers={"traceparent": CALLER})
        assert await final_status(client, answer.json()) == "paid"
        rows = await published_rows(database)
    assert {row.headers["traceparent"] for row in rows.values()} == {CALLER}
    assert not spans.ended
