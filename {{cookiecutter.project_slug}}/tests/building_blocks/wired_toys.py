"""A feature without a mistake, for tests that make one, and the sentences about it."""

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from app.building_blocks.errors import WiringError
from app.building_blocks.feature import Feature
from app.building_blocks.integration_event import IntegrationEvent
from app.building_blocks.mediator import Mediator
from app.building_blocks.messages import Command, DomainEvent, Query
from app.building_blocks.unit_of_work import UnitOfWork
from app.building_blocks.wiring import Wiring

T = TypeVar("T", bound=Callable[..., Any] | type[Any])


def part_of(package: str) -> Callable[[T], T]:
    """As if it stood in a module of `package`: forgotten commands are looked for by package."""

    def move(thing: T) -> T:
        thing.__module__ = f"{package}.module"
        return thing

    return move


@part_of("shop.toys")
class Buy(Command[int]):
    pass


@part_of("shop.toys")
class Count(Query[int]):
    pass


class Bought(DomainEvent):
    pass


class BoughtIntegrationEvent(IntegrationEvent):
    topic = "toys.bought.v1"


class BoughtAgainIntegrationEvent(IntegrationEvent):
    topic = "toys.bought.v1"


@part_of("shop.toys")
async def buy(command: Buy, uow: UnitOfWork) -> int:
    return 1


@part_of("shop.toys")
async def count(query: Count, session: Any) -> int:
    return 1


@part_of("shop.toys")
async def wrong(message: Any, context: Any) -> str:
    return "one"


def convert(event: Bought) -> BoughtIntegrationEvent:
    return BoughtIntegrationEvent()


def convert_again(event: Bought) -> BoughtAgainIntegrationEvent:
    return BoughtAgainIntegrationEvent()


def convert_to_any(event: Bought) -> Any:
    return BoughtIntegrationEvent()


async def when_bought(event: BoughtIntegrationEvent, mediator: Mediator) -> None:
    pass


def toys() -> Feature:
    """A feature without a mistake."""
    feature = Feature("toys")
    feature.handle(Buy, buy)
    feature.answer(Count, count)
    feature.publish(Bought, convert)
    feature.subscribe(BoughtIntegrationEvent, when_bought)
    return feature


def problems_of(*features: Feature) -> tuple[str, ...]:
    """What keeps a service with these features from starting."""
    with pytest.raises(WiringError) as refused:
        Wiring(features)
    assert str(refused.value) == "\n".join(refused.value.problems)
    return refused.value.problems
