"""Rule 7: a message that cannot be read is kept as it came, and is dead at once."""

import pytest
from sqlalchemy import text

from app.building_blocks.brokers.adapter import BrokerMessage
from app.building_blocks.databases.database import Database
from tests.guarantees.consuming import consumer_of, inbox_row, take_payment


@pytest.mark.parametrize(
    ("body", "kind", "why"),
    [
        (b"not json", "orders.order-created.v1", "not a OrderCreatedIntegrationEvent"),
        (b"\xff\x00", "orders.order-created.v1", "not a OrderCreatedIntegrationEvent"),
        (b"{}", "orders.order-created.v1", "not a OrderCreatedIntegrationEvent"),
        (b"{}", "unknown.v1", "unknown.v1"),
        (b"{}", "", "missing"),
    ],
)
async def test_an_unreadable_message_is_kept_raw_as_a_dead_letter(
    database: Database, body: bytes, kind: str, why: str
) -> None:
    message = BrokerMessage("t", body, {"ce-id": "1", "ce-type": kind})
    consumer = consumer_of(database, take_payment)
    await consumer.receive(message)
    await consumer.receive(message)
    row = await inbox_row(database, message, consumer)
    assert (row.state, row.payload) == ("dead", message.body)
    assert why in row.last_error


async def test_a_foreign_message_without_headers_is_kept_once(database: Database) -> None:
    consumer = consumer_of(database, take_payment)
    foreign = BrokerMessage("t", b"\x00hello", {"x": "y\x00"}, key="k\x00")
    await consumer.receive(foreign)
    await consumer.receive(foreign)
    async with database.reader.connect() as connection:
        rows = (await connection.execute(text("SELECT state, attempts FROM inbox"))).all()
    assert [tuple(row) for row in rows] == [("dead", 1)]
