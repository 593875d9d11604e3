"""A feature made up for the mediator: commands, one that sends others, and a query."""

from decimal import Decimal
from uuid import UUID

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.building_blocks.errors import DomainError
from app.building_blocks.feature import Feature
from app.building_blocks.messages import Command, Query
from app.building_blocks.unit_of_work import UnitOfWork
from app.features.orders.converters import convert_order_created
from app.features.orders.domain import Order, OrderCreated


class Place(Command[UUID]):
    customer: str = "ada"


class Settle(Command[None]):
    order_id: UUID


class PlaceAndSettle(Command[UUID]):
    and_fail: bool = False


class Customers(Query[list[str]]):
    pass


async def place(command: Place, uow: UnitOfWork) -> UUID:
    order = Order.create(command.customer, Decimal("1.00"))
    uow.add(order)
    return order.id


async def settle(command: Settle, uow: UnitOfWork) -> None:
    (await uow.get(Order, command.order_id)).pay()


async def place_and_settle(command: PlaceAndSettle, uow: UnitOfWork) -> UUID:
    order_id = await uow.send(Place())
    await uow.send(Settle(order_id=order_id))
    if command.and_fail:
        raise DomainError("not like this")
    return order_id


async def customers(query: Customers, session: AsyncSession) -> list[str]:
    return list(await session.exec(select(Order.customer).order_by(Order.customer)))


def shop() -> Feature:
    feature = Feature("shop")
    feature.handle(Place, place)
    feature.handle(Settle, settle)
    feature.handle(PlaceAndSettle, place_and_settle)
    feature.answer(Customers, customers)
    feature.publish(OrderCreated, convert_order_created)
    return feature
