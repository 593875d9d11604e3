"""One trace from the request through the outbox row, the send and every handler."""

from decimal import Decimal
from itertools import pairwise
from uuid import uuid4

from fastapi import FastAPI
from httpx import AsyncClient
from opentelemetry import trace

from app.building_blocks.databases.database import Database
from app.features.orders.integration_events import OrderCreatedIntegrationEvent
from app.main import create_app
from app.settings import Settings
from tests.clients import serving
from tests.test_round_trip import final_status, post_order
from tests.tracing.spans import (
    CREATED,
    PAID,
    TAKEN,
    Spans,
    context_of,
    id_of,
    parent_of,
    published_rows,
)

CALLER_TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = f"00-{CALLER_TRACE}-b7ad6b7169203331-01"


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


async def test_a_row_names_the_span_of_its_command(
    client: AsyncClient, spans: Spans, database: Database
) -> None:
    await post_order(client, "5.00")
    rows = await published_rows(database)
    for topic, command in ((CREATED, "CreateOrder"), (TAKEN, "TakePayment"), (PAID, "PayOrder")):
        _, _, span_id, _ = rows[topic].headers["traceparent"].split("-")
        assert span_id == trace.format_span_id(id_of(await spans.one(command)))


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


async def test_without_tracing_nothing_is_measured_and_the_caller_still_comes_through(
    settings: Settings, database: Database, spans: Spans
) -> None:
    async with serving(create_app(settings)) as client:
        order = {"customer": "ada", "amount": "1.00"}
        answer = await client.post("/orders", json=order, headers={"traceparent": CALLER})
        assert await final_status(client, answer.json()) == "paid"
        rows = await published_rows(database)
    assert {row.headers["traceparent"] for row in rows.values()} == {CALLER}
    assert not spans.ended
