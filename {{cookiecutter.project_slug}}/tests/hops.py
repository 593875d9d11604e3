"""An order's way, message by message."""

from collections.abc import Sequence
from typing import Any

from httpx import AsyncClient
from sqlalchemy import Row, select

from app.building_blocks.databases.database import Database
from app.building_blocks.outbox.table import published
from tests.waiting import eventually

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
HOPS = ["orders.order-created.v1", "payments.payment-taken.v1", "orders.order-paid.v1"]


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
