"""What an aggregate records is published, also when nobody holds the aggregate any more."""

import gc
from collections.abc import Awaitable, Callable
from decimal import Decimal
from uuid import UUID

import pytest
from sqlmodel import select

from app.building_blocks.databases.database import Database
from app.building_blocks.feature import Feature
from app.building_blocks.messages import Command
from app.building_blocks.unit_of_work import UnitOfWork
from app.features.orders.converters import convert_order_paid
from app.features.orders.domain import Order, OrderPaid, OrderStatus
from tests.mediators import mediator_of, outbox_rows


class Place(Command[UUID]):
    pass


class Work(Command[None]):
    pass


async def place(command: Place, uow: UnitOfWork) -> UUID:
    order = Order.create("ada", Decimal("1.00"))
    uow.add(order)
    return order.id


def shop_with(work: Callable[[Work, UnitOfWork], Awaitable[None]]) -> Feature:
    """It publishes that an order is paid, and nothing else."""
    shop = Feature("shop")
    shop.handle(Place, place)
    shop.handle(Work, work)
    shop.publish(OrderPaid, convert_order_paid)
    return shop


async def note_by_query(uow: UnitOfWork, order_id: UUID) -> None:
    for order in await uow.session.exec(select(Order)):
        order.record(OrderPaid(order_id=order.id, amount=order.amount))


async def note_by_get(uow: UnitOfWork, order_id: UUID) -> None:
    order = await uow.get(Order, order_id)
    order.record(OrderPaid(order_id=order.id, amount=order.amount))


async def note_then_flush(uow: UnitOfWork, order_id: UUID) -> None:
    (await uow.get(Order, order_id)).pay()
    await uow.flush()


@pytest.mark.parametrize("note", [note_by_query, note_by_get, note_then_flush])
async def test_events_of_an_aggregate_that_nobody_holds_are_not_lost(
    database: Database, note: Callable[[UnitOfWork, UUID], Awaitable[None]]
) -> None:
    async def work(command: Work, uow: UnitOfWork) -> None:
        await note(uow, order_id)
        gc.collect()

    mediator = mediator_of(database, shop_with(work))
    order_id = await mediator.send(Place())
    await mediator.send(Work())

    assert [row.topic for row in await outbox_rows(database)] == ["orders.order-paid.v1"]


async def test_events_of_an_aggregate_that_was_loaded_before_are_not_lost(
    database: Database,
) -> None:
    async def work(command: Work, uow: UnitOfWork) -> None:
        order.pay()
        uow.add(order)

    mediator = mediator_of(database, shop_with(work))
    order_id = await mediator.send(Place())
    async with database.read() as session:
        order = await session.get_one(Order, order_id)
    await mediator.send(Work())

    async with database.read() as session:
        assert (await session.get_one(Order, order_id)).status is OrderStatus.PAID
    assert [row.topic for row in await outbox_rows(database)] == ["orders.order-paid.v1"]
