"""Rows of the outbox, and messages with the same bytes, as the service makes them."""

from collections.abc import Iterator
from decimal import Decimal
from uuid import uuid4

from app.building_blocks.brokers.adapter import BrokerMessage
from app.building_blocks.databases.database import Database
from app.building_blocks.outbox.envelope import Envelope
from app.building_blocks.outbox.outbox import Outbox
from app.building_blocks.outbox.table import outbox, published
from app.building_blocks.wake_up import WakeUp
from app.features.orders.integration_events import OrderCreatedIntegrationEvent
from sqlalchemy import text

SERVICE = "bench"
TOPIC = OrderCreatedIntegrationEvent.topic
AT_ONCE = 1000
MAX_PAYLOAD_BYTES = 1 << 20
TIDY = {"postgresql": "VACUUM ANALYZE", "mysql": "ANALYZE TABLE", "sqlite": "ANALYZE"}


def envelopes(rows: int, keys: int = 0) -> Iterator[Envelope]:
    """Events of `rows` orders. With `keys` so many orders share them, else each has one."""
    orders = [uuid4() for _ in range(keys or rows)]
    for number in range(rows):
        yield Envelope(
            OrderCreatedIntegrationEvent(
                order_id=orders[number % len(orders)], customer="ada", amount=Decimal("12.50")
            )
        )


async def empty(database: Database) -> None:
    """Leave nothing in the tables of the outbox."""
    async with database.begin() as connection:
        await connection.execute(outbox.delete())
        await connection.execute(published.delete())


async def fill(database: Database, rows: int, keys: int = 0) -> None:
    """Write `rows` that wait."""
    box = Outbox(database.dialect, SERVICE, WakeUp())
    waiting = list(envelopes(rows, keys))
    for start in range(0, rows, AT_ONCE):
        async with database.begin() as connection:
            await box.write(connection, waiting[start : start + AT_ONCE])


async def tidy(database: Database) -> None:
    """Let the database see what is in the tables, as it does by itself some time after."""
    how = TIDY[database.writer.dialect.name]
    async with database.reader.connect() as connection:
        for table in (outbox, published):
            await connection.execute(text(f"{how} {table.name}"))


def messages(rows: int) -> list[BrokerMessage]:
    """What the publisher would hand to the adapter for so many rows."""
    made = (one.row(SERVICE, MAX_PAYLOAD_BYTES) for one in envelopes(rows))
    return [
        BrokerMessage(row["topic"], row["payload"].encode(), row["headers"], row["key"])
        for row in made
    ]
