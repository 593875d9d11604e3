"""What a span says, what it keeps to itself, and what makes none."""

from httpx import AsyncClient
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from app.building_blocks.databases.database import Database
from tests.test_round_trip import post_order
from tests.tracing.conftest import Flaky
from tests.tracing.spans import CREATED, TAKEN, Spans, id_of, parent_of, published_rows


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
