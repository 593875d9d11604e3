"""What the commands of this feature store, and what they tell the world."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from app.building_blocks.databases.database import Database
from app.building_blocks.errors import DomainError, NotFoundError
from app.building_blocks.mediator import Mediator
from app.features.orders.cancel_order import CancelOrder
from app.features.orders.domain import Order, OrderStatus
from app.features.orders.pay_order import PayOrder
from app.features.orders.queries import GetOrder
from tests.mediators import outbox_rows

NOBODY = UUID("018f0000-0000-7000-8000-000000000001")


async def stored(database: Database, order_id: UUID) -> Order:
    async with database.read() as session:
        return await session.get_one(Order, order_id)


async def topics(database: Database) -> list[str]:
    return [row.topic for row in await outbox_rows(database)]


async def test_a_created_order_is_stored(database: Database, stored_order: Order) -> None:
    order = await stored(database, stored_order.id)
    assert (order.customer, order.amount, order.status, order.version) == (
        "ada", Decimal("12.50"), OrderStatus.CREATED, 1,
    )  # fmt: skip
    assert abs(datetime.now(UTC) - order.created_at) < timedelta(minutes=1)


async def test_a_created_order_is_told_to_the_world(
    database: Database, stored_order: Order
) -> None:
    [row] = await outbox_rows(database)
    assert row.topic == "orders.order-created.v1"
    assert row.key == str(stored_order.id)
    assert json.loads(row.payload) == {
        "order_id": str(stored_order.id), "customer": "ada", "amount": "12.50",
    }  # fmt: skip
    written_at = datetime.fromisoformat(row.headers.pop("ce-time"))
    assert abs(datetime.now(UTC) - written_at) < timedelta(minutes=1)
    assert row.headers == {
        "ce-specversion": "1.0",
        "ce-id": row.message_id,
        "ce-type": "orders.order-created.v1",
        "ce-source": "/test-service",
        "ce-subject": str(stored_order.id),
        "content-type": "application/json",
        "correlation-id": row.message_id,
    }
    assert (row.state, row.attempts, row.claim_token) == ("waiting", 0, None)


async def test_a_paid_order_is_stored_and_told(
    mediator: Mediator, database: Database, stored_order: Order
) -> None:
    await mediator.send(PayOrder(order_id=stored_order.id))

    order = await stored(database, stored_order.id)
    assert (order.status, order.version) == (OrderStatus.PAID, 2)
    assert order.updated_at > order.created_at
    told = (await outbox_rows(database))[-1]
    assert (told.topic, told.key) == ("orders.order-paid.v1", str(order.id))
    assert json.loads(told.payload) == {"order_id": str(order.id), "amount": "12.50"}


async def test_a_cancelled_order_is_stored_and_told(
    mediator: Mediator, database: Database, stored_order: Order
) -> None:
    await mediator.send(CancelOrder(order_id=stored_order.id))

    assert (await stored(database, stored_order.id)).status is OrderStatus.CANCELLED
    told = (await outbox_rows(database))[-1]
    assert (told.topic, told.key) == ("orders.order-cancelled.v1", str(stored_order.id))
    assert json.loads(told.payload) == {"order_id": str(stored_order.id)}


async def test_a_refused_command_changes_and_tells_nothing(
    mediator: Mediator, database: Database, stored_order: Order
) -> None:
    await mediator.send(PayOrder(order_id=stored_order.id))

    with pytest.raises(DomainError, match="already paid"):
        await mediator.send(CancelOrder(order_id=stored_order.id))

    order = await stored(database, stored_order.id)
    assert (order.status, order.version) == (OrderStatus.PAID, 2)
    assert await topics(database) == ["orders.order-created.v1", "orders.order-paid.v1"]


@pytest.mark.parametrize("command", [PayOrder(order_id=NOBODY), CancelOrder(order_id=NOBODY)])
async def test_an_unknown_order_is_not_found(
    mediator: Mediator, database: Database, command: PayOrder | CancelOrder
) -> None:
    with pytest.raises(NotFoundError, match=f"Order {NOBODY} does not exist"):
        await mediator.send(command)
    assert await topics(database) == []


async def test_a_query_answers_what_is_stored(mediator: Mediator, stored_order: Order) -> None:
    view = await mediator.ask(GetOrder(order_id=stored_order.id))
    assert (view.id, view.customer, view.amount) == (stored_order.id, "ada", Decimal("12.50"))
    with pytest.raises(NotFoundError):
        await mediator.ask(GetOrder(order_id=NOBODY))
