"""A batch is a span of its own, which links to the send of each of its messages."""

from opentelemetry.trace import SpanKind

from app.building_blocks.databases.database import Database
from app.building_blocks.tracing import Tracing
from tests.guarantees.batching import Counter, consumer_of, counted, deliver
from tests.tracing.spans import Spans, parent_of

TRACES = [f"{n:032x}" for n in (1, 2, 3)]


async def test_a_batch_links_to_what_was_sent(database: Database, spans: Spans) -> None:
    tracing = Tracing(spans.provider, "memory")
    consumer = consumer_of(database, Counter().handle, tracing=tracing)
    messages = [
        counted(number, traceparent=f"00-{trace}-b7ad6b7169203331-01")
        for number, trace in enumerate(TRACES)
    ]
    await deliver(consumer, *messages, counted(3))
    span = await spans.one(f"process {consumer.topic}")
    assert (span.kind, parent_of(span)) == (SpanKind.CONSUMER, 0)
    assert [f"{link.context.trace_id:032x}" for link in span.links] == TRACES
    assert [dict(link.attributes or {}) for link in span.links] == [
        {"messaging.message.id": message.headers["ce-id"]} for message in messages
    ]
    assert dict(span.attributes or {}) == {
        "messaging.system": "memory",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": consumer.topic,
        "messaging.consumer.group.name": consumer.name,
        "messaging.batch.message_count": 4,
    }
