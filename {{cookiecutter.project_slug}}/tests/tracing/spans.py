"""The spans that a service exported, and what they belong to."""

from collections.abc import Sequence
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanContext
from sqlalchemy import Row, select

from app.building_blocks.databases.database import Database
from app.building_blocks.outbox.table import published
from tests.waiting import eventually

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
