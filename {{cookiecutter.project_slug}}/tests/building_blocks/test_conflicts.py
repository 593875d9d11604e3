"""Optimistic concurrency: of two changes made on the same version one wins, the other is told."""

import asyncio
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

import pytest

from app.building_blocks.databases.database import Database
from app.building_blocks.errors import ConflictError
from app.building_blocks.feature import Feature
from app.building_blocks.mediator import Mediator
from app.building_blocks.messages import Command
from app.building_blocks.unit_of_work import UnitOfWork
from app.features.orders.domain import Order
from app.features.orders.integration_events import OrderPaidIntegrationEvent
from tests.mediators import mediator_of, outbox_rows


class Raise(Command[None]):
    """Adds to the amount of an order, as it was read before the transaction."""

    order_id: UUID
    by: int


class RaisePatiently(Raise):
    conflict_retries: ClassVar[int] = 1


class RaiseNested(Command[None]):
    """Leaves it to another command, which would like to start over."""

    order_id: UUID


class Shop:
    """Handlers work on what was read before their transactions, as long as there is any."""

    def __init__(self, database: Database) -> None:
        self.runs = 0
        self._database = database
        self._read_before: list[Order] = []
        feature = Feature("shop")
        feature.handle(Raise, self.raise_amount)
        feature.handle(RaisePatiently, self.raise_amount)
        feature.handle(RaiseNested, self.raise_nested)
        self.mediator: Mediator = mediator_of(database, feature)

    async def order(self) -> UUID:
        async with self.mediator.unit_of_work() as uow:
            order = Order.create("ada", Decimal("1.00"))
            uow.add(order)
        return order.id

    async def all_read(self, order_id: UUID, times: int) -> None:
        """So many rivals read the same version before any of them goes on."""
        self._read_before = [await self._read(order_id) for _ in range(times)]

    async def raise_amount(self, command: Raise, uow: UnitOfWork) -> None:
        self.runs += 1
        if self._read_before:
            order = self._read_before.pop()
        else:
            order = await self._read(command.order_id)
        uow.session.add(order)
        order.amount += command.by
        uow.publish(OrderPaidIntegrationEvent(order_id=order.id, amount=order.amount))

    async def _read(self, order_id: UUID) -> Order:
        async with self._database.read() as session:
            return await session.get_one(Order, order_id)

    async def raise_nested(self, command: RaiseNested, uow: UnitOfWork) -> None:
        await uow.send(RaisePatiently(order_id=command.order_id, by=10))

    async def amount(self, order_id: UUID) -> int:
        return int((await self._read(order_id)).amount)


async def test_the_loser_of_two_concurrent_changes_gets_a_conflict(database: Database) -> None:
    shop = Shop(database)
    order_id = await shop.order()
    await shop.all_read(order_id, times=2)
    rivals = [shop.mediator.send(Raise(order_id=order_id, by=by)) for by in (10, 100)]
    ends = await asyncio.gather(*rivals, return_exceptions=True)

    assert sorted(type(end).__name__ for end in ends) == ["ConflictError", "NoneType"]
    won = [by for by, end in zip((10, 100), ends, strict=True) if end is None]
    assert await shop.amount(order_id) == 1 + won[0]
    assert shop.runs == 2


async def test_the_loser_leaves_nothing_in_the_outbox(database: Database) -> None:
    shop = Shop(database)
    order_id = await shop.order()
    await shop.all_read(order_id, times=2)
    rivals = [shop.mediator.send(Raise(order_id=order_id, by=by)) for by in (10, 100)]
    await asyncio.gather(*rivals, return_exceptions=True)
    assert len(await outbox_rows(database)) == 1


async def test_a_command_can_ask_to_start_over(database: Database) -> None:
    shop = Shop(database)
    order_id = await shop.order()
    await shop.all_read(order_id, times=2)
    rivals = [shop.mediator.send(RaisePatiently(order_id=order_id, by=by)) for by in (10, 100)]
    await asyncio.gather(*rivals)
    assert await shop.amount(order_id) == 111
    assert shop.runs == 3


async def test_starting_over_has_an_end(database: Database) -> None:
    shop = Shop(database)
    order_id = await shop.order()

    async def always_too_late(command: Raise, uow: UnitOfWork) -> None:
        shop.runs += 1
        raise ConflictError("too late")

    feature = Feature("shop")
    feature.handle(RaisePatiently, always_too_late)
    with pytest.raises(ConflictError, match="too late"):
        await mediator_of(database, feature).send(RaisePatiently(order_id=order_id, by=1))
    assert shop.runs == 2


async def test_only_the_outermost_command_starts_over(database: Database) -> None:
    shop = Shop(database)
    order_id = await shop.order()
    await shop.all_read(order_id, times=2)
    rivals = [shop.mediator.send(RaiseNested(order_id=order_id)) for _ in range(2)]
    ends = await asyncio.gather(*rivals, return_exceptions=True)
    # A transaction that lost cannot go on, so the nested command's wish counts for nothing.
    assert sorted(type(end).__name__ for end in ends) == ["ConflictError", "NoneType"]
    assert shop.runs == 2
