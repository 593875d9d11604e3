"""One way in: results, behaviours, nested commands, queries."""

from collections.abc import Sequence
from typing import Any, assert_type
from uuid import UUID

import pytest

from app.building_blocks.databases.database import Database
from app.building_blocks.errors import DomainError
from app.building_blocks.mediator import CallNext, Mediator
from app.building_blocks.messages import Command
from app.building_blocks.wake_up import WakeUp
from app.features.orders.domain import Order, OrderStatus
from tests.building_blocks.toy_shop import Customers, Place, PlaceAndSettle, Settle, shop
from tests.mediators import mediator_of, outbox_rows


@pytest.fixture
def mediator(database: Database) -> Mediator:
    return mediator_of(database, shop())


async def test_the_caller_gets_the_result_of_the_handler(mediator: Mediator) -> None:
    order_id = assert_type(await mediator.send(Place()), UUID)
    assert order_id.version == 7
    assert assert_type(await mediator.ask(Customers()), list[str]) == ["ada"]


async def test_a_nested_command_joins_the_open_transaction(
    mediator: Mediator, database: Database
) -> None:
    with pytest.raises(DomainError, match="not like this"):
        await mediator.send(PlaceAndSettle(and_fail=True))
    assert await mediator.ask(Customers()) == []
    assert await outbox_rows(database) == []

    order_id = await mediator.send(PlaceAndSettle())
    async with database.read() as session:
        assert (await session.get_one(Order, order_id)).status is OrderStatus.PAID


async def test_a_query_within_a_unit_of_work_sees_its_uncommitted_changes(
    mediator: Mediator,
) -> None:
    async with mediator.unit_of_work() as uow:
        joined = mediator.within(uow)
        await joined.send(Place(customer="grace"))
        assert await joined.ask(Customers()) == ["grace"]
        assert await mediator.ask(Customers()) == []
    assert await mediator.ask(Customers()) == ["grace"]


async def test_whoever_opened_the_unit_of_work_can_still_take_it_all_back(
    mediator: Mediator, database: Database
) -> None:
    with pytest.raises(DomainError):
        async with mediator.unit_of_work() as uow:
            await mediator.within(uow).send(Place())
            await uow.flush()
            raise DomainError("no")
    assert await mediator.ask(Customers()) == []
    assert await outbox_rows(database) == []


async def test_a_query_leaves_no_transaction_open(mediator: Mediator) -> None:
    await mediator.ask(Customers())
    await mediator.send(Place())
    assert await mediator.ask(Customers()) == ["ada"]


async def test_behaviours_wrap_every_command_the_first_outermost(database: Database) -> None:
    seen: list[str] = []

    def noting(name: str) -> Any:
        async def behaviour(command: Command[Any], call_next: CallNext) -> Any:
            seen.append(f"{name} before {type(command).__name__}")
            result = await call_next(command)
            seen.append(f"{name} after {type(command).__name__}")
            return result

        return behaviour

    mediator = mediator_of(database, shop(), behaviours=[noting("outer"), noting("inner")])
    await mediator.send(PlaceAndSettle())
    assert seen == [
        "outer before PlaceAndSettle",
        "inner before PlaceAndSettle",
        *_around("Place"),
        *_around("Settle"),
        "inner after PlaceAndSettle",
        "outer after PlaceAndSettle",
    ]


def _around(command: str) -> Sequence[str]:
    moments = ("outer before", "inner before", "inner after", "outer after")
    return [f"{moment} {command}" for moment in moments]


async def test_a_behaviour_can_refuse_or_change_a_command(database: Database) -> None:
    async def only_named(command: Command[Any], call_next: CallNext) -> Any:
        if isinstance(command, Place) and not command.customer:
            raise DomainError("who?")
        return await call_next(Place(customer="changed"))

    mediator = mediator_of(database, shop(), behaviours=[only_named])
    with pytest.raises(DomainError, match="who"):
        await mediator.send(Place(customer=""))
    await mediator.send(Place())
    assert await mediator.ask(Customers()) == ["changed"]


async def test_the_publisher_is_woken_by_a_commit_with_events_and_by_nothing_else(
    database: Database,
) -> None:
    woken = _Woken()
    mediator = mediator_of(database, shop(), wake_up=woken)
    order_id = await mediator.send(Place())
    assert woken.times == 1

    await mediator.send(Settle(order_id=order_id))
    with pytest.raises(DomainError):
        async with mediator.unit_of_work() as uow:
            await mediator.within(uow).send(Place())
            await uow.flush()
            raise DomainError("no")
    assert woken.times == 1


class _Woken(WakeUp):
    times = 0

    def set(self) -> None:
        self.times += 1
        super().set()
