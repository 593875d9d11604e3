"""Command, domain event handlers, converters and outbox rows commit or roll back together."""

from decimal import Decimal
from uuid import UUID

import pytest
from sqlmodel import select

from app.building_blocks.databases.database import Database
from app.building_blocks.feature import Feature
from app.building_blocks.integration_event import IntegrationEvent
from app.building_blocks.messages import Command
from app.building_blocks.unit_of_work import UnitOfWork
from app.features.orders.converters import convert_order_created, convert_order_paid
from app.features.orders.domain import Order, OrderCreated, OrderPaid
from app.features.payments.domain import Payment
from tests.mediators import mediator_of, outbox_rows

AMOUNT = Decimal("1.00")


class Place(Command[UUID]):
    pass


class Charge(Command[None]):
    order_id: UUID


class Work(Command[None]):
    pass


class UnwritableIntegrationEvent(IntegrationEvent):
    topic = "shop.unwritable.v1"

    thing: object


class Shop:
    """Charges for each order that is placed; one of its parts may be broken."""

    def __init__(self, broken: str = "none of them") -> None:
        self.broken = broken
        self.feature = Feature("shop")
        self.feature.handle(Place, self.place)
        self.feature.handle(Charge, self.charge)
        self.feature.react(OrderCreated, self.charge_for_it)
        self.feature.publish(OrderCreated, convert_order_created)
        self.feature.publish(OrderCreated, self.convert)

    async def place(self, command: Place, uow: UnitOfWork) -> UUID:
        order = Order.create("ada", AMOUNT)
        uow.add(order)
        await uow.flush()
        self._may_break("command handler")
        return order.id

    async def charge_for_it(self, event: OrderCreated, uow: UnitOfWork) -> None:
        await uow.send(Charge(order_id=event.order_id))
        await uow.flush()
        self._may_break("domain event handler")

    async def charge(self, command: Charge, uow: UnitOfWork) -> None:
        uow.add(Payment.take(command.order_id, AMOUNT))
        await uow.flush()
        self._may_break("nested command")

    def convert(self, event: OrderCreated) -> IntegrationEvent:
        self._may_break("converter")
        if self.broken == "outbox":
            return UnwritableIntegrationEvent(thing=object())
        return convert_order_created(event)

    def _may_break(self, part: str) -> None:
        if part == self.broken:
            raise ArithmeticError(f"the {part} is broken")


async def rows(database: Database) -> tuple[int, int, int]:
    async with database.read() as session:
        orders, payments = await session.exec(select(Order)), await session.exec(select(Payment))
        return len(orders.all()), len(payments.all()), len(await outbox_rows(database))


async def test_what_works_is_committed_whole(database: Database) -> None:
    await mediator_of(database, Shop().feature).send(Place())
    assert await rows(database) == (1, 1, 2)


@pytest.mark.parametrize(
    "broken",
    ["command handler", "domain event handler", "nested command", "converter", "outbox"],
)
async def test_nothing_stays_when_a_part_raises(database: Database, broken: str) -> None:
    with pytest.raises((ArithmeticError, ValueError)) as raised:
        await mediator_of(database, Shop(broken).feature).send(Place())
    assert broken in str(raised.value) or broken == "outbox"
    assert await rows(database) == (0, 0, 0)


async def test_a_domain_event_of_a_handler_of_a_domain_event_is_dispatched(
    database: Database,
) -> None:
    async def pay_at_once(event: OrderCreated, uow: UnitOfWork) -> None:
        (await uow.get(Order, event.order_id)).pay()

    shop = Feature("shop")
    shop.handle(Place, Shop().place)
    shop.react(OrderCreated, pay_at_once)
    shop.publish(OrderPaid, convert_order_paid)
    order_id = await mediator_of(database, shop).send(Place())

    [row] = await outbox_rows(database)
    assert (row.topic, row.key) == ("orders.order-paid.v1", str(order_id))


async def test_an_aggregate_that_was_just_added_can_be_loaded(database: Database) -> None:
    async def work(command: Work, uow: UnitOfWork) -> None:
        order = Order.create("ada", AMOUNT)
        uow.add(order)
        assert await uow.get(Order, order.id) is order

    shop = Feature("shop")
    shop.handle(Work, work)
    await mediator_of(database, shop).send(Work())
    assert await rows(database) == (1, 0, 0)
