"""A savepoint rolls back its own part and leaves everything before and after it alone."""

from decimal import Decimal

import pytest
from sqlmodel import col, select

from app.building_blocks.databases.database import Database
from app.building_blocks.errors import DomainError
from app.building_blocks.feature import Feature
from app.building_blocks.integration_event import IntegrationEvent
from app.building_blocks.mediator import Mediator
from app.building_blocks.messages import Command
from app.building_blocks.unit_of_work import UnitOfWork
from app.features.orders.converters import convert_order_created
from app.features.orders.domain import Order, OrderCreated
from app.features.orders.integration_events import OrderCreatedIntegrationEvent
from tests.mediators import mediator_of, outbox_rows


class Place(Command[None]):
    customer: str


class PlaceBoth(Command[None]):
    pass


class UnwritableIntegrationEvent(IntegrationEvent):
    topic = "shop.unwritable.v1"

    thing: object


async def place(command: Place, uow: UnitOfWork) -> None:
    uow.add(Order.create(command.customer, Decimal("1.00")))


@pytest.fixture
def shop() -> Feature:
    feature = Feature("shop")
    feature.handle(Place, place)
    feature.publish(OrderCreated, convert_order_created)
    return feature


@pytest.fixture
def mediator(database: Database, shop: Feature) -> Mediator:
    return mediator_of(database, shop)


async def stored(database: Database) -> list[str]:
    async with database.read() as session:
        return list(await session.exec(select(Order.customer).order_by(col(Order.id))))


async def told(database: Database) -> list[str]:
    events = [
        OrderCreatedIntegrationEvent.model_validate_json(row.payload)
        for row in await outbox_rows(database)
    ]
    return [event.customer for event in events]


async def test_a_part_that_fails_is_taken_back_alone(
    mediator: Mediator, database: Database
) -> None:
    async with mediator.unit_of_work() as uow:
        joined = mediator.within(uow)
        await joined.send(Place(customer="before"))
        with pytest.raises(DomainError):
            async with uow.savepoint():
                await joined.send(Place(customer="within"))
                await uow.flush()
                await joined.send(Place(customer="within, not flushed"))
                raise DomainError("no")
        await joined.send(Place(customer="after"))

    assert await stored(database) == ["before", "after"]
    assert await told(database) == ["before", "after"]


async def test_a_part_that_works_stays(mediator: Mediator, database: Database) -> None:
    async with mediator.unit_of_work() as uow, uow.savepoint():
        await mediator.within(uow).send(Place(customer="within"))
    assert await stored(database) == await told(database) == ["within"]


async def test_savepoints_can_be_nested(mediator: Mediator, database: Database) -> None:
    async with mediator.unit_of_work() as uow:
        joined = mediator.within(uow)
        async with uow.savepoint():
            await joined.send(Place(customer="outer"))
            with pytest.raises(DomainError):
                async with uow.savepoint():
                    await joined.send(Place(customer="inner"))
                    raise DomainError("no")
    assert await stored(database) == await told(database) == ["outer"]


async def test_an_event_that_cannot_be_written_fails_its_own_part_alone(
    mediator: Mediator, database: Database
) -> None:
    async with mediator.unit_of_work() as uow:
        with pytest.raises(ValueError, match="serialize"):
            async with uow.savepoint():
                uow.publish(UnwritableIntegrationEvent(thing=object()))
        await mediator.within(uow).send(Place(customer="after"))
    assert await stored(database) == await told(database) == ["after"]


async def test_events_recorded_within_a_failed_part_are_forgotten(
    shop: Feature, database: Database
) -> None:
    class PlaceTwo(Command[None]):
        pass

    async def place_two(command: PlaceTwo, uow: UnitOfWork) -> None:
        with pytest.raises(DomainError):
            async with uow.savepoint():
                uow.add(Order.create("first", Decimal("1.00")))
                raise DomainError("no")
        uow.add(Order.create("second", Decimal("1.00")))

    shop.handle(PlaceTwo, place_two)
    await mediator_of(database, shop).send(PlaceTwo())
    assert await stored(database) == await told(database) == ["second"]


async def test_events_recorded_before_a_failed_part_are_kept(
    shop: Feature, database: Database
) -> None:
    class PlaceOne(Command[None]):
        pass

    async def place_one(command: PlaceOne, uow: UnitOfWork) -> None:
        uow.add(Order.create("first", Decimal("1.00")))
        with pytest.raises(DomainError):
            async with uow.savepoint():
                raise DomainError("no")

    shop.handle(PlaceOne, place_one)
    await mediator_of(database, shop).send(PlaceOne())
    assert await stored(database) == await told(database) == ["first"]


async def test_a_savepoint_within_a_savepoint_loses_no_event(
    database: Database, shop: Feature
) -> None:
    async def place_both(command: PlaceBoth, uow: UnitOfWork) -> None:
        async with uow.savepoint():
            uow.add(Order.create("outer", Decimal("1.00")))
            async with uow.savepoint():
                uow.add(Order.create("inner", Decimal("1.00")))

    shop.handle(PlaceBoth, place_both)
    await mediator_of(database, shop).send(PlaceBoth())
    assert await stored(database) == ["outer", "inner"]
    assert await told(database) == ["outer", "inner"]
